"""A smooth map from a cosine to a log-likelihood ratio, which evidence makes steeper or flatter."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

MAX_SECONDS = 15.0
"""Longer captures count as this long: the calibration data end here."""


@dataclass(frozen=True)
class LlrMap:
    """A smooth map from cosine to log-likelihood ratio that increases strictly for every length and quality.

    With x = (log seconds, quality), both standardized: u = cosine·exp(scale·x) + location·x and
    LLR = bias + offset·x + Σ_k exp(log_slopes_k)·R_k(u), where the ramps R_k have derivatives r_k ≥ 0 that
    sum to 1 (differences of logistic functions at consecutive knots; the outermost ramps are linear far out).
    So dLLR/dcosine = exp(scale·x)·Σ_k exp(log_slopes_k)·r_k(u) ≥ exp(scale·x)·min_k exp(log_slopes_k) > 0.

    Args:
        knots: Ascending positions on u, float64, shape (n_knots,).
        log_slopes: Natural logarithms, nats per unit of u, float64, shape (n_knots + 1,).
        bias: Nats.
        scale, location, offset: float64, shape (2,).
        seconds_range: Seconds between which the map was fitted; others are moved to the nearer end.
        quality_mean, quality_sd: Standardize the quality.

    Raises:
        ValueError: A range that does not ascend from above 0: the score of some length would not be finite.
    """

    knots: FloatArray
    log_slopes: FloatArray
    bias: float
    scale: FloatArray
    location: FloatArray
    offset: FloatArray
    seconds_range: tuple[float, float]
    quality_mean: float
    quality_sd: float

    def __post_init__(self) -> None:
        shortest, longest = self.seconds_range
        if not 0.0 < shortest <= longest < np.inf:
            raise ValueError(f"expected a range of seconds from above 0, found {shortest} to {longest}")
        if not 0.0 < self.quality_sd < np.inf:
            raise ValueError(f"expected a spread of quality above 0, found {self.quality_sd}")

    def nats(self, cosine: ArrayLike, amount: ArrayLike, quality: ArrayLike) -> FloatArray:
        """Return the natural-log likelihood ratio; arguments broadcast, result float64."""
        x = self.features(amount, quality)  # (..., 2)
        u = np.asarray(cosine, dtype=np.float64) * np.exp(x @ self.scale) + x @ self.location
        return np.asarray(self.bias + x @ self.offset + self.rise(u))

    def rise(self, u: FloatArray) -> FloatArray:
        """Sum the ramps at u, nats; increasing, same shape."""
        slopes, width = np.exp(self.log_slopes), self.width
        # Gathered by hinge, one at a time: this runs for every candidate of a search, and a matrix of all
        # hinges would cost more to allocate than to compute.
        rise = slopes[0] * u
        for knot, bend in zip(self.knots, np.diff(slopes), strict=True):
            rise = rise + bend * width * softplus((u - knot) / width)
        return np.asarray(rise)

    @cached_property
    def width(self) -> float:
        """Smoothing at the knots."""
        return hinge_width(self.knots)

    @property
    def heeds_amount(self) -> bool:
        """Whether the score depends on the amount of evidence, beside cosine and quality."""
        return bool(self.scale[0] or self.location[0] or self.offset[0])

    def features(self, amount: ArrayLike, quality: ArrayLike) -> FloatArray:
        """Standardize amount and quality; float64, shape (..., 2)."""
        longest = min(self.seconds_range[1], MAX_SECONDS)
        length = np.clip(np.asarray(amount, dtype=np.float64), self.seconds_range[0], longest)
        deviation = (np.asarray(quality, dtype=np.float64) - self.quality_mean) / self.quality_sd
        return np.stack(np.broadcast_arrays(np.log(length / 5.0), np.clip(deviation, -3.0, 3.0)), axis=-1)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form kept in a bundle."""
        return {
            "knots": self.knots.tolist(),
            "log_slopes": self.log_slopes.tolist(),
            "bias": self.bias,
            "scale": self.scale.tolist(),
            "location": self.location.tolist(),
            "offset": self.offset.tolist(),
            "seconds_range": list(self.seconds_range),
            "quality_mean": self.quality_mean,
            "quality_sd": self.quality_sd,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            KeyError: A part is missing.
            ValueError: A part contradicts itself.
        """

        def array(name: str, size: int) -> FloatArray:
            values = np.asarray(data[name], dtype=np.float64)
            if values.shape != (size,) or not np.all(np.isfinite(values)):
                raise ValueError(f"expected {size} finite numbers as {name}, found shape {values.shape}")
            return values

        knots = array("knots", len(data["knots"]))
        if knots.size < 2 or np.any(np.diff(knots) <= 0.0):
            raise ValueError("the knots of an LLR map ascend and are at least two")
        shortest, longest = (float(value) for value in data["seconds_range"])
        return cls(
            knots=knots,
            log_slopes=array("log_slopes", knots.size + 1),
            bias=float(data["bias"]),
            scale=array("scale", 2),
            location=array("location", 2),
            offset=array("offset", 2),
            seconds_range=(shortest, longest),
            quality_mean=float(data["quality_mean"]),
            quality_sd=float(data["quality_sd"]),
        )


def hinges(u: FloatArray, knots: FloatArray) -> FloatArray:
    """Evaluate the smooth hinges H_k = width·softplus((u − knot_k) / width); R_k = H_(k−1) − H_k.

    Args:
        u: float64, any shape (...).
        knots: Ascending, float64, shape (n_knots,).

    Returns:
        float64, shape (..., n_knots).
    """
    width = hinge_width(knots)
    return np.stack([width * softplus((u - knot) / width) for knot in knots], axis=-1)


def softplus(x: FloatArray) -> FloatArray:
    """Return log(1 + exp(x)) without overflow; float64, same shape.

    As `np.logaddexp(0, x)`, but of functions that numpy vectorises: eight times as fast.
    """
    return np.asarray(np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x))))


def hinge_width(knots: FloatArray) -> float:
    """Return the smoothing width at the knots: wide enough to be smooth, narrower than the gaps."""
    return 0.5 * float(np.median(np.diff(knots)))
