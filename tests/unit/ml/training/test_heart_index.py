"""The heart index can be fitted: strips → features → network → the file that the runtime opens."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from ml.data.records import EcgRecord
from ml.synthetic.ecg import SyntheticPerson
from ml.training.heart_index.fitting import exported, fit, index_of
from ml.training.heart_index.material import Material, joined, material
from ml.training.heart_index.strips import DAMAGES, computed_hearts, others, varied_hearts


@pytest.fixture(scope="module")
def hearts():
    return material(computed_hearts(range(60)))


@pytest.fixture(scope="module")
def rest():
    return material(others(range(6)))


@pytest.fixture(scope="module")
def network(hearts, rest):
    return fit(hearts, joined([rest, rest, rest, rest, rest]), epochs=8)


class TestMaterial:
    def test_counts_what_was_asked_and_keeps_what_has_features(self, rest):
        assert sum(rest.asked.values()) == 6 * 27
        assert 0 < len(rest.numbers) < 6 * 27

    def test_comes_back_from_a_file(self, hearts, tmp_path):
        hearts.write(tmp_path / "hearts.npz")
        kept = Material.read(tmp_path / "hearts.npz")

        np.testing.assert_array_equal(kept.shape, hearts.shape)
        np.testing.assert_array_equal(kept.sources, hearts.sources)
        assert kept.asked == hearts.asked

    def test_can_be_taken_apart(self, rest):
        some = sorted(set(rest.sources))[:2]

        assert set(rest.only(some).sources) == set(some)
        assert len(rest.only(some).numbers) + len(rest.without(some).numbers) == len(rest.numbers)


class TestNetwork:
    def test_learns_the_difference(self, network, hearts, rest):
        assert np.median(index_of(network, hearts)) > 0.5
        assert np.median(index_of(network, rest)) < -0.5

    def test_the_file_says_what_the_network_says(self, network, hearts):
        session = ort.InferenceSession(exported(network), providers=["CPUExecutionProvider"])
        first = {name: getattr(hearts, name)[:1] for name in ("shape", "spread", "figures")}
        mirrored = first | {"shape": -first["shape"]}

        (said,), (of_the_mirror_image,) = (session.run(["index"], one) for one in (first, mirrored))

        assert said == pytest.approx(index_of(network, hearts)[:1], abs=1e-3)
        assert of_the_mirror_image == pytest.approx(said, abs=1e-3)

    def test_the_file_does_not_tell_where_it_was_made(self, network):
        model = onnx.load_model_from_string(exported(network))

        assert model.producer_name == "pulseprint"
        assert not any(node.metadata_props or node.doc_string for node in model.graph.node)


class TestStrips:
    @pytest.mark.parametrize("damage", DAMAGES)
    def test_damage_leaves_the_strip_it_was_given(self, damage):
        ecg = SyntheticPerson.draw(1).record(5.0, 250.0).astype(np.float64)
        before = ecg.copy()

        damaged = damage(np.random.default_rng(1), ecg, 250.0)

        np.testing.assert_array_equal(ecg, before)
        assert damaged.shape == ecg.shape
        assert not np.array_equal(damaged, ecg)

    def test_noisy_recordings_prove_no_heart(self):
        ecg = SyntheticPerson.draw(1).record(30.0, 250.0)
        records = [
            EcgRecord(str(n), str(n), 250.0, ecg, labels={"rhythm": rhythm}) for n, rhythm in enumerate("N~A")
        ]

        assert {strip.number for strip in varied_hearts("CinC train", records, 2)} == {0, 2}
