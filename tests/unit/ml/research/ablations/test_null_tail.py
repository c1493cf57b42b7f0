import numpy as np
import pytest

from ml.research.ablations.null_tail import METHODS, Fitted, count
from ml.runtime.evidence import SECONDS, EvidenceArray
from ml.training.calibration_fit import CohortScores
from tests.fakes import fake_calibration

FITTED = Fitted(fake_calibration(), evidence_class=3)
BEYOND = (1e-4, 1e-5, 2e-6)


@pytest.mark.parametrize("name", METHODS)
def test_every_continuation_rises_from_where_the_measured_curve_ends(name: str) -> None:
    thresholds_db = [METHODS[name](FITTED, rate) for rate in BEYOND]

    assert thresholds_db == sorted(thresholds_db)
    assert thresholds_db[0] >= FITTED.tail.start_db


def test_false_matches_are_counted_among_other_pairs_of_the_class() -> None:
    evidence = EvidenceArray(np.full(3, 15.0), SECONDS, np.full(3, 0.9))
    cosine = np.array([[0.99, 1.0, -1.0], [-1.0, 0.99, -1.0], [-1.0, -1.0, -1.0]])

    counted = count(FITTED, CohortScores(cosine, evidence, evidence))

    ships = list(METHODS).index("exponential, uncertain mean (ships)")
    assert counted.non_mated == 6
    assert counted.over_nominal[ships, 0] == pytest.approx(1 / 6 / 0.01)  # At 1 %.
    assert counted.found[ships, 0] == pytest.approx(2 / 3)
