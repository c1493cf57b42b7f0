import shutil
from pathlib import Path

import pytest

from app.adapters.encoders import LoadedEncoders, load_encoders
from app.domain.errors import ConfigurationError
from app.domain.references import Modality
from tests.bundles import write_network_bundle
from tests.fakes import FakeEncoder, FakeFaceEncoder

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


class TestWarmUp:
    def test_it_comes_through_to_the_network(self, tmp_path):
        inner = write_network_bundle(tmp_path, "ecg@1")
        runs: list[int] = []
        infer = inner.infer
        inner.infer = lambda inputs: (runs.append(1), infer(inputs))[1]

        inner.warm_up()

        assert runs == [1]
