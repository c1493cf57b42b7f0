"""Fit the weights of what a comparison finds to the comparisons of known fingers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ml.runtime.fingerprint.comparison.combiner import FEATURES, Combiner, features
from ml.runtime.fingerprint.comparison.comparer import find_in_batches
from ml.runtime.fingerprint.comparison.findings import Findings, joined
from ml.runtime.fingerprint.comparison.template import FingerprintTemplate

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class CombinerConfig:
    """Args:
    hopeless_share: Share of comparisons of different fingers that end before an alignment.
    scale: See `Combiner`.
    """

    hopeless_share: float = 0.95
    scale: float = 20.0


@dataclass(frozen=True, eq=False)
class ComparedSet:
    """All comparisons of one set.

    Args:
        findings: Each with an alignment.
        mated: bool, shape (n_pairs,).
    """

    findings: Findings
    mated: NDArray[np.bool_]


def compare_all(templates: Sequence[FingerprintTemplate], fingers: Sequence[str]) -> ComparedSet:
    """Compare every two impressions of a set."""
    pairs = list(combinations(templates, 2))
    mated = np.array([one == other for one, other in combinations(fingers, 2)])
    return ComparedSet(find_in_batches(pairs, hopeless_relaxed=0.0), mated)


def fit_combiner(sets: Mapping[str, ComparedSet], config: CombinerConfig) -> Combiner:
    """Fit a logistic regression in which each set, and in it mated and non-mated pairs, weigh alike."""
    from sklearn.linear_model import LogisticRegression

    findings = joined([one.findings for one in sets.values()])
    mated = np.concatenate([one.mated for one in sets.values()])
    weights = np.concatenate([_balanced(one.mated) for one in sets.values()])
    others = findings.rows(np.flatnonzero(~mated))
    values = features(findings).T
    mean, spread = values.mean(axis=0), values.std(axis=0)
    fitted = LogisticRegression(C=1.0, max_iter=3000).fit(
        (values - mean) / spread, mated, sample_weight=weights
    )
    slopes = fitted.coef_[0] / spread
    strangers = features(others).mean(axis=1)
    return Combiner(
        bias=float(fitted.intercept_[0] - slopes @ mean),
        **{name: float(slope) for name, slope in zip(FEATURES, slopes, strict=True)},
        hopeless_relaxed=float(np.quantile(others.relaxed, config.hopeless_share)),
        strangers_root_met_share=float(strangers[2]),
        strangers_met_share=float(strangers[3]),
        scale=config.scale,
    )


def _balanced(mated: NDArray[np.bool_]) -> FloatArray:
    """Mean weight 1, half of it on mated pairs."""
    share = mated.mean()
    return np.asarray(np.where(mated, 0.5 / share, 0.5 / (1.0 - share)))
