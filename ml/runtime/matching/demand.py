"""The error rates that a decision keeps, and the threshold that follows (DESIGN §4)."""

import math
from dataclasses import dataclass

from ml.runtime.calibration.nulls import Null

_SMALLEST_RATE = math.ulp(0.0)


@dataclass(frozen=True)
class Demand:
    """What is demanded of a comparison, or of each comparison of a search.

    Args:
        fmr: False-match rate of comparing two people, in (0, 1].
        fpir: False-positive identification rate of a whole search, in (0, 1]; None for a claimed identity.
        subjects: Among how many a search goes.
    """

    fmr: float
    fpir: float | None = None
    subjects: int = 1

    def threshold_db(self, null: Null, comparisons: int = 1) -> float:
        """Return the threshold of the largest of several comparisons with one subject.

        It reaches a score at most as often as all of them together do (Boole's inequality), whatever they
        have in common. So each of them gets its share of the rate, and each subject its share of a search's.

        Args:
            null: Non-mated scores of a single comparison.
            comparisons: Of how many the largest counts.
        """
        return null.threshold(self._rate(comparisons))

    def is_measured(self, null: Null, comparisons: int = 1) -> bool:
        """Return whether the threshold is a counted quantile, and not read off a fitted tail or a bound."""
        return self._rate(comparisons) >= null.resolution

    def _rate(self, comparisons: int) -> float:
        """The smaller of both, of a single comparison: it has the higher threshold."""
        rate = self.fmr if self.fpir is None else min(self.fmr, self.fpir / self.subjects)
        return _share(rate, comparisons)


def _share(rate: float, comparisons: int) -> float:
    """Above 0, however small."""
    return max(rate / comparisons, _SMALLEST_RATE)
