import numpy as np
import pytest
from onnx import TensorProto

from ml.runtime.bundle import BundleError
from ml.runtime.ecg.raw_ecg import RawEcg
from ml.runtime.ecg.signal.conditioning import condition
from ml.runtime.ecg.signal.errors import NoHeartbeatError
from ml.runtime.ecg.strip_preparation import StripPreparation
from ml.runtime.errors import NoVectorError
from ml.runtime.vector_network import VectorNetwork
from ml.synthetic.ecg import SyntheticPerson
from tests.bundles import MEAN_BEAT, NETWORK_VECTOR_SIZE, STRIP_CONFIG, tiny_network


@pytest.fixture(scope="module")
def network() -> VectorNetwork:
    return VectorNetwork(StripPreparation(STRIP_CONFIG), tiny_network())


def strip(seconds: float, fs_hz: float = 250.0) -> np.ndarray:
    return SyntheticPerson.draw(3).record(seconds, fs_hz, seed=3)


def with_a_loose_electrode(ecg: np.ndarray, start_s: float, end_s: float) -> np.ndarray:
    loose = ecg.copy()
    loose[round(250 * start_s) : round(250 * end_s)] = 0.0
    return loose


class TestEncode:
    @pytest.mark.parametrize(
        ("seconds", "fs_hz"), [(3.0, 250.0), (3.0, 497.5), (10.0, 300.0), (120.0, 128.0)]
    )
    def test_gives_a_unit_vector_at_any_length_and_rate(self, network, seconds, fs_hz):
        encoding = network.encode(RawEcg(strip(seconds, fs_hz), fs_hz))

        assert encoding.vector.shape == (NETWORK_VECTOR_SIZE,)
        assert encoding.vector.dtype == np.float32
        assert np.linalg.norm(encoding.vector) == pytest.approx(1.0, abs=1e-6)

    @pytest.mark.parametrize(("seconds", "fs_hz"), [(3.0, 497.5), (10.0, 250.0), (120.0, 128.0)])
    def test_an_inverted_strip_gives_the_same_bits(self, network, seconds, fs_hz):
        ecg = strip(seconds, fs_hz)

        upright, inverted = (network.encode(RawEcg(sign * ecg, fs_hz)) for sign in (1, -1))

        np.testing.assert_array_equal(inverted.vector, upright.vector)

    def test_a_network_that_gives_nothing_is_a_failure_to_acquire(self, network):
        with pytest.raises(NoVectorError):
            network.finish(np.zeros((1, NETWORK_VECTOR_SIZE), dtype=np.float32))


class TestPrepare:
    @pytest.mark.parametrize(("seconds", "n_windows"), [(3.0, 2), (10.0, 6), (120.0, 32)])
    def test_longer_strips_give_more_windows_up_to_a_limit(self, network, seconds, n_windows):
        inputs = network.prepare(RawEcg(strip(seconds), 250.0)).inputs

        assert inputs["windows"].shape == (n_windows, 368)
        assert inputs["beat"].shape == (1, MEAN_BEAT.n_samples)
        assert {array.dtype for array in inputs.values()} == {np.dtype(np.float32)}

    def test_windows_avoid_what_is_not_accepted(self, network):
        ecg = with_a_loose_electrode(strip(20.0), 5.0, 10.0)

        prepared = network.prepare(RawEcg(ecg, 250.0))

        assert prepared.evidence.amount == 15.0
        assert prepared.inputs["windows"].shape == (8, 368)  # 2 before, 6 behind it.

    def test_a_strip_without_a_whole_beat_is_refused(self, network):
        ecg = condition(strip(3.0), 250.0)

        with pytest.raises(NoHeartbeatError):
            network.preparation.inputs(ecg.ecg, ecg.r_peaks[:0], ecg.accepted)

    def test_an_empty_strip_is_refused_as_one_without_heartbeat(self, network):
        with pytest.raises(NoHeartbeatError):
            network.preparation.inputs(
                np.empty(0, dtype=np.float32), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_)
            )


class TestLoading:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"windows": ("n", 367)},
            {"windows": (6, 368)},
            {"beat": (1, 87)},
            {"beat": ("n", MEAN_BEAT.n_samples)},
            {"names": ("strips", "beat", "vector")},
            {"names": ("windows", "beat", "embedding")},
            {"element_type": TensorProto.DOUBLE},
        ],
    )
    def test_a_network_that_reads_or_gives_something_else_is_refused_in_one_line(self, wrong):
        with pytest.raises(BundleError, match=r"^model\.onnx: expected the (in|out)puts .*; found .*$"):
            VectorNetwork(StripPreparation(STRIP_CONFIG), tiny_network(**wrong))
