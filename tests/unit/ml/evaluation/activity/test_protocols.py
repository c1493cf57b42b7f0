import numpy as np
import pytest

from ml.evaluation.activity.protocols import (
    Answers,
    a3_rows,
    leave_one_person_out,
    strips_of_people_left_out,
    table_examples,
    whole_strips,
)
from ml.runtime.ecg.activity.features import FEATURE_NAMES
from ml.training.activity.examples import FeatureTable, MotionFeatures
from ml.training.activity.fitting import Examples
from ml.training.activity.inputs import N_BY_HAND

N_PEOPLE, N_WINDOWS = 4, 8


def table(seed: int = 0, n_features: int = len(FEATURE_NAMES)) -> FeatureTable:
    """Eight windows of each of five activities of four people; the first five features tell the activity."""
    random = np.random.default_rng(seed)
    shape = (N_PEOPLE, 5, N_WINDOWS)
    person, activity, window = (index.ravel() for index in np.indices(shape))
    features = random.standard_normal((person.size, n_features))
    features[np.arange(person.size), activity] += 4.0
    return FeatureTable(
        features=features,
        mute=np.zeros(person.size, bool),
        person=person,
        activity=activity,
        electrode=np.zeros_like(person),
        record=5 * person + activity,
        start_s=3.0 * window,
    )


def features(some: FeatureTable) -> MotionFeatures:
    rest = np.zeros((N_PEOPLE, 3, len(FEATURE_NAMES)))
    return MotionFeatures({30.0: some}, rest, ("a", "b", "c", "d"))


class TestAnswers:
    def test_an_unreadable_window_is_an_error_without_probability(self):
        logits = np.eye(5)[[0, 1, 2]] * 50.0
        answers = Answers(logits, np.array([0, 1, 2]), np.array([0, 1, 2]), np.array([False, False, True]))

        found = answers.figures()

        assert found["classes_5"]["accuracy"] == pytest.approx(2 / 3)
        assert found["classes_5"]["confusion"][2] == [0, 0, 0, 0, 0, 1]
        assert found["classes_5"]["ece"] == pytest.approx(0.0)
        assert found["mute"] == 1

    def test_walking_called_arm_movements_is_right_with_three_classes(self):
        answers = Answers(np.eye(5)[[1]] * 9.0, np.array([2]), np.array([0]), np.array([False]))

        found = answers.figures()

        assert found["classes_5"]["accuracy"] == 0.0
        assert found["classes_3"]["accuracy"] == 1.0


class TestTableExamples:
    def test_windows_of_the_baseline_are_not_evaluated(self):
        some = table()
        rest = np.zeros_like(some.features)

        evaluated = table_examples(some, rest).evaluated

        assert not evaluated[(some.activity == 0) & (some.start_s < 20.0)].any()
        assert evaluated[(some.activity == 0) & (some.start_s >= 20.0)].all()
        assert table_examples(some, None).evaluated.all()

    def test_a_sensor_teaches_nothing_of_differences_to_rest(self):
        some = table(n_features=N_BY_HAND + 6)
        other_sensor = np.ones((3, N_BY_HAND + 6))

        without, with_rest = (
            table_examples(some, rest, other_sensor=other_sensor)
            for rest in (None, np.zeros_like(some.features))
        )

        assert without.other_sensor is not None
        assert with_rest.other_sensor is not None
        assert (without.other_sensor.shape[1], with_rest.other_sensor.shape[1]) == (N_BY_HAND + 6, N_BY_HAND)
        assert with_rest.seen(with_rest.views[1]).other_sensor is None


class TestLeaveOnePersonOut:
    def test_each_person_is_predicted_by_a_head_fitted_to_the_others(self):
        some = table()
        met: list[tuple[set[int], int]] = []

        def spy(known: Examples, evaluated: np.ndarray) -> tuple[np.ndarray, dict[str, float]]:
            met.append((set(known.people.tolist()), len(evaluated)))
            return np.zeros((len(evaluated), 5)), {}

        leave_one_person_out(some, table_examples(some, None), spy)

        assert met == [(set(range(N_PEOPLE)) - {person}, 5 * N_WINDOWS) for person in range(N_PEOPLE)]

    def test_windows_of_known_activities_are_recognized(self):
        some = table()

        answers, choices = leave_one_person_out(some, table_examples(some, None))

        assert answers.figures()["classes_5"]["accuracy"] > 0.9
        assert len(choices) == N_PEOPLE


class TestWholeStrips:
    def test_a_strip_combines_its_readable_windows(self):
        some = table()
        some.mute[:3] = True
        logits = np.random.default_rng(1).standard_normal((some.person.size, 5))

        strips = whole_strips(some, 10.0, logits, some.start_s >= 6.0).answers(0.5)

        # Windows of 10 s every 3 s: five hold 22 s together, six 25 s.
        np.testing.assert_allclose(strips.logits[0], logits[3:8].mean(axis=0) * 2.2 / 1.6)
        np.testing.assert_allclose(strips.logits[1], logits[10:16].mean(axis=0) * 2.5 / 1.75)
        assert strips.truth.tolist() == [0, 1, 2, 3, 4] * N_PEOPLE

    def test_a_strip_of_unreadable_windows_is_unreadable(self):
        some = table()
        some.mute[:8] = True

        strips = whole_strips(some, 10.0, np.ones((some.person.size, 5)), some.start_s >= 0.0)

        assert strips.answers(0.5).mute.tolist() == [True] + [False] * 19
        assert 0.0 <= strips.correlation() <= 5.0


class TestStripsOfPeopleLeftOut:
    def test_nothing_is_chosen_on_the_held_out_persons_strips(self):
        before, choices = strips_of_people_left_out(features(table()), 30.0, own_rest=False)
        changed = table()
        mine = (changed.person == 2) & (changed.activity > 0)
        changed.activity[mine] = 1 + changed.activity[mine] % 4

        after, changed_choices = strips_of_people_left_out(features(changed), 30.0, own_rest=False)

        np.testing.assert_array_equal(before.logits[before.person == 2], after.logits[after.person == 2])
        assert choices[2] == changed_choices[2]
        assert choices[1] != changed_choices[1]


class TestA3Rows:
    def test_measures_windows_and_strips_with_and_without_a_baseline(self):
        rows = a3_rows(features(table()))

        assert [(row["own_rest"], row["windows"]) for row in rows] == [
            (False, 160),
            (False, 160 - 4 * 7),
            (False, 20),
            (True, 160 - 4 * 7),
            (True, 20),
        ]
        assert all(row["classes_3"]["accuracy_interval"] is not None for row in rows)
        assert all(0.0 < row["classes_5"]["ece_if_true"] < 0.2 for row in rows)
