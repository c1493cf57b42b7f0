"""Fit the correlation of errors between windows of one strip, on strips of held-out people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ml.metrics.confidence import smoothed_loss
from ml.runtime.ecg.activity.whole_strips import StripEvidence

IntArray = NDArray[np.int64]
# 0: windows are independent; 5: many count less than one, since their errors are shared.
CORRELATIONS = (0.0, 5.0)


def fit_correlation(strips: Sequence[StripEvidence], classes: IntArray) -> float:
    """Return the correlation between windows with the least log loss on strips.

    Args:
        strips: Of held-out people.
        classes: True class of each, int64, shape (n_strips,).

    Raises:
        ValueError: No strips.
    """
    if not strips:
        raise ValueError("expected at least one strip to fit a correlation to")
    from scipy.optimize import minimize_scalar

    def loss(correlation: float) -> float:
        return smoothed_loss(np.stack([strip.combined(correlation) for strip in strips]), classes)

    return float(minimize_scalar(loss, bounds=CORRELATIONS, method="bounded", options={"xatol": 1e-4}).x)
