"""From what a comparison finds to one number: how much likelier one finger is than two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

RELAXED_FLOOR: Final = 0.003
LEAST_OVERLAP: Final = 5.0


@dataclass(frozen=True)
class Combiner:
    """A logistic regression over what relaxation and alignment find, and the squashing of its log odds.

    The first terms need no alignment. Where they are hopeless, the others count as what strangers usually
    reach, and no alignment is sought: most comparisons of a search end there.

    Args:
        bias: Log odds where everything is 0.
        log_relaxed: Weight of the logarithm of the relaxed score.
        log_minutiae: Weight of the logarithm of the number of minutiae on the poorer side.
        root_met_share: Weight of √(met² / overlap).
        met_share: Weight of met / overlap.
        hopeless_relaxed: Relaxed score below which no alignment is sought.
        strangers_root_met_share, strangers_met_share: What counts there.
        scale: Log odds that make a similarity of tanh(1).
    """

    bias: float = 0.0
    log_relaxed: float = 1.0
    log_minutiae: float = 0.0
    root_met_share: float = 1.0
    met_share: float = 1.0
    hopeless_relaxed: float = 0.0
    strangers_root_met_share: float = 0.0
    strangers_met_share: float = 0.0
    scale: float = 10.0

    def hopeful(self, relaxed: FloatArray) -> NDArray[np.bool_]:
        """Which pairs of templates are worth an alignment."""
        return np.asarray(relaxed >= self.hopeless_relaxed)

    def without_alignment(self, relaxed: FloatArray, minutiae: NDArray[np.int64]) -> FloatArray:
        """Return the similarity of pairs that are not aligned; arrays of shape (n,)."""
        strangers = (
            self.root_met_share * self.strangers_root_met_share + self.met_share * self.strangers_met_share
        )
        return self._similarity(self._first(relaxed, minutiae) + strangers)

    def with_alignment(
        self, relaxed: FloatArray, minutiae: NDArray[np.int64], met: FloatArray, overlap: FloatArray
    ) -> FloatArray:
        """Return the similarity of aligned pairs; arrays of shape (n,)."""
        root, share = alignment_features(met, overlap)
        return self._similarity(
            self._first(relaxed, minutiae) + self.root_met_share * root + self.met_share * share
        )

    def _first(self, relaxed: FloatArray, minutiae: NDArray[np.int64]) -> FloatArray:
        logarithm, counted = first_features(relaxed, minutiae)
        return self.bias + self.log_relaxed * logarithm + self.log_minutiae * counted

    def _similarity(self, log_odds: FloatArray) -> FloatArray:
        return np.asarray(np.tanh(log_odds / self.scale))


def first_features(relaxed: FloatArray, minutiae: NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    """Return what is known before an alignment."""
    return np.log(relaxed + RELAXED_FLOOR), np.log1p(minutiae.astype(np.float64))


def alignment_features(met: FloatArray, overlap: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what an alignment adds."""
    shared = np.maximum(overlap, LEAST_OVERLAP)
    return met / np.sqrt(shared), met / shared
