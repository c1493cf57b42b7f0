import numpy as np

from ml.research.ablations.several_fingers import RATES, dependence, rules
from tests.fakes import fake_calibration

NULL = fake_calibration().null(3)


def test_fingers_that_agree_show_as_dependent() -> None:
    score_db = np.random.default_rng(1).standard_normal(1000)

    ((name, pearson, spearman, both),) = dependence(np.stack([score_db, score_db], axis=1), ["4", "5"])

    assert (name, pearson, spearman, both) == ("4 and 5", "1.00", "1.00", "10.0")


def test_sum_and_best_are_read_off_their_own_thresholds() -> None:
    high_db = NULL.convolve(NULL).threshold(RATES[0])
    one_high = np.array([[high_db, 0.0], [high_db, np.nan]])  # A missing finger leaves a pair uncounted.

    rows = list(rules(one_high, np.full((200, 2), NULL.threshold(0.5) - 30.0), NULL))

    assert [row[:2] for row in rows] == [[str(n), f"{rate:g}"] for n in (1, 2) for rate in RATES]
    assert rows[2][2:] == ["0.00", "0.00", "0.00", "0.00"]
