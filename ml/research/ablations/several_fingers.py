"""Would scores of several fingers add up? `python -m ml.research.ablations.several_fingers`.

Different fingers of two people are compared, impression with impression. If their scores are independent, the
nulls of single fingers convolve to that of a sum. FCJ2020 people 101 to 125, who calibrate; no test people.
Writes `results/experiments/several-fingers.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from ml.data.fingerprints import FCJ_CALIBRATION_PEOPLE, read_fcj
from ml.runtime.bundle import default_bundle
from ml.runtime.calibration.llr import Calibration
from ml.runtime.calibration.nulls import Null
from ml.runtime.encoder import load_bundle
from ml.runtime.fingerprint.comparison.comparer import FingerprintComparer
from ml.runtime.fingerprint.comparison.template import FingerprintTemplate
from ml.training.fingerprint.impressions import extract_files
from ml.training.fingerprint.stages import opened

FloatArray = NDArray[np.float64]
Prints = Mapping[tuple[str, int], FingerprintTemplate]
"""Those of one person, by finger and impression."""

DATA, CACHE, MODELS = Path("../shared/data"), Path("var/cache/fingerprints"), Path("models")
RESULT = Path("results/experiments/several-fingers.json")
MET = ((1, 1), (1, 2), (2, 1), (2, 2), (3, 3))
"""Impressions of two people that are compared."""
RATES = (0.01, 0.001)
USUAL_QUALITY = 0.6


def similarities(
    pairs: Sequence[tuple[Prints, Prints, int, int]], fingers: list[str], comparer: FingerprintComparer
) -> FloatArray:
    """Compare equal fingers; shape (pairs, fingers), NaN where a print is missing or was refused."""
    found = np.full((len(pairs), len(fingers)), np.nan)
    places, jobs = [], []
    for row, (one, other, first, second) in enumerate(pairs):
        for column, finger in enumerate(fingers):
            if (finger, first) in one and (finger, second) in other:
                places.append((row, column))
                jobs.append((one[finger, first], other[finger, second]))
    found[tuple(np.array(places).T)] = comparer.similarities(jobs)
    return found


def scores_db(calibration: Calibration, similarity: FloatArray) -> FloatArray:
    llr_db = calibration.llr_db(np.nan_to_num(similarity), 1.0, USUAL_QUALITY)
    return np.where(np.isnan(similarity), np.nan, calibration.soften_db(llr_db))


def dependence(non_mated_db: FloatArray, fingers: list[str]) -> Iterator[list[str]]:
    """Correlations of the scores of two fingers of the same two people."""
    for one, other in combinations(range(len(fingers)), 2):
        both = non_mated_db[:, [one, other]][np.isfinite(non_mated_db[:, [one, other]]).all(axis=1)].T
        high = both >= np.quantile(both, 0.9, axis=1, keepdims=True)
        yield [
            f"{fingers[one]} and {fingers[other]}",
            f"{np.asarray(np.corrcoef(both))[0, 1]:.2f}",
            f"{spearmanr(*both)[0]:.2f}",
            f"{100.0 * high.all(axis=0).mean():.1f}",
        ]


def rules(mated_db: FloatArray, non_mated_db: FloatArray, null: Null) -> Iterator[list[str]]:
    """FMR ÷ rate and FNMR of the sum, and of the best of as many at an equal share of the rate."""
    count = mated_db.shape[1]
    for number in range(1, count + 1):
        sets = list(combinations(range(count), number))
        summed = reduce(lambda total, one: total.convolve(one), [null] * number)
        for rate in RATES:
            cells = []
            for threshold_db, rule in (
                (summed.threshold(rate), np.sum),
                (null.threshold(rate / number), np.max),
            ):
                missed, matched = (
                    _reached([rule(scores[:, list(one)], axis=1) for one in sets], threshold_db)
                    for scores in (mated_db, non_mated_db)
                )
                cells += [f"{matched / rate:.2f}", f"{100.0 * (1.0 - missed):.2f}"]
            yield [str(number), f"{rate:g}", *cells]


def _reached(scores_db: list[FloatArray], threshold_db: float) -> float:
    whole = np.concatenate(scores_db)
    return float(np.mean(whole[np.isfinite(whole)] >= threshold_db))


def main() -> None:
    encoder = load_bundle(default_bundle(MODELS, "fingerprint"))
    comparer = encoder.preparation.comparer()
    assert isinstance(comparer, FingerprintComparer)
    people: dict[str, dict[tuple[str, int], FingerprintTemplate]] = {}
    for one in extract_files("fcj-calibration", read_fcj(DATA, FCJ_CALIBRATION_PEOPLE), CACHE):
        if one.written is not None:
            name = one.finger.rpartition("_")[2]
            people.setdefault(one.person, {})[name, one.impression] = opened(one)
    fingers = sorted({finger for prints in people.values() for finger, _ in prints})
    impressions = sorted({number for prints in people.values() for _, number in prints})
    mated = [(one, one, *met) for one in people.values() for met in combinations(impressions, 2)]
    non_mated = [(*two, *met) for two in combinations(people.values(), 2) for met in MET]
    mated_db, non_mated_db = (
        scores_db(encoder.calibration, similarities(pairs, fingers, comparer)) for pairs in (mated, non_mated)
    )
    result = {
        "title": "Scores of several fingers",
        "question": "Are different fingers of two people independent, and what would their sum gain?",
        "protocol": f"{encoder.encoder_id}, FCJ2020 people 101-125, {len(fingers)} fingers, equal fingers of"
        f" {len(non_mated)} pairs of impressions of different people and {len(mated)} of the same. These"
        " people calibrate. Sum: nulls convolved. Best: the largest, at the rate divided by the number.",
        "dependence_columns": ["fingers", "Pearson", "Spearman", "both in their upper tenth, % (1 expected)"],
        "dependence": list(dependence(non_mated_db, fingers)),
        "columns": ["fingers", "rate", "sum: FMR ÷ rate", "sum: FNMR %", "best: FMR ÷ rate", "best: FNMR %"],
        "rows": list(rules(mated_db, non_mated_db, encoder.calibration.null(0))),
        "commands": ["python -m ml.research.ablations.several_fingers"],
    }
    RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
