"""From counts to figures, with intervals over pairings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.virtual_people.trials import FPIRS, Counts
from ml.metrics.error_rates import eer, fnmr, oracle_threshold

EQUAL_FMRS = (1e-2, 1e-3)
_DRAWS = 1_000


def figures(by_pairing: Sequence[Counts]) -> dict[str, Any]:
    """Sum up one combination under one condition; intervals are 95 %, drawn over pairings."""
    mated = np.concatenate([counts.mated for counts in by_pairing])
    non_mated = np.concatenate([counts.non_mated for counts in by_pairing])
    return {
        "mated": int(mated.size),
        "non_mated": int(non_mated.size),
        "failures_to_acquire": sum(counts.failures for counts in by_pairing),
        "fnmr": _share(by_pairing, lambda c: (c.non_matches, len(c.mated))),
        "fmr": _share(by_pairing, lambda c: (c.false_matches, len(c.non_mated))),
        "identified": _share(by_pairing, lambda c: (c.identified, c.searches)),
        **{f"fpir_at_{rate:g}": _share(by_pairing, _positives(rate)) for rate in FPIRS},
        "eer": round(eer(mated, non_mated), 6),
        "fnmr_at_equal_fmr": {
            f"{rate:g}": round(fnmr(mated, oracle_threshold(non_mated, rate)), 6) for rate in EQUAL_FMRS
        },
    }


def best_single(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """The name of the single modality that misses fewest at equal FMR of 0.1 %."""
    singles = [name for name in rows if "+" not in name]
    return min(singles, key=lambda name: float(rows[name]["fnmr_at_equal_fmr"]["0.001"]))


def _positives(rate: float) -> Callable[[Counts], tuple[int, int]]:
    return lambda counts: (counts.positives[rate], counts.strangers)


def _share(
    by_pairing: Sequence[Counts], counted: Callable[[Counts], tuple[int, int]]
) -> dict[str, float | list[float] | int]:
    hits, of = np.array([counted(counts) for counts in by_pairing], dtype=float).T
    generator = np.random.default_rng(20261204)
    drawn = generator.integers(len(hits), size=(_DRAWS, len(hits)))
    shares = hits[drawn].sum(axis=1) / of[drawn].sum(axis=1)
    low, high = np.quantile(shares, [0.025, 0.975])
    return {
        "share": round(float(hits.sum() / of.sum()), 6),
        "interval_95": [round(float(low), 6), round(float(high), 6)],
        "count": int(hits.sum()),
    }
