import hashlib
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import pytest

from ml.runtime.ecg.preparation import EcgFacts
from ml.runtime.ecg.raw_ecg import RawEcg
from ml.runtime.ecg.signal import constants
from ml.runtime.ecg.signal.errors import SignalError
from ml.runtime.encoder import BundleError, load_bundle
from ml.synthetic.ecg import SyntheticPerson
from tests.bundles import STRIP_CONFIG, tiny_network, write_network_bundle, write_tiny_bundle
from tests.fakes import fake_image_calibration

ROOT = Path(__file__).parents[4]
FS_HZ = 250.0


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return write_tiny_bundle(tmp_path_factory.mktemp("models"))


@pytest.fixture
def bundle(tmp_path):
    write_tiny_bundle(tmp_path)
    return tmp_path / "tiny@1"


@pytest.fixture(scope="module")
def ecg():
    return SyntheticPerson.draw(1).record(duration_s=10.0, fs_hz=FS_HZ, seed=1)


def edit(bundle: Path, **changes) -> None:
    path = bundle / "bundle.json"
    fields = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({k: v for k, v in fields.items() if v is not None}))


def replace_weights(bundle: Path, weights: bytes) -> None:
    (bundle / "model.onnx").write_bytes(weights)
    files = json.loads((bundle / "bundle.json").read_text())["files"]
    edit(bundle, files=files | {"model.onnx": hashlib.sha256(weights).hexdigest()})


class TestEncode:
    def test_gives_a_unit_vector_of_the_stated_size(self, encoder, ecg):
        encoding = encoder.encode(RawEcg(ecg, FS_HZ))

        assert encoding.vector.shape == (encoder.info.vector_size,)
        assert encoding.vector.dtype == np.float32
        assert np.linalg.norm(encoding.vector) == pytest.approx(1.0, abs=1e-6)

    def test_an_inverted_strip_gives_the_same_bits(self, encoder, ecg):
        np.testing.assert_array_equal(
            encoder.encode(RawEcg(-ecg, FS_HZ)).vector, encoder.encode(RawEcg(ecg, FS_HZ)).vector
        )

    @pytest.mark.parametrize("gain", [1e-3, 200.0, 1e4])
    def test_amplitude_and_offset_do_not_matter(self, encoder, ecg, gain):
        scaled = encoder.encode(RawEcg(gain * (ecg + 3.0), FS_HZ)).vector

        np.testing.assert_allclose(scaled, encoder.encode(RawEcg(ecg, FS_HZ)).vector, atol=1e-4)

    def test_recordings_of_one_person_are_alike(self, encoder):
        people = [SyntheticPerson.draw(seed) for seed in range(8)]
        first, second = (
            np.stack(
                [
                    encoder.encode(RawEcg(p.record(duration_s=10.0, fs_hz=FS_HZ, seed=s), FS_HZ)).vector
                    for p in people
                ]
            )
            for s in (1, 2)
        )

        cosine = first @ second.T

        assert np.diag(cosine).mean() > cosine[~np.eye(8, dtype=bool)].mean() + 0.2

    def test_tells_seconds_quality_and_heart_rate(self, encoder, ecg):
        encoding = encoder.encode(RawEcg(ecg, FS_HZ))

        assert encoding.evidence.seconds is not None
        assert 5.0 <= encoding.evidence.seconds <= 10.0
        assert 0.0 < encoding.evidence.quality <= 1.0
        assert isinstance(encoding.facts, EcgFacts)
        assert encoding.facts.heart_rate_bpm is not None
        assert 30.0 < encoding.facts.heart_rate_bpm < 200.0

    def test_three_steps_give_what_encode_gives(self, encoder, ecg):
        prepared = encoder.prepare(RawEcg(ecg, FS_HZ))

        vector = encoder.finish(encoder.infer(prepared.inputs).vectors)[0]

        np.testing.assert_array_equal(vector, encoder.encode(RawEcg(ecg, FS_HZ)).vector)

    def test_noise_is_refused_with_a_code(self, encoder):
        noise = np.zeros(2500)

        with pytest.raises(SignalError) as caught:
            encoder.encode(RawEcg(noise, FS_HZ))

        assert caught.value.code == "signal_flat"

    def test_repr_hides_the_vector(self, encoder, ecg):
        encoding = encoder.encode(RawEcg(ecg, FS_HZ))

        assert f"{encoding.vector[0]:.3f}" not in repr(encoding)


class TestLoadBundle:
    def test_knows_its_name(self, bundle):
        assert load_bundle(bundle).encoder_id == "tiny@1"

    def test_changed_weights_are_refused(self, bundle):
        content = bytearray((bundle / "model.onnx").read_bytes())
        content[-1] ^= 1
        (bundle / "model.onnx").write_bytes(bytes(content))

        with pytest.raises(
            BundleError, match=r"^bundle tiny@1: checksum of model\.onnx: expected \w+, found \w+$"
        ):
            load_bundle(bundle)

    def test_a_changed_card_is_refused(self, bundle):
        (bundle / "card.md").write_text("perfect in every way")

        with pytest.raises(BundleError, match=r"checksum of card\.md"):
            load_bundle(bundle)

    def test_a_second_weights_file_is_refused(self, bundle):
        (bundle / "model.onnx.data").write_bytes(b"weights")

        with pytest.raises(BundleError, match=r"expected the files .* found .*model\.onnx\.data"):
            load_bundle(bundle)

    def test_a_missing_file_is_refused(self, bundle):
        (bundle / "card.md").unlink()

        with pytest.raises(BundleError, match="expected the files"):
            load_bundle(bundle)

    def test_an_absent_bundle_is_refused(self, tmp_path):
        with pytest.raises(BundleError, match=r"no bundle\.json"):
            load_bundle(tmp_path / "nobody@1")

    @pytest.mark.parametrize("text", ["{", "[]", "NaN", '{"schema": 1}'])
    def test_malformed_json_is_refused_in_one_line(self, bundle, text):
        (bundle / "bundle.json").write_text(text)

        with pytest.raises(BundleError) as caught:
            load_bundle(bundle)

        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("schema", 1, "expected schema 2, found 1"),
            ("modality", "face", "modality: expected 'ecg', found 'face'"),
            ("preparation_version", None, "missing or unknown fields: preparation_version"),
            (
                "preparation_version",
                2,
                r"preparation_version: expected one that this code has \(1\), found 2",
            ),
            ("preparation_version", "1", "preparation_version: expected int, found str"),
            ("preparation_constants", {}, "preparation_constants: version 1 of this code differs in"),
            ("kind", "resnet", "unknown kind 'resnet'"),
            ("metric", "hamming", "unknown metric 'hamming'"),
            ("surprise", 1, "unknown fields: surprise"),
            ("licence", None, "missing or unknown fields: licence"),
            ("vector_size", "8", "vector_size: expected int, found str"),
            ("vector_size", 9, "vector_size: expected 9, the network gives 8"),
            ("version", "2", "must bear its name"),
            ("calibration", {}, "KeyError"),
            ("preprocessing", {"before_s": 0.25}, "preprocessing: missing or unknown"),
        ],
    )
    def test_a_field_that_says_something_else_is_refused(self, bundle, field, value, message):
        edit(bundle, **{field: value})

        with pytest.raises(BundleError, match=message):
            load_bundle(bundle)

    def test_a_constant_that_the_code_no_longer_has_is_named(self, bundle, monkeypatch):
        monkeypatch.setattr(constants, "BAND_HIGH_HZ", 25.0)

        with pytest.raises(
            BundleError,
            match=r"^bundle tiny@1: ValueError: preparation_constants: version 1 of this code differs in "
            r"BAND_HIGH_HZ 40\.0 \(code: 25\.0\)$",
        ):
            load_bundle(bundle)

    def test_a_calibration_for_evidence_of_another_kind_is_refused(self, bundle):
        edit(bundle, calibration=fake_image_calibration().to_dict())

        with pytest.raises(BundleError, match=r"calibration: expected evidence in seconds, found images$"):
            load_bundle(bundle)

    def test_a_constant_that_the_code_never_had_is_named(self, bundle):
        fields = json.loads((bundle / "bundle.json").read_text())
        edit(bundle, preparation_constants=fields["preparation_constants"] | {"GAIN": 2.0})

        with pytest.raises(BundleError, match=r"differs in GAIN 2\.0 \(code: None\)$"):
            load_bundle(bundle)

    def test_weights_in_another_file_are_refused(self, bundle):
        model = onnx.load(bundle / "model.onnx")
        tensor = max(model.graph.initializer, key=lambda t: len(t.raw_data))
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.ClearField("raw_data")
        tensor.external_data.add(key="location", value="/etc/passwd")
        replace_weights(bundle, model.SerializeToString())

        with pytest.raises(BundleError, match="external data"):
            load_bundle(bundle)

    def test_weights_that_are_no_network_are_refused_in_one_line(self, bundle):
        replace_weights(bundle, b"not a network")

        with pytest.raises(BundleError, match="ONNX Runtime refuses it") as caught:
            load_bundle(bundle)

        assert "\n" not in str(caught.value)


class TestLoadNetworkBundle:
    def test_encodes_strips(self, tmp_path, ecg):
        encoder = write_network_bundle(tmp_path, "ecg@2026.11")

        encoding = encoder.encode(RawEcg(ecg, FS_HZ))

        assert encoder.encoder_id == "ecg@2026.11"
        assert encoding.vector.shape == (encoder.vector_size,)

    @pytest.mark.parametrize(
        ("part", "name", "value", "message"),
        [
            ("windows", "overlap", 0.5, r"preprocessing\.windows: missing or unknown \['overlap'\]"),
            ("windows", "step_s", None, r"preprocessing\.windows: missing or unknown \['step_s'\]"),
            (
                "windows",
                "max_windows",
                31.5,
                r"preprocessing\.windows\.max_windows: expected int, found 31\.5",
            ),
            ("windows", "max_windows", 0, "must be positive"),
            ("windows", "fs_hz", "125", r"preprocessing\.windows\.fs_hz: expected float, found '125'"),
            ("windows", "fs_hz", 120.0, "fs_hz must divide 250 Hz"),
            ("windows", "n_samples", 369, r"model\.onnx: expected the inputs windows .*369.*; found .*368"),
            ("mean_beat", "after_s", 0.5, r"model\.onnx: expected the inputs .*beat .*; found"),
            ("mean_beat", "align_rounds", True, r"preprocessing\.mean_beat\.align_rounds: expected int"),
        ],
    )
    def test_preparation_that_says_something_else_is_refused_in_one_line(
        self, tmp_path, part, name, value, message
    ):
        preparation = asdict(STRIP_CONFIG)
        preparation[part] = {
            key: given for key, given in (preparation[part] | {name: value}).items() if given is not None
        }

        with pytest.raises(BundleError, match=f"^bundle ecg@1: .*{message}") as caught:
            write_network_bundle(tmp_path, preprocessing=preparation)

        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("preparation", [{}, {"windows": {}}, {"mean_beat": 1, "windows": 2}])
    def test_missing_or_misshapen_parts_are_refused(self, tmp_path, preparation):
        with pytest.raises(
            BundleError, match=r"^bundle ecg@1: ValueError: preprocessing.*missing or unknown"
        ):
            write_network_bundle(tmp_path, preprocessing=preparation)

    def test_another_network_is_refused(self, tmp_path):
        with pytest.raises(BundleError, match=r"^bundle ecg@1: model\.onnx: expected the inputs"):
            write_network_bundle(tmp_path, weights=tiny_network(windows=(6, 368)))

    def test_weights_in_another_file_are_refused(self, tmp_path):
        model = onnx.load_model_from_string(tiny_network())
        tensor = max(model.graph.initializer, key=lambda t: len(t.raw_data))
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.ClearField("raw_data")
        tensor.external_data.add(key="location", value="weights.data")

        with pytest.raises(BundleError, match="external data"):
            write_network_bundle(tmp_path, weights=model.SerializeToString())


class TestImport:
    def test_loads_no_training_stack(self):
        heavy = "{'torch', 'onnx', 'pandas', 'matplotlib', 'typer', 'rich', 'scipy.signal', 'scipy.stats'}"
        code = f"import sys, ml.runtime.encoder; print(sorted({heavy} & set(sys.modules)))"

        found = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        )

        assert found.stdout.strip() == "[]"
