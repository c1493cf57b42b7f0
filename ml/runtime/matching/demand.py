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
        threshold_db = null.threshold(_share(self.fmr, comparisons))
        if self.fpir is None:
            return threshold_db
        return max(threshold_db, null.threshold(_share(self.fpir / self.subjects, comparisons)))


def _share(rate: float, comparisons: int) -> float:
    """Above 0, however small."""
    return max(rate / comparisons, _SMALLEST_RATE)
