"""What non-mated scores do beyond the rates that pairs resolve: a fitted tail.

41 people make 820 pairs, which resolve 3.7 %. Smaller rates used to follow −10·log10 f, which bounds the
false-match rate of any calibrated likelihood ratio (Markov's inequality). That is 10 to 25 dB above what
non-mated scores reach, and with few people above every score. Now the upper limit of the measured curve is
continued as an exponential whose mean excess is itself uncertain, which makes a Pareto tail.

Fitted on some of CinC's people and counted on the others, the rates stay below those stated. A generalized
Pareto tail of the likeliest shape finds more people, but exceeds the rates two to ten times where it is
extrapolated far. Upper limits of both curve and mean excess stay farther below than they have to
(results/experiments/null-tail.json).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ml.runtime.calibration.nulls import BIN_DB, REACH, LlrHistogram, Null, bin_index
from ml.runtime.calibration.softening import Softening

FloatArray = NDArray[np.float64]

_FITTED_SHARE = 3.0
"""The tail is fitted above the score of this many times the smallest resolved rate …"""
_LARGEST_SHARE = 0.1
"""… but not in the bulk, unless 300 pairs or fewer resolve nothing else."""
_UPPER_95 = 1.645
_FAR_DB = 1e4
_ROUNDING_DB = 1e-6
"""A score mapped there and back must not end up in the bin below."""


@dataclass(frozen=True)
class Tail:
    """The survival of unsoftened non-mated scores from a resolved rate on.

    With a known mean excess it were rate·exp(−x/mean). The mean is known from `count` scores only. Averaged
    over what it may be, the tail is rate·(1 + x/(count·mean))^−count (Lomax).

    Nor is it higher than the tail of a calibrated likelihood ratio, which falls tenfold every 10 dB. That one
    begins where Markov's inequality has the rate, or at the start of the tail if scores reach farther.

    Args:
        start_db: Where it starts.
        rate: There.
        mean_excess_db: How far scores above a high one exceed it on average.
        count: How many independent scores the mean is known from.
    """

    start_db: float
    rate: float
    mean_excess_db: float
    count: float

    @classmethod
    def fit(cls, histogram: LlrHistogram, null: Null, start_db: float) -> Self:
        """Fit the tail of one evidence class.

        Args:
            histogram: Unsoftened scores.
            null: Softened scores, with the upper limit of their survival.
            start_db: The unsoftened score at which that limit reaches the smallest resolved rate.
        """
        rate = null.resolution
        share = max(rate, min(_LARGEST_SHARE, _FITTED_SHARE * rate))
        return cls(start_db, rate, histogram.mean_excess_db(share), _independent(null, share))

    def survival(self, llr_db: FloatArray) -> FloatArray:
        """Return P(score ≥ value); float64, same shape; the rate itself below the start."""
        excess_db = np.maximum(llr_db - self.start_db, 0.0)
        fitted = self.rate * (1.0 + excess_db / (self.count * self.mean_excess_db)) ** -self.count
        markov_db = max(self.start_db, -10.0 * float(np.log10(self.rate)))
        return np.minimum(fitted, self.rate * 10.0 ** (-np.maximum(llr_db - markov_db, 0.0) / 10.0))


def continued(null: Null, histogram: LlrHistogram, softening: Softening) -> Null:
    """Return a null as measured down to its resolution, and beyond it as its fitted tail has it.

    A null whose scores fill the measured scale resolves nothing there; it is not continued.

    Args:
        null: Softened scores on the measured scale.
        histogram: The same scores, unsoftened.
        softening: Of the calibration.
    """
    first_bin, n_bins = softening.grid
    llr_db = softening.llr_db((first_bin + np.arange(n_bins)) * BIN_DB)
    measured_db = softening.measured_db(np.clip(llr_db, -_FAR_DB, _FAR_DB)) + _ROUNDING_DB
    survival = null.survival[np.clip(bin_index(measured_db) - null.first_bin, 0, null.survival.size - 1)]
    start_db = float(softening.measured_llr_db(null.threshold(null.resolution)))
    if not np.isfinite(start_db):
        return Null(first_bin, survival, -np.diff(survival, append=0.0), null.pairs)
    tail = Tail.fit(histogram, null, start_db)
    survival = np.where(llr_db < start_db - _ROUNDING_DB, survival, tail.survival(llr_db))
    return Null(
        first_bin,
        survival,
        -np.diff(survival, append=0.0),
        null.pairs,
        continued_to=null.resolution / REACH,
    )


def _independent(null: Null, share: float) -> float:
    """Read off the upper limit from how many independent scores a share is known: people share pairs."""
    measured = null.point().survival
    at = max(int(np.count_nonzero(measured > share)) - 1, 0)
    independent = measured[at] * null.pairs
    relative = null.survival[at] / measured[at] - 1.0
    if relative > 0.0:
        independent = min(independent, (_UPPER_95 / relative) ** 2)
    return max(1.0, float(independent))
