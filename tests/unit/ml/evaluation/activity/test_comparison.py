import numpy as np
import pytest

from ml.evaluation.activity.comparison import (
    Contender,
    answerer,
    comparison_rows,
    contenders,
    kinds_of_features,
    rest_rows,
)
from ml.evaluation.activity.protocols import leave_one_person_out, table_examples
from ml.training.activity.examples import MotionFeatures
from ml.training.activity.inputs import N_BY_HAND
from tests.unit.ml.evaluation.activity.test_protocols import table


class Constant:
    """A classifier that is sure of one class; which one is its setting."""

    def __init__(self, favorite: int) -> None:
        self.favorite = favorite

    def fit(self, inputs: np.ndarray, classes: np.ndarray) -> "Constant":
        return self

    def predict_proba(self, inputs: np.ndarray) -> np.ndarray:
        found = np.full((len(inputs), 5), 0.05)
        found[:, self.favorite] = 0.8
        return found


class TestAnswerer:
    def test_the_setting_that_suits_people_left_out_is_chosen(self):
        some = table()
        chosen = some.activity != 2
        examples = table_examples(some, None).where(chosen | (some.start_s > 12.0))

        answer = answerer(Contender("constant", Constant, (2, 4)))
        _, choice = answer(examples, examples.inputs)

        assert choice["setting"] == 4.0


class TestComparisonRows:
    def test_one_row_per_kind_of_features(self):
        some = table(n_features=N_BY_HAND + 6)
        kinds = kinds_of_features(some, None)
        sure_of_one = Contender("constant", Constant, (2,))

        rows = comparison_rows(some, 3.0, kinds, [sure_of_one])

        assert [(row["features"], row["n_features"]) for row in rows] == [
            ("by hand and of the trunk, fused", 58),
            ("by hand and of the trunk, in one covariance", 58),
            ("by hand", 52),
            ("of the trunk", 6),
            ("by hand", 52),
        ]
        accuracies = [row["classes_5"]["accuracy"] for row in rows]
        assert min(accuracies[:3]) > 0.9
        assert accuracies[3:] == pytest.approx([0.2, 0.2], abs=0.12)


class TestKindsOfFeatures:
    def test_the_other_sensor_has_the_same_features(self):
        some = table(n_features=N_BY_HAND + 6)

        kinds = kinds_of_features(some, np.ones((3, N_BY_HAND + 6)))

        assert [one.other_sensor.shape[1] for one in kinds.values()] == [58, 58, 52, 6]
        assert [len(one.views) for one in kinds.values()] == [2, 0, 0, 0]


class TestRestRows:
    def test_evaluation_may_use_rest_with_another_electrode(self):
        some = table(n_features=N_BY_HAND + 6)
        rest = np.random.default_rng(0).standard_normal((4, 3, N_BY_HAND + 6))
        same_rest = np.repeat(rest[:, :1], 3, axis=1)

        differ, alike = (rest_rows(MotionFeatures({30.0: some}, r, ()), 30.0) for r in (rest, same_rest))

        assert len(differ) == 3 * 2 * 2
        assert [row["classes_5"]["nll"] for row in alike[:1]] == [alike[1]["classes_5"]["nll"]]
        losses = [row["classes_5"]["nll"] for row in differ]
        assert len(set(losses)) == len(losses)


class TestContenders:
    def test_each_learns_what_there_is_to_learn(self):
        pytest.importorskip("sklearn", reason="in the extra train only")
        some = table()

        for contender in contenders():
            examples = table_examples(some, None, some.features[:, :6])
            answers, _ = leave_one_person_out(some, examples, answerer(contender))
            assert answers.figures()["classes_5"]["accuracy"] > 0.4, contender.name
