"""What a gallery learns with long strips, carried over to short ones.

A gallery measures its shift among its enrolled references, which are usually long; probes may be short. In
decibans the shift differs with the length. In the cosine it hardly does: a component common to all vectors
moves a cosine c to c + (1 − c)·κ, and at a rate of 0.1 % the same κ was found for 3, 5, 10 and 15 s. So κ is
read off the enrolled classes rate by rate, and moves the bundle's quantiles of every other class
(results/experiments/short-probes.json).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ml.runtime.calibration.llr import Calibration

FloatArray = NDArray[np.float64]

_RATES = np.geomspace(0.5, 1e-5, 30)
_COSINES = np.linspace(-1.0, 1.0, 801)
_LARGEST_KAPPA = 0.95
_LEAST_ROOM = 0.05
"""A shift that leaves no difference between people cannot be carried over; these keep the map finite."""


@dataclass(frozen=True)
class ClassShift:
    """An increasing map from a gallery's own scores to the bundle's, for one evidence class.

    Args:
        own_db: Uncorrected scores of the gallery, ascending; float64, shape (n,).
        bundle_db: The bundle's scores of the same rates; shape (n,).
        slope: Of the map beyond both ends.
    """

    own_db: FloatArray
    bundle_db: FloatArray
    slope: float

    @classmethod
    def carried(
        cls,
        calibration: "Calibration",
        affine: tuple[float, float],
        enrolled_shares: Sequence[float],
        evidence_class: int,
    ) -> Self:
        """Carry the affine map of the enrolled classes over to another class.

        Args:
            calibration: Of the encoder.
            affine: Slope and offset in dB of the map found among the enrolled.
            enrolled_shares: Share of the gallery's own comparisons per evidence class, summing to 1.
            evidence_class: Where to.
        """
        slope, offset_db = affine
        kappa = np.zeros(_RATES.size)
        for k, share in enumerate(enrolled_shares):
            if share > 0.0:
                curve = _Curve.of(calibration, k)
                bundle_db = _quantiles_db(calibration, k)
                bundle, own = curve.cosine(bundle_db), curve.cosine((bundle_db - offset_db) / slope)
                kappa += share * (own - bundle) / np.maximum(1.0 - bundle, _LEAST_ROOM)
        curve = _Curve.of(calibration, evidence_class)
        bundle_db = _quantiles_db(calibration, evidence_class)
        cosine = curve.cosine(bundle_db)
        own_db = curve.llr_db(cosine + (1.0 - cosine) * np.minimum(kappa, _LARGEST_KAPPA))
        return cls(np.maximum.accumulate(own_db), bundle_db, slope)

    def to_bundle(self, own_db: FloatArray) -> FloatArray:
        """Return the bundle's score that stands for the gallery's; float64, same shape, dB."""
        between = np.interp(own_db, self.own_db, self.bundle_db)
        below = self.slope * np.minimum(own_db - self.own_db[0], 0.0)
        above = self.slope * np.maximum(own_db - self.own_db[-1], 0.0)
        return np.asarray(between + below + above)


@dataclass(frozen=True)
class _Curve:
    """Cosine and LLR of one evidence class, at its usual length and quality: each grows with the other."""

    cosines: FloatArray
    llrs_db: FloatArray

    @classmethod
    def of(cls, calibration: "Calibration", evidence_class: int) -> Self:
        return cls(_COSINES, calibration.usual_llr_db(_COSINES, evidence_class))

    def cosine(self, llr_db: FloatArray) -> FloatArray:
        return np.interp(llr_db, self.llrs_db, self.cosines)

    def llr_db(self, cosine: FloatArray) -> FloatArray:
        return np.interp(cosine, self.cosines, self.llrs_db)


def _quantiles_db(calibration: "Calibration", evidence_class: int) -> FloatArray:
    histogram = calibration.llr_histogram(evidence_class)
    return np.array([histogram.quantile(rate) for rate in _RATES])
