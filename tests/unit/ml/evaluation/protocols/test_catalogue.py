from collections import Counter
from pathlib import Path

import pytest

from ml.data.splits import cinc_split
from ml.evaluation.protocols.catalogue import PROTOCOLS
from ml.evaluation.trials.trials import Trials

pytestmark = pytest.mark.real_data


def build(name: str, data_dir: Path) -> list[Trials]:
    return PROTOCOLS[name].build(data_dir)


def keys(presentations: tuple, n: int = 1) -> list[str]:
    return [cut.key for presentation in presentations[:n] for cut in presentation.cuts]


class TestCinc:
    @pytest.mark.parametrize(("name", "part"), [("D1-dev", "dev"), ("D1", "test")])
    def test_every_person_of_the_part_is_enrolled_and_probed_once(
        self, name: str, part: str, data_dir: Path
    ) -> None:
        (trials,) = build(name, data_dir)

        assert [p.subject_id for p in trials.gallery] == sorted(cinc_split()[part])
        assert [p.presentation.subject_id for p in trials.probes] == sorted(cinc_split()[part])

    def test_first_and_last_pieces_do_not_overlap(self, data_dir: Path) -> None:
        (trials,) = build("D1-dev", data_dir)

        for enrolled, probe in zip(trials.gallery, trials.probes, strict=True):
            end_s = enrolled.cuts[0].end_s
            assert end_s is not None
            assert end_s <= probe.presentation.cuts[0].start_s + 1e-9
            assert end_s <= 10.0


class TestQtdb:
    def test_79_people_13_minutes_apart(self, data_dir: Path) -> None:
        long, short = build("D2", data_dir)

        assert len(long.gallery) == len(long.probes) == len(short.probes) == 79
        assert keys(long.gallery)[0].endswith("[0:60]")
        assert short.probes[0].presentation.cuts[0].key.endswith("[780:790]")


class TestEcgId:
    def test_same_day_has_89_people(self, data_dir: Path) -> None:
        variants = {trials.name: trials for trials in build("E2", data_dir)}

        assert {name: len(trials.probes) for name, trials in variants.items()} == {
            "20 s": 89,
            "first 5 s": 89,
            "first 3 s": 89,
            "every 5 s": 356,
            "20 s inverted": 89,
        }
        assert all(len(trials.gallery) == 89 for trials in variants.values())
        assert keys(variants["20 s"].gallery) == ["Person_01/rec_1[0:]"]
        assert variants["20 s"].probes[0].presentation.cuts[0].key == "Person_01/rec_2[0:]"

    def test_across_days_has_35_probes_of_20_people(self, data_dir: Path) -> None:
        (trials,) = build("E3", data_dir)

        people = Counter(probe.presentation.subject_id for probe in trials.probes)
        assert (len(trials.gallery), len(trials.probes), len(people)) == (90, 35, 20)

    def test_probes_come_from_a_later_day_than_anything_enrolled(self, data_dir: Path) -> None:
        for name in ("E3", "E3-multi"):
            (trials,) = build(name, data_dir)
            enrolled = {p.subject_id: [str(c.record.recorded_on) for c in p.cuts] for p in trials.gallery}
            for probe in trials.probes:
                day = str(probe.presentation.cuts[0].record.recorded_on)
                assert day > max(enrolled[probe.presentation.subject_id])

    def test_all_earlier_days_are_enrolled_in_one_request(self, data_dir: Path) -> None:
        (trials,) = build("E3-multi", data_dir)

        assert len(trials.gallery) == 90
        assert max(len(p.cuts) for p in trials.gallery) <= 24  # What one enroll request may hold.
        assert max(len(set(p.sessions)) for p in trials.gallery) > 1

    def test_day_pairs_never_compare_a_day_with_itself(self, data_dir: Path) -> None:
        (trials,) = build("E3b", data_dir)

        for probe in trials.probes:
            assert probe.own_enrollment is not None
            assert set(probe.own_enrollment.sessions).isdisjoint(probe.presentation.sessions)
        assert len({probe.presentation.subject_id for probe in trials.probes}) == 20


class TestMitBih:
    def test_45_people_with_30_probes_each(self, data_dir: Path) -> None:
        (trials,) = build("E11", data_dir)

        counts = Counter(probe.presentation.subject_id for probe in trials.probes)
        assert len(trials.gallery) == 45
        assert set(counts.values()) == {30}
        assert all(len(enrolled.cuts) == 5 for enrolled in trials.gallery)
        assert all(p.presentation.cuts[0].signal.size == 2500 for p in trials.probes)
