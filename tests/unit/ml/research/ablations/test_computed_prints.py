import numpy as np

from ml.evaluation.fingerprint.protocols import SetScores
from ml.research.ablations.computed_prints import Found, log_odds, row


def test_a_row_counts_refused_prints_as_misses_and_undoes_the_squashing() -> None:
    scores = SetScores(
        mated=np.array([-np.inf, np.tanh(1.0), np.tanh(1.0), np.tanh(1.0)]),
        mated_person=np.zeros(4, dtype=np.int64),
        non_mated=np.full(1000, np.tanh(-0.5)),
        non_mated_people=np.zeros((2, 1000), dtype=np.int64),
        pictures=5,
        refused=1,
    )

    cells = row("set", Found(np.full(4, 0.2), np.full(4, 9.0), scores), scale=20.0)

    assert cells[1:4] == ["1 of 5", "0.200 0.200 0.200", "9.0 9.0 9.0"]
    assert cells[4:6] == ["20.0 20.0 20.0 20.0", "-10.00 -10.00 -10.00 -10.00"]
    assert cells[-2:] == ["25.0", "25.0"]
    np.testing.assert_allclose(log_odds(np.array([-np.inf, 0.0]), 20.0), [0.0])
