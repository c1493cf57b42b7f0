import json
import shutil
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from app.adapters.encoders import LoadedEncoders, load_encoders
from app.domain.captures import FaceImage
from app.domain.errors import ConfigurationError, FailureToAcquireError
from app.domain.references import Modality
from ml.runtime.errors import CaptureError
from ml.runtime.evidence import IMAGES, Evidence
from ml.runtime.kinds import PREPARATIONS
from ml.runtime.preparation import FIXED, FREE, Preparation, Prepared
from tests.bundles import MEAN_BEAT, write_network_bundle, write_tiny_bundle
from tests.fakes import FakeEncoder, FakeFaceEncoder, fake_image_calibration

BEAT = Path(__file__).parents[4] / "models" / "ecg-beat@2026.11"


def named(encoder_id: str) -> FakeEncoder:
    encoder = FakeEncoder()
    encoder.encoder_id = encoder_id
    return encoder


def order(encoder_ids: list[str], **chosen: str) -> list[str]:
    encoders = LoadedEncoders([named(encoder_id) for encoder_id in encoder_ids], chosen)
    return [encoder.encoder_id for encoder in encoders.of(Modality.ECG)]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    shutil.copytree(BEAT, folder / BEAT.name)
    write_network_bundle(folder, "ecg@2026.11")
    return folder


class TestLoadedEncoders:
    def test_the_bundle_named_like_its_modality_is_the_default(self):
        found = order(["ecg-beat@2027.1", "ecg@2026.11", "ecg-edge@2027.1"])

        assert found == ["ecg@2026.11", "ecg-edge@2027.1", "ecg-beat@2027.1"]

    def test_without_such_a_bundle_the_newest_is(self):
        assert order(["ecg-beat@2026.11", "ecg-beat@2026.2"]) == ["ecg-beat@2026.11", "ecg-beat@2026.2"]

    def test_a_chosen_one_comes_first_and_the_others_stay_in_order(self):
        ids = ["ecg@2026.11", "ecg@2026.12", "ecg-beat@2026.11"]

        assert order(ids, ecg="ecg-beat@2026.11") == ["ecg-beat@2026.11", "ecg@2026.12", "ecg@2026.11"]

    def test_modalities_have_defaults_of_their_own(self):
        encoders = LoadedEncoders([named("ecg@1"), FakeFaceEncoder()], {})

        assert encoders.default(Modality.FACE) is encoders.get("fakeface@2026.11")
        assert encoders.default(Modality.FINGERPRINT) is None

    @pytest.mark.parametrize("chosen", [{"ecg": "ecg@2"}, {"face": "ecg@1"}])
    def test_a_chosen_one_that_is_not_loaded_for_its_modality_is_refused(self, chosen):
        with pytest.raises(ConfigurationError, match=r"PULSEPRINT_ENCODERS names .*; loaded are: ecg@1\.$"):
            LoadedEncoders([named("ecg@1")], chosen)


class TestLoadEncoders:
    def test_bundles_of_both_kinds_are_served_side_by_side(self, models):
        encoders = load_encoders(models, {})

        assert [encoder.encoder_id for encoder in encoders.all()] == ["ecg-beat@2026.11", "ecg@2026.11"]
        assert encoders.default(Modality.ECG) is encoders.get("ecg@2026.11")

    def test_a_damaged_bundle_stops_the_start_even_if_another_is_chosen(self, models, tmp_path):
        shutil.copytree(models, tmp_path, dirs_exist_ok=True)
        (tmp_path / "ecg@2026.11" / "card.md").write_text("another card")

        with pytest.raises(ConfigurationError, match=r"^bundle ecg@2026\.11: checksum of card\.md"):
            load_encoders(tmp_path, {"ecg": "ecg-beat@2026.11"})

    def test_a_folder_without_bundles_is_named(self, tmp_path):
        with pytest.raises(ConfigurationError, match="no bundle <id>@<version>"):
            load_encoders(tmp_path, {})


class RawFaces(Preparation[FaceImage]):
    """A preparation of another modality: the bytes of an image are what the network reads."""

    modality, unit = "face", IMAGES
    reads: ClassVar = {"beats": (FREE, MEAN_BEAT.n_samples)}
    gives: ClassVar = {"vectors": (FREE, FIXED)}

    @classmethod
    def from_dict(cls, _):
        return cls()

    @classmethod
    def constants(cls):
        return {}

    def prepare(self, capture):
        pixels = np.frombuffer(capture.image, dtype=np.float32)
        if pixels.size != MEAN_BEAT.n_samples:
            raise NoFaceError("there is no face")
        return Prepared({"beats": pixels[None]}, Evidence(1.0, IMAGES, 0.9))

    def example(self):
        return FaceImage(np.ones(MEAN_BEAT.n_samples, dtype=np.float32).tobytes())


class NoFaceError(CaptureError):
    code = "no_face"


class TestAnotherModality:
    """A new kind is its preparation and a line in the registry; nothing here knows of it."""

    @pytest.fixture
    def encoder(self, tmp_path, monkeypatch):
        monkeypatch.setitem(PREPARATIONS, "face-raw", {1: RawFaces})
        write_tiny_bundle(tmp_path)
        path = tmp_path / "tiny@1" / "bundle.json"
        fields = json.loads(path.read_text())
        fields |= {"kind": "face-raw", "modality": "face", "preprocessing": {}, "preparation_constants": {}}
        fields |= {"calibration": fake_image_calibration().to_dict()}
        path.write_text(json.dumps(fields))
        return load_encoders(tmp_path, {}).default(Modality.FACE)

    def test_its_captures_are_encoded(self, encoder):
        pixels = np.random.default_rng(1).standard_normal(MEAN_BEAT.n_samples).astype(np.float32)

        found = encoder.encode(FaceImage(pixels.tobytes()))

        assert found.vector.shape == (encoder.vector_size,)
        assert found.evidence == Evidence(1.0, IMAGES, 0.9)

    def test_its_refusals_keep_their_code(self, encoder):
        with pytest.raises(FailureToAcquireError) as refused:
            encoder.encode(FaceImage(b"none"))

        assert refused.value.code == "no_face"


class TestWarmUp:
    def test_it_comes_through_to_the_network(self, tmp_path):
        inner = write_network_bundle(tmp_path, "ecg@1")
        runs: list[int] = []
        infer = inner.infer
        inner.infer = lambda inputs: (runs.append(1), infer(inputs))[1]

        inner.warm_up()

        assert runs == [1]
