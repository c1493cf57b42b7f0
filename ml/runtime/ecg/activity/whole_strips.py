"""One prediction for a whole strip from its windows, whose errors are correlated.

All classes are equally likely a priori, so each log probability is log P(window | class) up to a constant.
Those of n independent windows would add up. Windows of one strip share wearer, electrode and attachment, so n
of them count as n / (1 + (n − 1) · correlation): the effective sample size of Kish 1965, Survey sampling,
section 5.4. Contamination is a share of windows, not of strips: it bounds the confidence of a strip only
through that number.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class StripEvidence(NamedTuple):
    """Evidence of the windows of a strip together.

    Args:
        logits: Mean log probabilities of the windows, float64, shape (n_classes,).
        n_windows: Number of windows without overlap that would cover the same seconds, 1 or more.
    """

    logits: FloatArray
    n_windows: float

    def combined(self, correlation: float) -> FloatArray:
        """Return the logits of the strip, float64, shape (n_classes,).

        Args:
            correlation: Of errors between windows: 0 adds windows up, 1 makes many count as one.
        """
        return np.asarray(self.logits * (self.n_windows / (1.0 + (self.n_windows - 1.0) * correlation)))


def strip_evidence(logits: FloatArray, starts_s: FloatArray, context_s: float) -> StripEvidence:
    """Combine the windows of one strip.

    Args:
        logits: float64, shape (n, n_classes), at least one.
        starts_s: Start of each window, ascending, shape (n,).
        context_s: Length of a window.
    """
    covered_s = context_s + float(np.minimum(np.diff(starts_s), context_s).sum())
    return StripEvidence(logits.mean(axis=0), covered_s / context_s)
