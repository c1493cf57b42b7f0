"""One answer for a whole strip out of its windows, which say partly the same.

The log probabilities of n windows that knew nothing of each other would add up: all classes are equally
likely beforehand, so that each is log P(window | class) up to a constant. Windows of one strip are of one
wearer, one electrode, one attachment, and err together: n of them are worth n / (1 + (n − 1) · correlation),
the effective sample size of Kish 1965, Survey sampling, section 5.4. The share of windows that say nothing is
one of windows, not of strips: it bounds how sure a strip is only through that number.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class StripEvidence(NamedTuple):
    """What the windows of a strip say together.

    Args:
        logits: The mean of their log probabilities, float64, shape (n_classes,).
        n_windows: How many windows would hold their seconds without overlap, 1 or more.
    """

    logits: FloatArray
    n_windows: float

    def combined(self, correlation: float) -> FloatArray:
        """Return the logits of the strip, float64, shape (n_classes,).

        Args:
            correlation: Of what windows say wrongly: with 0 they add up, with 1 many say no more than one.
        """
        return np.asarray(self.logits * (self.n_windows / (1.0 + (self.n_windows - 1.0) * correlation)))


def strip_evidence(logits: FloatArray, starts_s: FloatArray, context_s: float) -> StripEvidence:
    """Put windows of one strip together.

    Args:
        logits: float64, shape (n, n_classes), at least one.
        starts_s: Of the windows, ascending, shape (n,).
        context_s: Their length.
    """
    covered_s = context_s + float(np.minimum(np.diff(starts_s), context_s).sum())
    return StripEvidence(logits.mean(axis=0), covered_s / context_s)
