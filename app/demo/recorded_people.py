"""Real people, of a folder of ECG recordings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.demo.people import MAX_PEOPLE, Cast, Person, divided
from app.demo.recordings import LONGEST_STRIP_S, Strip
from app.demo.server import DemoError
from ml.data.readers import DataError, EcgRecord, read_folder

LEADS = {"I": "I", "ECG I": "I", "II": "II", "MLII": "MLII", "V5": "V5"}


def recorded_cast(folder: Path) -> Cast:
    """The people of a data set: enrolled by their first recording, recognized by their second.

    Where nobody has two recordings, the two ends of one serve. The last sixth of the people are strangers
    until everybody else is enrolled, and then join.

    Raises:
        DemoError: Folder not readable, or fewer than two people in it.
    """
    try:
        records = read_folder(folder)
    except DataError as error:
        raise DemoError(str(error)) from error
    recordings: dict[str, list[EcgRecord]] = defaultdict(list)
    for record in records:
        if np.isfinite(record.signal).all():
            recordings[record.subject_id].append(record)
    if len(recordings) < 2:
        raise DemoError(f"{folder}: expected recordings of at least two people, found {len(recordings)}")
    chosen = dict(list(recordings.items())[:MAX_PEOPLE])
    has_pairs = any(len(of_person) > 1 for of_person in chosen.values())
    people = [_recorded_person(subject_id, chosen[subject_id], has_pairs) for subject_id in chosen]
    members, strangers = divided(people)
    first, second = ("first recording", "their second") if has_pairs else ("start of a recording", "its end")
    return Cast(
        about=f"{len(people)} of the {len(recordings)} people in {folder}: {len(members)} are enrolled by "
        f"the {first}; the last {len(strangers)} come as strangers and are enrolled later. Everybody "
        f"is recognized by {second}. Strips last at most {LONGEST_STRIP_S:g} s.",
        members=members,
        strangers=strangers,
        strangers_join=True,
        caution=_caution(chosen.values(), has_pairs),
    )


def _recorded_person(subject_id: str, records: Sequence[EcgRecord], has_pairs: bool) -> Person:
    first = records[0]
    if has_pairs:
        return Person(subject_id, (strip_of(first),), strip_of(records[1]) if len(records) > 1 else None)
    half = first.signal.size // 2
    length = min(half, round(LONGEST_STRIP_S * first.fs_hz))
    beginning, end = strip_of(first, first.signal[:length]), strip_of(first, first.signal[-length:])
    return Person(subject_id, (beginning,), end)


def strip_of(record: EcgRecord, samples: NDArray[np.float32] | None = None) -> Strip:
    """The beginning of a recording, or of some of its samples."""
    samples = record.signal if samples is None else samples
    return Strip(
        # The API takes multiples of 0.1 Hz; measured rates have more digits.
        fs_hz=round(record.fs_hz, 1),
        signal=[round(float(value), 4) for value in samples[: round(LONGEST_STRIP_S * record.fs_hz)]],
        unit=record.unit,
        lead=LEADS.get(record.lead, "unknown"),
    )


def _caution(people: Iterable[Sequence[EcgRecord]], has_pairs: bool) -> str:
    if not has_pairs:
        return "Both strips come from one recording; a figure across days will be worse."
    pairs = [of_person[:2] for of_person in people if len(of_person) > 1]
    same_day = sum(
        first.recorded_on is not None and first.recorded_on == second.recorded_on for first, second in pairs
    )
    if same_day == len(pairs):
        return (
            "SAME-DAY figures: both recordings of everybody were made on one day; across days they are worse."
        )
    return f"Both recordings are from one day for {same_day} of {len(pairs)} people, as far as the data tell."
