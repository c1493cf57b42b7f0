"""How much windows of one strip say together: learned from strips of people left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ml.metrics.confidence import smoothed_loss
from ml.runtime.ecg.activity.whole_strips import StripEvidence

IntArray = NDArray[np.int64]
# 0: windows know nothing of each other; 5: many say less than one, since what they say is wrong together.
CORRELATIONS = (0.0, 5.0)


def fit_correlation(strips: Sequence[StripEvidence], classes: IntArray) -> float:
    """Return the correlation between windows with which the probabilities of strips are truest.

    Args:
        strips: Of people whom their logits do not come from.
        classes: What was done in each, int64, shape (n_strips,).

    Raises:
        ValueError: No strips.
    """
    if not strips:
        raise ValueError("a correlation needs strips to be fitted to")
    from scipy.optimize import minimize_scalar

    def loss(correlation: float) -> float:
        return smoothed_loss(np.stack([strip.combined(correlation) for strip in strips]), classes)

    return float(minimize_scalar(loss, bounds=CORRELATIONS, method="bounded", options={"xatol": 1e-4}).x)
