"""`python -m benchmarks.activity_sensors`: do people at rest on other sensors count as resting?

The activity bundle was fitted to ten people with one device. Everybody here is at rest, and was recorded
with another: LUDB (clinical, lying, 10 s) and CinC 2017 dev people (hand-held; the first 20 s are own rest,
the next 10 s asked). Both are development data; who is at rest tells nothing of other activities.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.paths import PROJECT
from benchmarks.strips import recogniser
from ml.activity.bundle import BundledRecogniser, load_recogniser
from ml.activity.recogniser import ActivityCall, Baseline
from ml.bundle_writer import git_revision
from ml.data.readers import read_cinc2017, read_ludb
from ml.data.records import EcgRecord
from ml.data.splits import cinc_split
from ml.signal.conditioning import examine

DATA = PROJECT.parent / "shared" / "data" / "ecg"
RESULT = PROJECT / "docs" / "results" / "activity" / "other-sensors.json"
PEOPLE = 200
REST_S, ASKED_S = 20.0, 10.0
SEED = 0


def hand_held(folder: Path) -> list[EcgRecord]:
    """Recordings of CinC dev people that last long enough, so many of them by lot."""
    everybody = read_cinc2017(folder, cinc_split()["dev"])
    records = [r for r in everybody if r.signal.size >= (REST_S + ASKED_S) * r.fs_hz]
    return [records[i] for i in np.random.default_rng(SEED).permutation(len(records))[:PEOPLE]]


def call(
    found: BundledRecogniser, record: EcgRecord, span_s: tuple[float, float], baseline: Baseline | None = None
) -> ActivityCall:
    return found.activity(examine(part(record, span_s), record.fs_hz), baseline)


def part(record: EcgRecord, span_s: tuple[float, float]) -> np.ndarray:
    """Samples between two moments."""
    return record.signal[round(span_s[0] * record.fs_hz) : round(span_s[1] * record.fs_hz)]


def summary(found: BundledRecogniser, what: str, calls: Iterable[ActivityCall]) -> dict[str, Any]:
    """How often each group was called, and how sure the calls were."""
    told = list(calls)
    counts = {group: sum(one.activity in names for one in told) for group, names in found.groups.items()} | {
        "unknown": sum(one.activity is None for one in told)
    }
    sure = [one.probability for one in told if one.probability is not None]
    return {"what": what, "people": len(told), "called": counts, "mean_probability": float(np.mean(sure))}


def with_own_rest(found: BundledRecogniser, records: Sequence[EcgRecord]) -> list[ActivityCall]:
    """Calls of those whose rest could be described."""
    calls = []
    for record in records:
        baseline = found.baseline(examine(part(record, (0.0, REST_S)), record.fs_hz))
        if baseline is not None:
            calls.append(call(found, record, (REST_S, REST_S + ASKED_S), baseline))
    return calls


def main() -> None:
    """Measure the bundle that a service here would load, and keep the figures."""
    served = recogniser()
    if served is None:
        raise SystemExit("There is no activity bundle in models/.")
    found = load_recogniser(PROJECT / "models" / served.card.encoder_id)
    clinical, held = read_ludb(DATA / "ludb"), hand_held(DATA / "cinc2017_af")
    asked_s = (REST_S, REST_S + ASKED_S)
    rows = [
        summary(found, "LUDB, lying, 10 s", (call(found, r, (0.0, ASKED_S)) for r in clinical)),
        summary(found, "CinC dev, hand-held, 10 s", (call(found, r, asked_s) for r in held)),
        summary(found, "CinC dev, hand-held, 10 s, own rest", with_own_rest(found, held)),
    ]
    kept = {
        "title": "People at rest on sensors that the bundle never met",
        "bundle": found.encoder_id,
        "sha256": found.info.sha256,
        "code": git_revision(),
        "rows": rows,
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
