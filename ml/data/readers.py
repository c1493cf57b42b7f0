"""Data sets as lists of `EcgRecord`, sorted by subject and recording.

`read_folder` recognizes the layout by itself. The caller gives paths; nothing is downloaded.
"""

from __future__ import annotations

import csv
import datetime
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ml.data.annotations import beat_labels, read_annotations
from ml.data.packed import ARRAYS_FILE, META_FILE, PackedSet, open_packed
from ml.data.records import DataError, EcgRecord
from ml.data.wfdb import MILLIVOLTS_PER_UNIT, Header, read_header, read_signal

__all__ = [
    "DataError",
    "EcgRecord",
    "read_cinc2017",
    "read_csv",
    "read_ecg_id",
    "read_folder",
    "read_ludb",
    "read_mit_bih",
    "read_motion",
    "read_ptb",
    "read_qtdb",
]

# Records 201 and 202 of MIT-BIH come from one man; the name is the one the packed set uses.
MIT_BIH_SAME_PERSON = {"201": "201_202", "202": "201_202"}
MIT_BIH_AGE_SEX = re.compile(r"(?P<age>-?\d+)\s+(?P<sex>[MF])\b")
DATE_FORMATS = ("%d.%m.%Y", "%d/%m/%Y")

Labels = dict[str, object]


def read_ecg_id(folder: Path, channel: Literal[0, 1] = 0) -> list[EcgRecord]:
    """Read ECG-ID in its PhysioNet layout: 310 recordings of 90 people, `Person_NN/rec_M`.

    Args:
        folder: Holds the folders `Person_01` … `Person_90`.
        channel: 0 is the raw signal, which the protocols use; 1 is filtered by the authors of the set.

    Returns:
        Lead I in millivolts at 500 Hz; labels `age`, `sex` and the automatic, unaudited marks of ten beats.

    Raises:
        DataError: The folder has no such recordings, or damaged ones.

    Source:
        Lugovaya 2005, PhysioNet ecgiddb 1.0.0.
    """
    headers = sorted(folder.glob("Person_*/rec_*.hea"), key=_person_and_number)
    if not headers:
        raise DataError(f"{folder}: expected ECG-ID, that is Person_01/rec_1.hea and so on; found none")
    return [_read_wfdb_record(path, path.parent.name, channel) for path in headers]


def _person_and_number(header_path: Path) -> tuple[str, int]:
    return header_path.parent.name, int(header_path.stem.rpartition("_")[2])


def read_ptb(folder: Path, lead: str = "i") -> list[EcgRecord]:
    """Read PTB Diagnostic in its PhysioNet layout: `patientNNN/sNNNN_re`, at 1000 Hz.

    Args:
        folder: Holds the folders `patient001` … `patient294`.
        lead: One of the 15 leads by the set's names: i, ii, iii, avr, …, v1 … v6, vx, vy, vz.

    Returns:
        One lead in millivolts; labels are the header's fields (`age`, `sex`, `reason for admission`, …).

    Raises:
        DataError: The folder is missing (the message names the download), or lacks the lead.

    Source:
        Bousseljot et al. 1995, PhysioNet ptbdb 1.0.0.
    """
    headers = sorted(folder.glob("patient*/*.hea"))
    if not headers:
        raise DataError(
            f"{folder}: expected PTB, that is patient001/s0010_re.hea and so on; found none. Download "
            "https://physionet.org/content/ptbdb/1.0.0/ (ODC-By, 1.7 GB: .hea, .dat, .xyz), name its folder"
        )
    return [_read_wfdb_record(path, path.parent.name, lead) for path in headers]


def read_mit_bih(folder: Path) -> list[EcgRecord]:
    """Read MIT-BIH Arrhythmia, packed or as on PhysioNet (`100.hea` … `234.hea`): 48 records, 47 people.

    Returns:
        The first lead in millivolts, at 250 Hz (packed) or 360 Hz; labels `age`, `sex`, `r_peaks`,
        `beat_symbols`, `marks`, `mark_symbols`.

    Raises:
        DataError: Neither layout, or damaged files.
    """
    if (folder / ARRAYS_FILE).is_file():
        return _read_packed(folder, _mit_bih_labels)
    headers = sorted(folder.glob("[12][0-9][0-9].hea"))
    if not headers:
        raise DataError(
            f"{folder}: expected MIT-BIH, that is {ARRAYS_FILE} or 100.hea and so on; found neither"
        )
    return [_read_wfdb_record(p, MIT_BIH_SAME_PERSON.get(p.stem, p.stem), 0, p.stem) for p in headers]


def _read_wfdb_record(
    header_path: Path, subject_id: str, channel: int | str, record_id: str | None = None
) -> EcgRecord:
    header = read_header(header_path)
    index = channel if isinstance(channel, int) else _channel_named(channel, header, header_path)
    fields = header.fields
    return EcgRecord(
        record_id=record_id or f"{subject_id}/{header_path.stem}",
        subject_id=subject_id,
        fs_hz=header.fs_hz,
        signal=read_signal(header_path.parent, header, index),
        lead=header.signals[index].description or "unknown",
        recorded_on=_date(fields.get("ecg date", "")),
        labels=_header_labels(header) | _annotation_labels(header_path.with_suffix(".atr"), header.fs_hz),
    )


def _channel_named(lead: str, header: Header, path: Path) -> int:
    names = [signal.description.lower() for signal in header.signals]
    if lead.lower() not in names:
        raise DataError(f"{path}: expected lead {lead!r}, found {names}")
    return names.index(lead.lower())


def _header_labels(header: Header) -> Labels:
    labels: Labels = dict(header.fields)
    # MIT-BIH writes age and sex bare, at the start of its first comment.
    bare = MIT_BIH_AGE_SEX.match(header.comments[0]) if header.comments else None
    age, sex = (bare["age"], bare["sex"]) if bare else (labels.get("age"), labels.get("sex"))
    labels["age"] = int(str(age)) if re.fullmatch(r"\d+", str(age)) else None
    labels["sex"] = {"m": "M", "f": "F"}.get(str(sex)[:1].lower())
    return labels


def _annotation_labels(path: Path, fs_hz: float) -> Labels:
    if not path.is_file():
        return {}
    found = read_annotations(path, fs_hz)
    samples = np.array([a.sample for a in found], dtype=np.int64)
    return beat_labels(samples, np.array([a.symbol for a in found], dtype=np.str_))


def _date(text: str) -> datetime.date | None:
    for date_format in DATE_FORMATS:
        try:
            return datetime.datetime.strptime(text, date_format).date()
        except ValueError:
            continue
    return None


def read_cinc2017(folder: Path, subjects: Collection[str] | None = None) -> list[EcgRecord]:
    """Read PhysioNet/CinC Challenge 2017, packed: 8 528 hand-held recordings, about 30 % of them inverted.

    Args:
        folder: The packed set.
        subjects: Only these people; all of them take 280 MB.

    Returns:
        Millivolts at 250 Hz; labels `rhythm` (N, A, O or ~) and `rhythm_v0`, the challenge's first version.

    Raises:
        DataError: Not a packed set, or not this one.
    """
    return _read_packed(folder, _cinc_labels, subjects=subjects, lead="I")


def read_qtdb(folder: Path) -> list[EcgRecord]:
    """Read the QT Database, packed: 105 records of 15 min, one lead (not I) at 250 Hz.

    Labels: `origin` (parent database), `comment` (header), and `distinct_person`, True for the 79 who are
    certainly different from one another and not in MIT-BIH.
    """
    return _read_packed(folder, _qtdb_labels)


def read_ludb(folder: Path, lead: Literal["i", "ii"] = "i") -> list[EcgRecord]:
    """Read LUDB, packed: 200 people, 10 s at 250 Hz.

    Labels: `r_peaks` (manual, marked in lead I), `age`, `sex`, `rhythm`, `diagnoses`.
    """
    signal = {"i": "signal", "ii": "signal_ii"}[lead]
    return _read_packed(folder, _ludb_labels, signal=signal, lead=lead.upper())


def read_motion(folder: Path) -> list[EcgRecord]:
    """Read the motion set of Kalouskova 2024, packed: 10 people, 5 activities, 3 electrode types. GPL-3.0.

    Returns:
        Raw ADC counts (0 and 4095 are saturation) at the rate measured from the time stamps; labels
        `activity`, `electrode`, `segment_starts` and `segment_artifacts` (degree 1 … 4 per 2 s),
        `gap_samples` and `gap_seconds` (lost data, nothing filled in).
    """
    return _read_packed(folder, _motion_labels, rates="fs_effective")


def _read_packed(
    folder: Path,
    labels_of: Callable[[PackedSet], list[Labels]],
    *,
    subjects: Collection[str] | None = None,
    signal: str = "signal",
    lead: str = "unknown",
    rates: str | None = None,
) -> list[EcgRecord]:
    with open_packed(folder) as packed:
        labels = labels_of(packed)
        signal_of = packed.signals(signal)
        record_ids, subject_ids = packed.strings("record_id"), packed.strings("subject_id")
        leads = packed.strings("lead") if "lead" in packed.arrays else [lead] * len(packed)
        fs_hz = packed.column(rates) if rates else np.full(len(packed), packed.fs_hz)
        records = [
            EcgRecord(
                record_id=record_ids[i],
                subject_id=subject_ids[i],
                fs_hz=float(fs_hz[i]),
                signal=signal_of(i),
                lead=leads[i],
                unit=packed.unit,
                labels=labels[i],
            )
            for i in range(len(packed))
            if subjects is None or subject_ids[i] in subjects
        ]
    return sorted(records, key=lambda record: (record.subject_id, record.record_id))


def _rows(**columns: list[Any]) -> list[Labels]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _cinc_labels(packed: PackedSet) -> list[Labels]:
    return _rows(rhythm=packed.strings("label"), rhythm_v0=packed.strings("label_v0"))


def _qtdb_labels(packed: PackedSet) -> list[Labels]:
    return _rows(
        origin=packed.strings("origin"),
        comment=packed.strings("comment"),
        distinct_person=packed.column("distinct_person").tolist(),
    )


def _ludb_labels(packed: PackedSet) -> list[Labels]:
    return _rows(
        r_peaks=[peaks.astype(np.int64) for peaks in packed.ragged("qrs_sample", "qrs_offsets")],
        age=_ages(packed),
        sex=packed.strings("sex"),
        rhythm=packed.strings("rhythm"),
        diagnoses=packed.strings("diagnoses"),
    )


def _mit_bih_labels(packed: PackedSet) -> list[Labels]:
    samples = packed.ragged("beat_sample", "beat_offsets")
    symbols = packed.ragged("beat_symbol", "beat_offsets")
    people = _rows(age=_ages(packed), sex=packed.strings("sex"))
    return [person | beat_labels(*marks) for person, *marks in zip(people, samples, symbols, strict=True)]


def _motion_labels(packed: PackedSet) -> list[Labels]:
    gap_record = packed.arrays["gap_record"]
    gaps = [gap_record == record for record in range(len(packed))]
    return _rows(
        activity=packed.strings("activity"),
        electrode=packed.strings("electrode"),
        segment_starts=packed.ragged("seg_start", "seg_offsets"),
        segment_artifacts=packed.ragged("seg_artifact", "seg_offsets"),
        gap_samples=[packed.arrays["gap_sample"][here] for here in gaps],
        gap_seconds=[packed.arrays["gap_seconds"][here] for here in gaps],
    )


def _ages(packed: PackedSet) -> list[int | None]:
    return [int(age) if age >= 0 else None for age in packed.column("age")]


def read_csv(path: Path, fs_hz: float, *, column: int = 0, unit: str = "mV") -> EcgRecord:
    """Read one recording from a text table: commas, semicolons or tabs; a first line of names is allowed.

    Args:
        path: The file; its name without suffix becomes record and subject id.
        fs_hz: Sampling rate.
        column: Counted from 0.
        unit: mV, uV or V.

    Raises:
        DataError: An unknown unit, no numbers, or a cell that is not a number (the message names the line).
    """
    if unit.lower() not in MILLIVOLTS_PER_UNIT:
        raise DataError(f"{path}: expected unit mV, uV or V, found {unit!r}")
    text = path.read_text(encoding="utf-8-sig").splitlines()
    delimiter = next((mark for mark in (";", "\t") if text and mark in text[0]), ",")
    cells = [row[column] if len(row) > column else "" for row in csv.reader(text, delimiter=delimiter)]
    name = cells.pop(0).strip() if cells and not _is_number(cells[0]) else ""
    for line, cell in enumerate(cells, start=2 if name else 1):
        if not _is_number(cell):
            raise DataError(f"{path}: expected a number in line {line}, column {column}; found {cell!r}")
    if not cells:
        raise DataError(f"{path}: expected numbers in column {column}, found none")
    signal = np.array([float(cell) for cell in cells]) * MILLIVOLTS_PER_UNIT[unit.lower()]
    return EcgRecord(path.stem, path.stem, fs_hz, signal.astype(np.float32), name or "unknown")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Layout:
    """A data set's identifying files, and its reader."""

    name: str
    looks_like: str
    recognize: Callable[[Path], bool]
    read: Callable[[Path], list[EcgRecord]]


def _holds(pattern: str) -> Callable[[Path], bool]:
    return lambda folder: any(folder.glob(pattern))


def _packs(dataset: str) -> Callable[[Path], bool]:
    def recognize(folder: Path) -> bool:
        if not (folder / ARRAYS_FILE).is_file():
            return False
        with open_packed(folder) as packed:
            return str(packed.meta.get("dataset", "")).startswith(dataset)

    return recognize


_PACKED = f"{ARRAYS_FILE} beside {META_FILE}"
LAYOUTS = (
    Layout("ECG-ID", "Person_01/rec_1.hea …", _holds("Person_*/rec_*.hea"), read_ecg_id),
    Layout("PTB Diagnostic", "patient001/s0010_re.hea …", _holds("patient*/*.hea"), read_ptb),
    Layout("MIT-BIH Arrhythmia", "100.hea …", _holds("[12][0-9][0-9].hea"), read_mit_bih),
    Layout("MIT-BIH Arrhythmia, packed", _PACKED, _packs("MIT-BIH Arrhythmia"), read_mit_bih),
    Layout("CinC 2017, packed", _PACKED, _packs("PhysioNet/CinC Challenge 2017"), read_cinc2017),
    Layout("QTDB, packed", _PACKED, _packs("QT Database"), read_qtdb),
    Layout("LUDB, packed", _PACKED, _packs("Lobachevsky University"), read_ludb),
    Layout("motion set, packed", _PACKED, _packs("Kalouskova"), read_motion),
)


def read_folder(folder: Path) -> list[EcgRecord]:
    """Read the known data set in a folder.

    Raises:
        DataError: No such folder, or none of the known layouts; the message lists them.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: expected a folder of recordings, found no such folder")
    for layout in LAYOUTS:
        if layout.recognize(folder):
            return layout.read(folder)
    known = "; ".join(f"{layout.name} ({layout.looks_like})" for layout in LAYOUTS)
    raise DataError(
        f"{folder}: no known layout of recordings. Known are: {known}. For one CSV file: read_csv"
    )
