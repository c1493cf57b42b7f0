"""From a likelihood ratio to a score that claims no more than the calibration data carry, and back."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml.runtime.calibration.llr_map import softplus
from ml.runtime.calibration.nulls import BIN_DB, REACH, RESOLVED_PAIRS

FloatArray = NDArray[np.float64]

DB_PER_NAT = 10.0 / np.log(10.0)
SOFT_FLOOR = 0.01
"""LR′ never falls below it, so one bad modality cannot veto the others: −20 dB."""


@dataclass(frozen=True)
class Softening:
    """The score of a likelihood ratio: LR′ = (LR + 0.01) / (1 + LR·δ), in dB.

    Up to the ratio that the pairs resolve, δ is the smallest rate that they resolve, and 1/δ that ratio. This
    is the measured scale, on which bundles keep their nulls. Above, δ is the smallest rate that the fitted
    tail reaches: the ceiling follows the tail, and the scores below do not depend on it.

    Args:
        pairs: Unordered pairs of calibration people.
    """

    pairs: int

    @property
    def knee_db(self) -> float:
        """The likelihood ratio up to which scores lie on the measured scale."""
        return 10.0 * float(np.log10(self.pairs / RESOLVED_PAIRS))

    @property
    def ceiling_db(self) -> float:
        """The score that none exceeds."""
        return self.knee_db + 10.0 * float(np.log10(REACH)) - self._lost_db

    def score_db(self, llr_db: ArrayLike) -> FloatArray:
        """Return scores, finite and increasing for any finite argument; float64, same shape."""
        llrs_db = np.asarray(llr_db, dtype=np.float64)
        scores_db = self.measured_db(llrs_db)
        above = llrs_db > self.knee_db
        if above.any():
            scores_db = np.where(above, _soften(llrs_db, self._reached_delta) - self._lost_db, scores_db)
        return scores_db

    def measured_db(self, llr_db: ArrayLike) -> FloatArray:
        """Return scores on the measured scale throughout; float64, same shape."""
        return _soften(np.asarray(llr_db, dtype=np.float64), self._measured_delta)

    def llr_db(self, score_db: ArrayLike) -> FloatArray:
        """Invert `score_db`; −inf at or below the floor, +inf at or above the ceiling."""
        scores_db = np.asarray(score_db, dtype=np.float64)
        knee_score_db = float(self.measured_db(self.knee_db))
        below = _unsoften(np.minimum(scores_db, knee_score_db), self._measured_delta)
        above = _unsoften(scores_db + self._lost_db, self._reached_delta)
        return np.where(scores_db <= knee_score_db, below, above)

    def measured_llr_db(self, score_db: ArrayLike) -> FloatArray:
        """Invert `measured_db` likewise."""
        return _unsoften(np.asarray(score_db, dtype=np.float64), self._measured_delta)

    @property
    def grid(self) -> tuple[int, int]:
        """First bin and number of bins that hold every score."""
        return _grid(self.ceiling_db)

    @property
    def _measured_delta(self) -> float:
        return RESOLVED_PAIRS / self.pairs

    @property
    def _reached_delta(self) -> float:
        return self._measured_delta / REACH

    @property
    def _lost_db(self) -> float:
        """How much lower the measured scale is at the knee, where the two are joined."""
        return float(_soften(self.knee_db, self._reached_delta) - _soften(self.knee_db, self._measured_delta))


def softened_grid(non_mated_pairs: int) -> tuple[int, int]:
    """Return first bin and number of bins that hold every score of a calibration on the measured scale."""
    return _grid(10.0 * float(np.log10(max(non_mated_pairs, RESOLVED_PAIRS) / RESOLVED_PAIRS)))


def _grid(ceiling_db: float) -> tuple[int, int]:
    floor_db = 10.0 * float(np.log10(SOFT_FLOOR))
    first_bin = int(np.floor(floor_db / BIN_DB)) - 1  # One bin of room: rounding may fall below the floor.
    return first_bin, int(np.ceil(ceiling_db / BIN_DB)) + 2 - first_bin


def _soften(llr_db: ArrayLike, delta: float) -> FloatArray:
    nats = np.asarray(llr_db, dtype=np.float64) / DB_PER_NAT
    log_floor = np.log(SOFT_FLOOR)
    softened = log_floor + softplus(nats - log_floor) - softplus(nats + np.log(delta))
    return np.asarray(DB_PER_NAT * softened)


def _unsoften(score_db: ArrayLike, delta: float) -> FloatArray:
    ratio = 10.0 ** (np.asarray(score_db, dtype=np.float64) / 10.0)
    numerator, denominator = ratio - SOFT_FLOOR, 1.0 - ratio * delta
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = 10.0 * np.log10(numerator / denominator)
    return np.where(numerator <= 0.0, -np.inf, np.where(denominator <= 0.0, np.inf, inside))
