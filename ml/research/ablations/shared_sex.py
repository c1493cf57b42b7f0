"""How much a shared sex inflates fused false-match rates: `python -m ml.research.ablations.shared_sex`.

A fused threshold supposes that non-mated scores of two modalities are independent. Two people of one sex
resemble each other more in both. No open set has ECG and faces of the same people, so each modality is
measured alone: how many times as often pairs of one sex reach the score that 1 % of all pairs reach. If
nothing but the sex is shared, the fused rate is the mean over both kinds of pairs of the product of these
factors. LUDB and the calibration people of AR; no test people. Needs the bundle of
`app.cli models fetch face`; writes `results/experiments/shared-sex.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.data.faces import read_ar
from ml.data.readers import read_ludb
from ml.data.records import DataError
from ml.evaluation.protocols.faces import ar_sessions
from ml.evaluation.runner import Runner
from ml.evaluation.trials.scoring import Comparisons
from ml.evaluation.trials.trials import Cut, Presentation, Trials, trials_of
from ml.metrics.error_rates import oracle_threshold
from ml.metrics.intervals import redrawn_people
from ml.runtime.bundle import default_bundle
from ml.runtime.encoder import load_bundle

DATA, CACHE, MODELS = Path("../shared/data"), Path("var/cache/encodings"), Path("models")
RESULT = Path("results/experiments/shared-sex.json")
RATES = (0.01, 0.001)
COLUMNS = ("pairs of one sex ÷ all", *(f"at {rate:.1%}" for rate in RATES))
_SEED = 20261201

Factors = NDArray[np.float64]
"""Same sex and different sex, relative to all pairs, in bootstrap draws over people; shape (2, draws + 1)."""


def ludb() -> tuple[Trials, dict[str, str]]:
    """First 5 s enrolled, last 5 s as probe."""
    records = [record for record in read_ludb(DATA / "ecg" / "ludb") if record.labels["sex"] in {"M", "F"}]
    trials = trials_of(
        "first 5 s → last 5 s",
        [Presentation.of(Cut(record, 0.0, 5.0)) for record in records],
        [Presentation.of(Cut(record, 5.0, 10.0)) for record in records],
    )
    return trials, {record.subject_id: str(record.labels["sex"]) for record in records}


def ar() -> tuple[Trials, dict[str, str]]:
    """Picture 1 enrolled, the second session as probes."""
    (trials,) = ar_sessions(DATA, "calibration")
    people = read_ar(DATA / "face" / "ar_99")
    return trials, {record.subject_id: str(record.labels["sex"]) for record in people}


def factors(comparisons: Comparisons, sexes: NDArray[np.str_], rate: float) -> Factors:
    """Measure how often pairs of one sex, and of two, reach what a share of all pairs reach."""
    others = comparisons.compared_non_mated
    above = comparisons.llr_db >= oracle_threshold(comparisons.llr_db[others], rate)
    rows, columns = np.nonzero(others)
    first, second = comparisons.probe_people[rows], comparisons.gallery_people[columns]
    hits, same = above[others], sexes[first] == sexes[second]
    draws = [np.ones(sexes.size), *redrawn_people(sexes.size, 300, _SEED)]
    found = np.empty((2, len(draws)))
    for number, weights in enumerate(draws):
        pairs = weights[first] * weights[second]
        overall = pairs @ hits / pairs.sum()  # 0 in a draw without any, which counts for nothing
        shares = [pairs[kind] @ hits[kind] / pairs[kind].sum() for kind in (same, ~same)]
        found[:, number] = np.array(shares) / overall if overall else np.nan
    return found


def measured(modality: str, build: Callable[[], tuple[Trials, dict[str, str]]]) -> list[Factors]:
    """Measure one modality at every rate."""
    trials, sexes = build()
    runner = Runner(load_bundle(default_bundle(MODELS, modality)), DATA, CACHE)
    comparisons = runner.people(f"shared-sex-{modality}", trials).comparisons
    names = sorted({one.subject_id for one in trials.gallery})
    if len(names) != len(comparisons.gallery_people):
        raise DataError("everybody enrolled is a probe too")
    by_index = np.array([sexes[name] for name in names])
    return [factors(comparisons, by_index, rate) for rate in RATES]


def main() -> None:
    """Measure, and keep."""
    of_ecg, of_face = measured("ecg", ludb), measured("face", ar)
    fused = [0.5 * (a * b).sum(axis=0) for a, b in zip(of_ecg, of_face, strict=True)]
    rows = [
        [name, *(_cell(values) for values in found)]
        for name, found in (
            ("ECG: LUDB, 5 s", [one[0] for one in of_ecg]),
            ("face: AR calibration people", [one[0] for one in of_face]),
            ("both fused, half of the pairs of one sex", fused),
        )
    ]
    RESULT.write_text(json.dumps(document(rows), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for row in rows:
        print(*row, sep=" | ")


def _cell(values: NDArray[np.float64]) -> str:
    low, high = np.nanquantile(values[1:], [0.025, 0.975])
    return f"{values[0]:.2f} ({low:.2f}–{high:.2f})"


def document(rows: list[list[str]]) -> dict[str, object]:
    """Return what is kept."""
    return {
        "title": "A sex in common, and fused false-match rates",
        "question": "By how much does a shared sex inflate the false-match rate of fused scores?",
        "protocol": PROTOCOL,
        "columns": list(COLUMNS),
        "rows": rows,
        "note": NOTE,
        "commands": ["python -m ml.research.ablations.shared_sex"],
    }


PROTOCOL = (
    "How many times as often pairs of one sex reach the score that 1 % or 0.1 % of all pairs of different"
    " people reach, with the 95 % interval over people. Development and calibration people only."
)
NOTE = (
    "Fused: the mean over pairs of one sex and of two of the product of both factors; it supposes that"
    " nothing else is shared, and half of the pairs are of one sex. What faces and hearts share besides, such"
    " as age, was not measured. Thresholds of fused scores allow for the factor at 1 %; at 0.1 % few pairs"
    " decide."
    " Prints of one sex are not known to be more alike."
)


if __name__ == "__main__":
    main()
