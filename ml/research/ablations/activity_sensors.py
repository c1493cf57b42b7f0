"""Domain shift: rest on other sensors. `python -m ml.research.ablations.activity_sensors`.

The activity bundle was fitted to ten people with one device, and to the mean of some CinC 2017 train people.
Here it reads people at rest with other devices: LUDB (clinical, lying, 10 s) and CinC 2017 dev people
(hand-held; the first 20 s are the resting baseline, the next 10 s are evaluated). Both are development data:
they chose among ways to fit the bundle. Rest alone shows nothing about other activities.

`--confirm` adds people who chose nothing: CinC 2017 calibration people (the sensor known from fitting, other
people), and ECG-ID (other sensor and people). ECG-ID is a test set, so that look is logged.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ml.data.readers import read_cinc2017, read_ecg_id, read_ludb
from ml.data.records import EcgRecord
from ml.data.splits import Part, cinc_split
from ml.evaluation.looks import log_look
from ml.export.bundle_writer import git_revision
from ml.runtime.bundle import ACTIVITY_KIND, preference
from ml.runtime.ecg.activity.bundle import BundledRecognizer, load_recognizer
from ml.runtime.ecg.activity.recognizer import ActivityCall, Baseline
from ml.runtime.ecg.signal.conditioning import examine

DATA = Path("../shared/data/ecg")
RESULTS = Path("results")
RESULT = RESULTS / "activity" / "other-sensors.json"
MODELS = Path("models")
PEOPLE = 200
REST_S, EVALUATED_S = 20.0, 10.0
NEXT_S = (REST_S, REST_S + EVALUATED_S)
FIRST_S = (0.0, EVALUATED_S)
SEED = 0
Span = tuple[float, float]


def hand_held(folder: Path, people: Part) -> list[EcgRecord]:
    """Recordings of a random sample of CinC people, long enough for baseline and evaluation."""
    everybody = read_cinc2017(folder, cinc_split()[people])
    records = [r for r in everybody if r.signal.size >= NEXT_S[1] * r.fs_hz]
    return [records[i] for i in np.random.default_rng(SEED).permutation(len(records))[:PEOPLE]]


def call(
    found: BundledRecognizer, record: EcgRecord, span_s: Span, baseline: Baseline | None = None
) -> ActivityCall:
    return found.activity(examine(part(record, span_s), record.fs_hz), baseline)


def part(record: EcgRecord, span_s: Span) -> np.ndarray:
    """Samples between two moments."""
    return record.signal[round(span_s[0] * record.fs_hz) : round(span_s[1] * record.fs_hz)]


def summary(found: BundledRecognizer, what: str, calls: Iterable[ActivityCall]) -> dict[str, Any]:
    """Count the predictions of each group, with their mean confidence."""
    made = list(calls)
    counts = {group: sum(one.activity in names for one in made) for group, names in found.groups.items()} | {
        "unknown": sum(one.activity is None for one in made)
    }
    sure = [one.probability for one in made if one.probability is not None]
    return {"what": what, "people": len(made), "called": counts, "mean_probability": float(np.mean(sure))}


def with_own_rest(
    found: BundledRecognizer, resting: Sequence[EcgRecord], evaluated: Sequence[EcgRecord], span_s: Span
) -> list[ActivityCall]:
    """Predictions with a resting baseline from the first seconds of a recording, where it is readable."""
    calls = []
    for rest, record in zip(resting, evaluated, strict=True):
        baseline = found.baseline(examine(part(rest, (0.0, REST_S)), rest.fs_hz))
        if baseline is not None:
            calls.append(call(found, record, span_s, baseline))
    return calls


def development(found: BundledRecognizer) -> list[dict[str, Any]]:
    """People who chose among ways to fit the bundle."""
    clinical, held = read_ludb(DATA / "ludb"), hand_held(DATA / "cinc2017_af", "dev")
    return [
        summary(found, "LUDB, lying, 10 s", (call(found, r, FIRST_S) for r in clinical)),
        summary(found, "CinC dev, hand-held, 10 s", (call(found, r, NEXT_S) for r in held)),
        summary(found, "CinC dev, hand-held, 10 s, own rest", with_own_rest(found, held, held, NEXT_S)),
    ]


def confirmation(found: BundledRecognizer) -> list[dict[str, Any]]:
    """People who chose nothing; for ECG-ID the baseline is the second recording of the same day."""
    held = hand_held(DATA / "cinc2017_af", "calibration")
    by_id = {record.record_id: record for record in read_ecg_id(DATA / "ecg_id")}
    first = [record for name, record in by_id.items() if name.endswith("rec_1")]
    second = {record.subject_id: record for name, record in by_id.items() if name.endswith("rec_2")}
    both = [record for record in first if record.subject_id in second]
    their_rest = [second[record.subject_id] for record in both]
    return [
        summary(found, "CinC calibration, hand-held, 10 s", (call(found, r, NEXT_S) for r in held)),
        summary(
            found, "CinC calibration, hand-held, 10 s, own rest", with_own_rest(found, held, held, NEXT_S)
        ),
        summary(found, "ECG-ID, rec_1, 10 s", (call(found, r, FIRST_S) for r in first)),
        summary(
            found,
            "ECG-ID, rec_1, 10 s, own rest: rec_2",
            with_own_rest(found, their_rest, both, FIRST_S),
        ),
    ]


def main(arguments: Sequence[str]) -> None:
    """Measure the bundle that a service here would load, and save the results."""
    folders = [folder for folder in MODELS.glob("activity@*") if folder.is_dir()]
    if not folders:
        raise SystemExit("There is no activity bundle in models/.")
    found = load_recognizer(max(folders, key=lambda folder: preference(folder.name, ACTIVITY_KIND)))
    kept: dict[str, Any] = {
        "title": "People at rest on sensors that the bundle never met",
        "bundle": found.encoder_id,
        "sha256": found.info.sha256,
        "code": git_revision(),
        "rows": development(found),
    }
    if "--confirm" in arguments:
        rows = kept["confirmation"] = confirmation(found)
        figures = {row["what"]: row["called"] for row in rows}
        weights = f"{found.encoder_id} {found.info.sha256[:12]}"
        log_look(RESULTS / "looks.jsonl", protocol="activity at rest", bundle=weights, figures=figures)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(kept, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
