import numpy as np
import pytest

from ml.runtime.ecg.activity.whole_strips import StripEvidence, strip_evidence
from ml.training.activity.strip_fitting import fit_correlation


class TestStripEvidence:
    def test_windows_that_overlap_count_for_the_seconds_they_hold_together(self):
        logits = np.array([[1.0, 0.0], [3.0, 0.0], [5.0, 3.0]])

        found = strip_evidence(logits, np.array([0.0, 4.0, 20.0]), 10.0)

        assert found.logits.tolist() == [3.0, 1.0]
        assert found.n_windows == pytest.approx(2.4)

    def test_one_window_is_taken_at_its_word(self):
        found = strip_evidence(np.array([[1.0, 2.0]]), np.array([7.0]), 30.0)

        assert found.combined(0.0).tolist() == found.combined(0.9).tolist() == [1.0, 2.0]

    def test_correlation_is_between_adding_up_and_one_window(self):
        evidence = StripEvidence(np.array([2.0, 0.0]), 4.0)

        assert evidence.combined(0.0).tolist() == [8.0, 0.0]
        assert evidence.combined(1.0).tolist() == [2.0, 0.0]
        assert evidence.combined(0.5)[0] == pytest.approx(2.0 * 4.0 / 2.5)


def strips(own: float, shared: float, n_windows: int = 6) -> tuple[list[StripEvidence], np.ndarray]:
    """Two classes; the evidence of a window is normal about ±1, with variance 2 of which some is shared."""
    random = np.random.default_rng(0)
    classes = random.integers(0, 2, 4000)
    errors = np.sqrt(own / n_windows) * random.standard_normal(4000) + np.sqrt(
        shared
    ) * random.standard_normal(4000)
    # Of variance 2 and mean ±1, a number is the logarithm of the odds that it was drawn with.
    means = np.where(classes == 1, 1.0, -1.0) + errors
    return [StripEvidence(np.array([0.0, x]), float(n_windows)) for x in means], classes


class TestFitCorrelation:
    @pytest.mark.parametrize("correlation", [0.0, 0.25, 0.75, 1.0])
    def test_finds_what_windows_share(self, correlation):
        found = fit_correlation(*strips(own=2.0 * (1.0 - correlation), shared=2.0 * correlation))

        assert found == pytest.approx(correlation, abs=0.1)

    def test_no_strips_teach_nothing(self):
        with pytest.raises(ValueError, match="at least one strip"):
            fit_correlation([], np.array([], dtype=np.int64))
