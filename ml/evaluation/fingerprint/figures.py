"""Error rates of fingerprint sets, alone and under one threshold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.fingerprint.protocols import SetScores
from ml.metrics.error_rates import det_points, eer, fnmr, oracle_threshold
from ml.metrics.intervals import eer_bootstrap, share_bootstrap

FloatArray = NDArray[np.float64]

FMRS: Final = (1e-2, 1e-3, 1e-4)
LEAST_FALSE_MATCHES: Final = 3


def figures(sets: Mapping[str, SetScores]) -> dict[str, Any]:
    """Return each set's figures, their mean, and those of all under one threshold."""
    each = {name: set_figures(one) for name, one in sets.items()}
    together = pooled(sets)
    return {
        "mean_eer": float(np.mean([one["eer"] for one in each.values()])),
        "worst_eer": max(one["eer"] for one in each.values()),
        "one_threshold": set_figures(together),
        "sets": each,
    }


def headline(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the few figures that a look at a test set reveals."""
    one = found["one_threshold"]
    return {
        "mean_eer": round(found["mean_eer"], 5),
        "worst_eer": round(found["worst_eer"], 5),
        "eer": {name: round(part["eer"], 5) for name, part in found["sets"].items()},
        "one_threshold_eer": round(one["eer"], 5),
        "one_threshold_fnmr": {f"{at['fmr']:g}": round(at["fnmr"], 5) for at in one["fnmr"]},
        "refused": one["refused"],
    }


def set_figures(scores: SetScores) -> dict[str, Any]:
    """Return error rates with intervals over fingers, and a thinned DET curve."""
    finite = _finite(scores)
    first, second = scores.non_mated_people
    interval = eer_bootstrap((finite[0], scores.mated_person), (finite[1], first, second))
    return {
        "pictures": scores.pictures,
        "refused": scores.refused,
        "mated": int(scores.mated.size),
        "non_mated": int(scores.non_mated.size),
        "eer": eer(scores.mated, scores.non_mated),
        "eer_interval_95": interval.to_list(),
        "fnmr": [_at(scores, rate) for rate in FMRS if rate * scores.non_mated.size >= LEAST_FALSE_MATCHES],
        "det": {
            axis: " ".join(f"{rate:.4g}" for rate in rates)
            for axis, rates in zip(("fmr", "fnmr"), det_points(scores.mated, scores.non_mated), strict=True)
        },
    }


def pooled(sets: Mapping[str, SetScores]) -> SetScores:
    """Put sets together; people of different sets differ, and are not compared with each other."""
    parts = list(sets.values())
    sizes = [int(max(one.mated_person.max(), one.non_mated_people.max())) + 1 for one in parts]
    offsets = np.cumsum([0, *sizes[:-1]])
    return SetScores(
        mated=np.concatenate([one.mated for one in parts]),
        mated_person=np.concatenate(
            [one.mated_person + offset for one, offset in zip(parts, offsets, strict=True)]
        ),
        non_mated=np.concatenate([one.non_mated for one in parts]),
        non_mated_people=np.concatenate(
            [one.non_mated_people + offset for one, offset in zip(parts, offsets, strict=True)], axis=1
        ),
        pictures=sum(one.pictures for one in parts),
        refused=sum(one.refused for one in parts),
    )


def _at(scores: SetScores, rate: float) -> dict[str, Any]:
    threshold = oracle_threshold(scores.non_mated, rate)
    interval = share_bootstrap(scores.mated < threshold, scores.mated_person)
    return {
        "fmr": rate,
        "fnmr": fnmr(scores.mated, threshold),
        "interval_95": interval.to_list(),
        "non_matches": int((scores.mated < threshold).sum()),
    }


def _finite(scores: SetScores) -> tuple[FloatArray, FloatArray]:
    """Put what was refused below everything else, where a grid of scores can hold it."""
    return tuple(np.where(np.isfinite(one), one, -2.0) for one in (scores.mated, scores.non_mated))  # type: ignore[return-value]
