"""The protocols of DESIGN §9 that compare vectors: the trials behind each name."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Literal

from ml.data.readers import EcgRecord, read_cinc2017, read_ecg_id, read_mit_bih, read_ptb, read_qtdb
from ml.data.records import DataError
from ml.data.splits import cinc_split
from ml.evaluation.protocols.faces import ar_sessions, orl_first_against_others, yale_normal_against_others
from ml.evaluation.trials.trials import Cut, Presentation, Probe, Trials, trials_of

E11_LEFT_OUT = frozenset({"102", "104", "202"})
"""102 and 104 have another lead; 202 is the man of 201."""
_D1_SECONDS = 10.0
_LONGEST_RECORDING_S = 120.0  # Limit of one recording in a request (DESIGN §5).


@dataclass(frozen=True)
class Protocol:
    """A named set of trials.

    Args:
        name: As in DESIGN §9.
        summary: One line for the report.
        development: Whether the figures may be used to choose anything.
        build: Data folder → variants.
        modality: Whose captures it compares.
    """

    name: str
    summary: str
    development: bool
    build: Callable[[Path], list[Trials]]
    modality: str = "ecg"


def cinc_first_against_last(data: Path, part: Literal["dev", "test"]) -> list[Trials]:
    """First against last min(10 s, half the record), one recording per person."""
    records = {
        record.subject_id: record
        for record in read_cinc2017(data / "ecg" / "cinc2017_af", subjects=set(cinc_split()[part]))
    }
    gallery, probes = [], []
    for _, record in sorted(records.items()):
        length_s = min(_D1_SECONDS, record.duration_s / 2.0)
        gallery.append(Presentation.of(Cut(record, 0.0, length_s)))
        probes.append(Presentation.of(Cut(record, record.duration_s - length_s)))
    return [trials_of("first → last", gallery, probes)]


def qtdb_long_lag(data: Path) -> list[Trials]:
    """Minute 0–1 enrolled; minute 13–14, or its first 10 s, as probe."""
    records = [r for r in read_qtdb(data / "ecg" / "qtdb") if r.labels["distinct_person"]]
    gallery = [Presentation.of(Cut(record, 0.0, 60.0)) for record in records]
    return [
        trials_of(
            f"probe {seconds:g} s",
            gallery,
            [Presentation.of(Cut(record, 780.0, 780.0 + seconds)) for record in records],
        )
        for seconds in (60.0, 10.0)
    ]


def ecg_id_same_day(data: Path) -> list[Trials]:
    """rec_1 enrolled, rec_2 as probe: whole, first 5 s, first 3 s, every 5 s, and whole but inverted."""
    people = _people(_ecg_id(data))
    both = [records for records in people.values() if len(records) >= 2]
    gallery = [Presentation.of(Cut(records[0])) for records in both]
    probes: dict[str, list[Cut]] = {
        "20 s": [Cut(records[1]) for records in both],
        "first 5 s": [Cut(records[1], 0.0, 5.0) for records in both],
        "first 3 s": [Cut(records[1], 0.0, 3.0) for records in both],
        "every 5 s": [Cut(records[1], s, s + 5.0) for records in both for s in (0.0, 5.0, 10.0, 15.0)],
        "20 s inverted": [Cut(records[1], inverted=True) for records in both],
    }
    return [trials_of(name, gallery, [Presentation.of(c) for c in cuts]) for name, cuts in probes.items()]


def ecg_id_across_days(data: Path) -> list[Trials]:
    """rec_1 of all people enrolled; every recording of the last day of people with several days."""
    people = _people(_ecg_id(data))
    gallery = [Presentation.of(Cut(records[0])) for records in people.values()]
    return [trials_of("rec_1 → last day", gallery, _last_day_probes(people))]


def ecg_id_earlier_days(data: Path) -> list[Trials]:
    """All earlier days enrolled in one request (others: rec_1); every recording of the last day as probe."""
    people = _people(_ecg_id(data))
    gallery = []
    for records in people.values():
        earlier = [r for days in list(_days(records).values())[:-1] for r in days]
        gallery.append(Presentation.of(*(Cut(record) for record in earlier or records[:1])))
    return [trials_of("earlier days → last day", gallery, _last_day_probes(people))]


def ecg_id_day_pairs(data: Path) -> list[Trials]:
    """Every day enrolled against every other day of the same person; the others are enrolled with rec_1."""
    people = _people(_ecg_id(data))
    gallery = tuple(Presentation.of(Cut(records[0])) for records in people.values())
    probes = [
        Probe(Presentation.of(Cut(record)), own_enrollment=Presentation.of(*(Cut(r) for r in enrolled)))
        for records in people.values()
        for enrolled, presented in permutations(_days(records).values(), 2)
        for record in presented
    ]
    return [Trials("day → other day", gallery, tuple(probes))]


def mit_bih_half_hour(data: Path) -> list[Trials]:
    """Five minutes enrolled as five recordings; 10-s probes of minutes 25–30."""
    records = [r for r in read_mit_bih(data / "ecg" / "mit_bih") if r.record_id not in E11_LEFT_OUT]
    gallery = [Presentation.of(*(Cut(r, 60.0 * m, 60.0 * (m + 1)) for m in range(5))) for r in records]
    probes = [
        Presentation.of(Cut(record, 1500.0 + 10.0 * k, 1510.0 + 10.0 * k))
        for record in records
        for k in range(30)
    ]
    return [trials_of("minutes 0–5 → 10 s of 25–30", gallery, probes)]


def ptb_multi_record(data: Path) -> list[Trials]:
    """Lead I of people with several records: the first enrolled, every later one as probe, whole and 10 s.

    Raises:
        DataError: PTB is missing, or holds no person with two records.
    """
    people = _people(read_ptb(data / "ecg" / "ptb", lead="i"))
    several = [
        sorted(r, key=lambda r: (str(r.recorded_on), r.record_id)) for r in people.values() if len(r) > 1
    ]
    if not several:
        raise DataError(f"{data / 'ecg' / 'ptb'}: expected people with several records, found none")
    gallery = [Presentation.of(Cut(records[0], 0.0, _LONGEST_RECORDING_S)) for records in several]
    return [
        trials_of(
            f"first record → later ones, {name}",
            gallery,
            [Presentation.of(Cut(r, 0.0, seconds)) for records in several for r in records[1:]],
        )
        for name, seconds in (("whole", _LONGEST_RECORDING_S), ("first 10 s", 10.0))
    ]


def _ecg_id(data: Path) -> list[EcgRecord]:
    return read_ecg_id(data / "ecg" / "ecg_id")


def _people(records: Sequence[EcgRecord]) -> Mapping[str, list[EcgRecord]]:
    people: defaultdict[str, list[EcgRecord]] = defaultdict(list)
    for record in records:
        people[record.subject_id].append(record)
    return people


def _days(records: Sequence[EcgRecord]) -> Mapping[str, list[EcgRecord]]:
    days: defaultdict[str, list[EcgRecord]] = defaultdict(list)
    for record in sorted(records, key=lambda r: str(r.recorded_on)):
        days[str(record.recorded_on)].append(record)
    return days


def _last_day_probes(people: Mapping[str, Sequence[EcgRecord]]) -> list[Presentation]:
    return [
        Presentation.of(Cut(record))
        for records in people.values()
        if len(_days(records)) > 1
        for record in list(_days(records).values())[-1]
    ]


PROTOCOLS: Mapping[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "D1-dev",
            "CinC 2017 dev people, first against last min(10 s, half the record)",
            True,
            lambda data: cinc_first_against_last(data, "dev"),
        ),
        Protocol(
            "D1",
            "CinC 2017 test people, first against last min(10 s, half the record)",
            False,
            lambda data: cinc_first_against_last(data, "test"),
        ),
        Protocol("D2", "QTDB, minute 0–1 → 13–14, 79 people", True, qtdb_long_lag),
        Protocol("E2", "ECG-ID, rec_1 → rec_2, same day, 89 people", False, ecg_id_same_day),
        Protocol("E3", "ECG-ID across days, rec_1 of all 90 enrolled", False, ecg_id_across_days),
        Protocol("E3-multi", "ECG-ID across days, all earlier days enrolled", False, ecg_id_earlier_days),
        Protocol("E3b", "ECG-ID, every day against every other day", False, ecg_id_day_pairs),
        Protocol("E4", "PTB diagnostic, lead I, first record → later records", False, ptb_multi_record),
        Protocol("E11", "MIT-BIH, 45 people, 20 minutes apart", False, mit_bih_half_hour),
        Protocol(
            "F-dev",
            "Yale, normal → ten other conditions, 15 people",
            True,
            yale_normal_against_others,
            "face",
        ),
        Protocol(
            "F-cal",
            "AR, 41 calibration people, picture 1 → second session; the calibration was fitted to them",
            True,
            lambda data: ar_sessions(data, "calibration"),
            "face",
        ),
        Protocol(
            "F3", "ORL, 20 test people, picture 1 → the others", False, orl_first_against_others, "face"
        ),
        Protocol("F4", "AR, 58 test people, picture 1 → second session", False, ar_sessions, "face"),
    )
}
