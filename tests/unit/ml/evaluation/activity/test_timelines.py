from dataclasses import replace

import numpy as np
import pytest

from ml.data.motion import ACTIVITIES, ELECTRODES
from ml.evaluation.activity.timelines import (
    Chaining,
    JoinedStrip,
    TimelineBench,
    best_chaining,
    joined_strips,
    timeline_answers,
    timeline_row,
)
from ml.runtime.ecg.signal.conditioning import examine
from ml.training.activity.examples import MotionFeatures
from ml.training.activity.inputs import N_BY_HAND
from tests.moving import FS_HZ, made_up_trunk, moving_features, moving_records

PEOPLE = ("p0", "p1", "p2")


@pytest.fixture(scope="module")
def strips() -> list[JoinedStrip]:
    return joined_strips(moving_records(3, seconds=32.0), PEOPLE, (10.0, 6.0), made_up_trunk())


@pytest.fixture(scope="module")
def features() -> MotionFeatures:
    return moving_features(3)


class TestJoinedStrips:
    def test_each_person_and_electrode_does_everything_once(self, strips):
        assert [(s.person, s.electrode) for s in strips] == [(p, e) for p in range(3) for e in range(3)]
        for strip in strips:
            changes = np.flatnonzero(np.diff(strip.truth)) + 1
            assert sorted(strip.truth[np.append(0, changes)]) == list(range(len(ACTIVITIES)))

    def test_the_resting_baseline_is_left_out(self, strips):
        for strip in strips:
            assert (strip.truth == 0).sum() == pytest.approx(2, abs=1)
            assert (strip.truth == 3).sum() == pytest.approx(32 / 6, abs=1)

    def test_each_segment_is_read_by_the_trunk_where_it_is(self):
        records = [one for one in moving_records(1, seconds=24.0) if one.electrode == ELECTRODES[0]]
        only = [one for one in records if one.activity == "walk_4kmh"]
        whole = examine(only[0].stretches[0].signal - np.median(only[0].stretches[0].signal), FS_HZ)
        strips = joined_strips(
            [replace(one, electrode=kind) for one in only for kind in ELECTRODES],
            ("p0",),
            (10.0, 6.0),
            made_up_trunk(),
        )

        expected = made_up_trunk().features(whole, np.array([0.0, 4.0, 10.0, 14.0]), 10.0)

        np.testing.assert_allclose(strips[0].features[:, N_BY_HAND:], expected, rtol=1e-5)
        assert np.abs(np.diff(expected, axis=0)).max() > 0.01

    def test_the_order_is_drawn(self, strips):
        assert len({tuple(strip.truth.tolist()) for strip in strips}) > len(ELECTRODES)


def overconfident(n_segments: int = 40) -> tuple[JoinedStrip, np.ndarray]:
    """A strip of rest whose logits speak for walking a third of the time, in a row."""
    truth = np.zeros(n_segments, dtype=np.int64)
    logits = np.zeros((n_segments, len(ACTIVITIES)))
    logits[:, 0] = 3.0
    logits[: n_segments // 3] = [0.0, 0.0, 3.0, 0.0, 0.0]
    return JoinedStrip(np.zeros((n_segments, 1)), np.zeros(n_segments, bool), truth, 0, 0), logits


class TestBestChaining:
    def test_errors_that_last_make_probabilities_less_certain(self):
        strip, logits = overconfident()
        right = np.where(np.arange(len(ACTIVITIES)) == 0, 3.0, 0.0) * np.ones((40, 1))

        found, of_right = (best_chaining([strip], [rows], 0.95) for rows in (logits, right))

        assert found.temperature / found.weight > of_right.temperature / of_right.weight

    def test_looking_ahead_or_not_each_gets_its_own(self):
        strip, logits = overconfident()

        both_ways = best_chaining([strip], [logits], 0.95)
        forward = best_chaining([strip], [logits], 0.95, forward_only=True)

        assert forward != both_ways


class TestTimelineAnswers:
    def test_unreadable_segments_do_not_affect_their_neighbors(self):
        strip, logits = overconfident()
        strip.mute[:13] = True

        answers = timeline_answers([strip], [logits], Chaining(0.95, 1.0))

        assert answers.mute.sum() == 13
        assert (answers.logits.argmax(axis=1) == 0).all()


class TestTimelineRow:
    @pytest.mark.parametrize("own_rest", [False, True])
    def test_made_up_people_are_followed(self, strips, features, own_rest):
        bench = TimelineBench(features, 10.0, 6.0, strips, own_rest)

        row = timeline_row(bench)

        assert row["smoothed"]["classes_3"]["accuracy"] > 0.7
        assert row["smoothed"]["classes_3"]["accuracy"] >= row["forward_only"]["classes_3"]["accuracy"] - 0.1
        assert [set(choice["forward_only"]) for choice in row["choices"]] == [{"weight", "temperature"}] * 3
