import numpy as np
import pytest

from ml.data.records import EcgRecord
from ml.export.beat_network import beat_lda_network
from ml.runtime.ecg.beat_preparation import BeatPreparation
from ml.runtime.ecg.raw_ecg import RawEcg
from ml.runtime.ecg.strip_preparation import StripPreparation
from ml.runtime.evidence import SECONDS, EvidenceArray
from ml.runtime.vector_network import VectorNetwork
from ml.synthetic.ecg import SyntheticPerson
from ml.training.calibrate import Cohort, calibrate, encode_cohort, first_and_last
from ml.training.strips import RawStrip, condition_strips
from tests.bundles import MEAN_BEAT, STRIP_CONFIG, fitted_lda, tiny_network


def record(n_samples: int) -> EcgRecord:
    return EcgRecord("r", "s", 250.0, np.arange(n_samples, dtype=np.float32), "I")


def cohort(seconds: float, people: int = 60, failures: int = 3) -> Cohort:
    """Vectors around personal directions; the first `failures` people could not be acquired."""
    rng = np.random.default_rng(round(seconds))
    personal = np.random.default_rng(0).standard_normal((people, 12))
    vectors = personal + 2.0 / np.sqrt(seconds) * rng.standard_normal((2, people, 12))
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    vectors[1, :failures] = np.nan
    subjects = tuple(f"p{n:02d}" for n in range(people))
    sides = EvidenceArray(np.full((2, people), seconds), SECONDS, np.full((2, people), 0.8))
    return Cohort(seconds, subjects, vectors.astype(np.float32), sides)


@pytest.fixture(scope="module", params=["mean beat", "network"])
def network(request):
    if request.param == "network":
        return VectorNetwork(StripPreparation(STRIP_CONFIG), tiny_network())
    return VectorNetwork(BeatPreparation(MEAN_BEAT), beat_lda_network(fitted_lda()))


@pytest.fixture(scope="module")
def result():
    return calibrate([cohort(3.0), cohort(5.0), cohort(10.0), cohort(15.0)])


class TestFirstAndLast:
    def test_gives_both_ends(self):
        first, last = first_and_last(record(5000), 3.0)

        assert (first.part, first.signal[0], first.signal[-1]) == (0, 0, 749)
        assert (last.part, last.signal[0], last.signal[-1]) == (1, 4250, 4999)

    def test_ends_never_overlap(self):
        first, last = first_and_last(record(2001), 10.0)

        assert first.signal[-1] < last.signal[0]
        assert first.signal.size == last.signal.size == 1000


class TestEncodeCohort:
    def test_failures_are_nan_and_counted(self, network, tmp_path):
        ecg = SyntheticPerson.draw(1).record(duration_s=8.0, fs_hz=250.0, seed=1)
        raw = [RawStrip("a", 0, 250.0, ecg), RawStrip("a", 1, 250.0, ecg)]
        raw += [RawStrip("b", 0, 250.0, ecg), RawStrip("b", 1, 250.0, np.zeros(2000))]

        found = encode_cohort(condition_strips(raw, tmp_path / "set"), network, 8.0)

        assert found.failures == 1
        assert np.isnan(found.vectors[1, 1]).all()
        assert found.vectors[0, 0] @ found.vectors[1, 0] == pytest.approx(1.0, abs=1e-5)

    def test_vectors_are_those_of_the_service_to_the_bit(self, network, tmp_path):
        ecg = SyntheticPerson.draw(1).record(duration_s=20.0, fs_hz=300.0, seed=1)
        ecg[:1500] = 0.0
        raw = [RawStrip("a", part, 300.0, strip) for part, strip in enumerate((ecg, ecg[1500:]))]

        found = encode_cohort(condition_strips(raw, tmp_path / "set"), network, 20.0)

        served = [network.encode(RawEcg(strip.signal, 300.0)) for strip in raw]
        np.testing.assert_array_equal(found.vectors[:, 0], np.stack([e.vector for e in served]))
        assert found.evidence.amount[:, 0].tolist() == [e.evidence.amount for e in served]

    def test_unpaired_strips_are_refused(self, network, tmp_path):
        strips = condition_strips([RawStrip(n, 0, 250.0, np.zeros(2000)) for n in "ab"], tmp_path / "set")

        with pytest.raises(ValueError, match="pairs"):
            encode_cohort(strips, network, 8.0)


class TestCalibrate:
    def test_counts_people_and_unordered_pairs(self, result):
        assert (result[1]["people"], result[1]["non_mated_pairs"]) == (60, 60 * 59 // 2)

    def test_says_what_the_mated_scores_were(self, result):
        assert result[1]["mated_scores"].startswith("same recording")

    def test_failures_to_acquire_count_as_non_matches(self, result):
        for point in result[2]:
            assert point["failures_to_acquire"] == 3
            assert point["non_matches"] >= 3
            assert point["mated"] == 60

    def test_interval_holds_the_rate(self, result):
        for point in result[2]:
            low, high = point["fnmr_interval_95"]
            assert low <= point["fnmr"] <= high

    def test_measured_fmr_keeps_to_the_policy_within_the_noise(self, result):
        at_one_percent = [p["measured_fmr"] for p in result[2] if p["fmr"] == 0.01]

        assert max(at_one_percent) < 0.03
