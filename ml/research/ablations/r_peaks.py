"""R peaks against manual annotations: `python -m ml.research.ablations.r_peaks --data … [--test]`.

The detector was tuned on LUDB, leads I and II. MIT-BIH, behind `--test`, chooses nothing; every look at it is
appended to results/looks.jsonl. A detection within 75 ms of an annotation matches it, one to one. Stretches
of ventricular flutter (`[` to `]`) are ignored; counts of all records are pooled.
"""

import argparse
import datetime
import json
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ml.data.readers import read_ludb, read_mit_bih
from ml.data.records import EcgRecord
from ml.runtime.ecg.signal.beats import detect_r_peaks

TOLERANCE_S = 0.075
AAMI_BEATS = tuple("NLRejAaJSVEF/fQ")
RESULTS = Path("results")


@dataclass(frozen=True)
class Counts:
    """Numbers of annotated beats, detected beats, and matches."""

    annotated: int = 0
    detected: int = 0
    matched: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.annotated + other.annotated, self.detected + other.detected, self.matched + other.matched
        )

    @property
    def missed(self) -> int:
        """Annotated beats without a detection."""
        return self.annotated - self.matched

    @property
    def false(self) -> int:
        """Detections without an annotated beat."""
        return self.detected - self.matched

    @property
    def sensitivity(self) -> float:
        """Share of annotated beats that were found."""
        return self.matched / max(self.annotated, 1)

    @property
    def positive_predictivity(self) -> float:
        """Share of detections that are beats."""
        return self.matched / max(self.detected, 1)


def count_matches(annotated: NDArray[np.int64], detected: NDArray[np.int64], tolerance: float) -> int:
    """Return the largest one-to-one matching of two increasing sequences within `tolerance` (same unit)."""
    i = j = matched = 0
    while i < annotated.size and j < detected.size:
        distance = detected[j] - annotated[i]
        if abs(distance) <= tolerance:
            matched, i, j = matched + 1, i + 1, j + 1
        elif distance < 0:
            j += 1
        else:
            i += 1
    return matched


def compare(record: EcgRecord, judged: NDArray[np.bool_], annotated: NDArray[np.int64]) -> Counts:
    """Detect the beats of a record and count them where `judged` (bool, one per sample) is true."""
    annotated = annotated[judged[annotated]]
    detected = detect_r_peaks(record.signal, record.fs_hz)
    detected = detected[judged[detected]]
    matched = count_matches(annotated, detected, TOLERANCE_S * record.fs_hz)
    return Counts(annotated.size, detected.size, matched)


def ludb_counts(data: Path) -> Iterator[tuple[str, Counts]]:
    """Yield counts of LUDB, which marks only whole beats: what lies outside them is not judged."""
    records = [record for lead in ("i", "ii") for record in read_ludb(data / "ecg" / "ludb", lead)]
    for record in track(records, description="LUDB"):
        peaks = np.asarray(record.labels["r_peaks"])
        at = np.arange(record.signal.size)
        margin = 2 * TOLERANCE_S * record.fs_hz
        yield (
            f"{record.record_id} {record.lead}",
            compare(record, (at >= peaks[0] - margin) & (at <= peaks[-1] + margin), peaks),
        )


def mit_bih_counts(data: Path) -> Iterator[tuple[str, Counts]]:
    """Yield counts of MIT-BIH, all of every record except ventricular flutter."""
    for record in track(read_mit_bih(data / "ecg" / "mit_bih"), description="MIT-BIH"):
        labels = record.labels
        judged = np.ones(record.signal.size, dtype=np.bool_)
        marks, symbols = np.asarray(labels["marks"]), np.asarray(labels["mark_symbols"])
        for start, end in zip(marks[symbols == "["], marks[symbols == "]"], strict=True):
            judged[start : end + 1] = False
        is_beat = np.isin(np.asarray(labels["beat_symbols"]), AAMI_BEATS)
        yield record.record_id, compare(record, judged, np.asarray(labels["r_peaks"])[is_beat])


def show(name: str, per_record: Iterable[tuple[str, Counts]], *, all_records: bool) -> Counts:
    """Print a table and return the pooled counts; long sets list only the records with errors."""
    pooled = Counts()
    table = Table("record", *("beats", "missed", "false", "sensitivity %", "pos. predictivity %"), title=name)
    for label, counts in per_record:
        pooled += counts
        if all_records or counts.missed or counts.false:
            _add_row(table, label, counts)
    table.add_section()
    _add_row(table, "pooled", pooled)
    Console().print(table)
    return pooled


def _add_row(table: Table, label: str, n: Counts) -> None:
    rates = (f"{100 * n.sensitivity:.3f}", f"{100 * n.positive_predictivity:.3f}")
    table.add_row(label, str(n.annotated), str(n.missed), str(n.false), *rates)


def figures(counts: Counts) -> dict[str, float]:
    """Return the figures to save."""
    return {
        "beats": counts.annotated,
        "missed": counts.missed,
        "false": counts.false,
        "sensitivity": round(counts.sensitivity, 5),
        "positive_predictivity": round(counts.positive_predictivity, 5),
    }


def _commit() -> str:
    """Return the revision of the measured code; other unfinished files do not matter."""
    changed = _git(
        "status", "--porcelain", "--", "ml/runtime/ecg/signal", "ml/data", "ml/research/ablations/r_peaks.py"
    )
    return _git("rev-parse", "--short=10", "HEAD") + ("-dirty" if changed else "")


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.strip()


def _keep(results: dict[str, dict[str, float]]) -> None:
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / "r-peaks.json"
    kept = json.loads(path.read_text()) if path.is_file() else {}
    path.write_text(json.dumps(kept | results, indent=2, sort_keys=True) + "\n")


def _log_look(result: dict[str, float]) -> None:
    look = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "protocol": "R-peaks MIT-BIH",
        "commit": _commit(),
        "figures": result,
    }
    with (RESULTS / "looks.jsonl").open("a") as looks:
        looks.write(json.dumps(look) + "\n")


def main() -> None:
    """Run the benchmark from the repository's root."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds ecg/")
    parser.add_argument("--test", action="store_true", help="look at MIT-BIH, and log the look")
    arguments = parser.parse_args()

    if arguments.test:
        result = figures(show("MIT-BIH", mit_bih_counts(arguments.data), all_records=True))
        _keep({"MIT-BIH": result})
        _log_look(result)
    else:
        _keep({"LUDB": figures(show("LUDB", ludb_counts(arguments.data), all_records=False))})


if __name__ == "__main__":
    main()
