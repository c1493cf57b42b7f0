import numpy as np
import pytest

from ml.evaluation.activity.protocols import table_examples
from ml.research.ablations.activity_fusion import Person, fitted_shares, people, row
from ml.runtime.ecg.activity.head import contaminated
from ml.training.activity.inputs import N_BY_HAND
from tests.unit.ml.evaluation.activity.test_protocols import N_PEOPLE, table


def predicted(right: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Log probabilities of windows, so often right about their classes."""
    random = np.random.default_rng(seed)
    classes = np.arange(500) % 5
    called = np.where(random.random(500) < right, classes, random.integers(0, 5, 500))
    return contaminated(6.0 * np.eye(5)[called], 0.2), classes


class TestFittedShares:
    def test_the_view_that_is_right_more_often_counts_more(self):
        (good, classes), (poor, _) = predicted(0.9, 1), predicted(0.3, 2)

        shares = fitted_shares([good, poor], classes)

        assert shares[0] > 2.0 * shares[1]


class TestPeople:
    def test_nobody_is_own_by_who_met_them(self):
        some = table(n_features=N_BY_HAND + 6)
        before = people(table_examples(some, None))[1]
        changed = table(n_features=N_BY_HAND + 6)
        changed.features[changed.person == 1] += 7.0

        after = people(table_examples(changed, None))[1]

        for one, other in zip(before.within, after.within, strict=True):
            np.testing.assert_array_equal(one, other)
        assert len(before.within) == 2
        assert before.rows.sum() == some.person.size / N_PEOPLE


class TestRow:
    def test_each_way_gives_its_own_share(self):
        some = table()
        own = some.person == 0
        (good, classes), (poor, _) = predicted(0.9, 1), predicted(0.3, 2)
        person = Person([good, poor], classes, [np.zeros((own.sum(), 5))] * 2, own)

        rows = [row(name, some, [person], own) for name in ("0", "0.4", "1", "fitted for each head")]

        assert [one["mean_share"] for one in rows[:3]] == [0.0, 0.4, 1.0]
        assert 0.0 < rows[3]["mean_share"] < 0.4
        assert rows[0]["loss_within"] < rows[2]["loss_within"]
        assert all(one["a3_loss"] == pytest.approx(np.log(5), abs=1e-3) for one in rows)
