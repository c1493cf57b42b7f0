from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from ml.data.records import EcgRecord
from ml.evaluation.protocols.motion import (
    MotionTrials,
    motion_figures,
    motion_rate,
    motion_trials,
    trials_of_records,
)
from ml.evaluation.trials.scoring import Scored
from ml.runtime.matching.gallery_null import GalleryNull
from tests.unit.ml.evaluation.trials.populations import Population, all_against_all, fitted_calibration

RATE_HZ = 497.5


def record(person: str, activity: str, electrode: str, *, gaps: tuple[int, ...] = ()) -> EcgRecord:
    return EcgRecord(
        record_id=f"{person}-{activity}-{electrode}",
        subject_id=person,
        fs_hz=RATE_HZ,
        signal=np.zeros(round(31.0 * RATE_HZ), dtype=np.float32),
        labels={"activity": activity, "electrode": electrode, "gap_samples": np.array(gaps, dtype=np.int64)},
    )


def by_name(found: list[MotionTrials]) -> dict[str, MotionTrials]:
    return {one.trials.name: one for one in found}


class TestTrialsOfRecords:
    def test_rest_is_enrolled_whole_and_only_movement_probes(self) -> None:
        records = [record(p, a, e) for p in "ab" for a in ("rest", "walk") for e in ("x", "y")]

        found = by_name(trials_of_records(records))["same electrode, x"]

        assert [p.cuts[0].key for p in found.trials.gallery] == ["a-rest-x[0:]", "b-rest-x[0:]"]
        assert {probe.presentation.cuts[0].record.record_id for probe in found.trials.probes} == {
            "a-walk-x",
            "b-walk-x",
        }
        assert found.activities == ("walk",) * 6

    def test_cross_probes_wear_another_electrode(self) -> None:
        records = [record(p, a, e) for p in "ab" for a in ("rest", "walk") for e in ("x", "y", "z")]

        found = by_name(trials_of_records(records))["cross electrode, x"]

        worn = {probe.presentation.cuts[0].record.labels["electrode"] for probe in found.trials.probes}
        assert worn == {"y", "z"}

    def test_ten_seconds_are_counted_at_the_measured_rate(self) -> None:
        records = [record("a", "rest", "x"), record("a", "walk", "x")]

        probes = trials_of_records(records)[0].trials.probes

        assert [probe.presentation.cuts[0].signal.size for probe in probes] == [4975] * 3

    def test_a_piece_across_lost_data_is_left_out(self) -> None:
        records = [record("a", "rest", "x"), record("a", "walk", "x", gaps=(6000,))]

        probes = trials_of_records(records)[0].trials.probes

        assert [probe.presentation.cuts[0].start_s for probe in probes] == [0.0, 20.0]


class TestMotionRate:
    def test_equals_loops_over_people_then_activities(self) -> None:
        rng = np.random.default_rng(5)
        people, activities = rng.integers(0, 4, 200), rng.choice(["run", "walk", "squat"], 200)
        hits = rng.random(200) < 0.6

        found = motion_rate(hits, people, activities)

        means = []
        for activity in ("run", "squat", "walk"):
            shares = [hits[(people == p) & (activities == activity)].mean() for p in range(4)]
            means.append(np.mean(shares))
        assert found.value == pytest.approx(np.mean(means))
        assert list(found.by_activity.values()) == pytest.approx(means)
        assert found.interval.low <= found.value <= found.interval.high

    def test_a_person_with_many_probes_weighs_no_more(self) -> None:
        people = np.array([0] * 9 + [1])
        hits = np.array([True] * 9 + [False])

        assert motion_rate(hits, people, np.array(["run"] * 10)).value == 0.5


class TestMotionFigures:
    def test_galleries_are_pooled_and_failures_counted(self) -> None:
        people = Population(10, seed=31)
        gallery = people.templates(60.0)
        galleries = [
            (
                Scored(all_against_all(probes, gallery), fitted_calibration(), GalleryNull.identity()),
                ["run"] * 10,
            )
            for probes in (people.templates(10.0), people.templates(10.0, failed=(3,)))
        ]

        found = motion_figures("same electrode", galleries)

        assert (found.people, found.galleries, found.probes, found.failures) == (10, 2, 20, 1)
        assert found.rank_1_errors >= 1
        assert found.rank_1.value == pytest.approx(1.0 - found.rank_1_errors / 20)
        assert found.false_matches[0][1] == 10 * 9 + 9 * 9
        assert found.fnmr[1].value >= found.fnmr[0].value >= 0.05


@pytest.mark.real_data
class TestMotionSet:
    def test_ten_people_three_galleries_and_four_activities(self, data_dir: Path) -> None:
        found = motion_trials(data_dir)

        assert Counter(one.pairing for one in found) == {"same electrode": 3, "cross electrode": 3}
        for one in found:
            assert len(one.trials.gallery) == 10
            assert set(one.activities) == {"arm_movements", "run_8kmh", "squats", "walk_4kmh"}
        same = sum(len(one.trials.probes) for one in found if one.pairing == "same electrode")
        cross = sum(len(one.trials.probes) for one in found if one.pairing == "cross electrode")
        assert cross == 2 * same
        assert 700 <= same <= 720
