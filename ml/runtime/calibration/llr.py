"""From a cosine to decibans: the calibrated likelihood ratio of one modality, and what it may claim."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml.runtime.calibration.nulls import (
    BIN_DB,
    CLASS_SECONDS,
    EVIDENCE_CLASSES,
    RESOLVED_PAIRS,
    LlrHistogram,
    Null,
)

FloatArray = NDArray[np.float64]

DB_PER_NAT = 10.0 / np.log(10.0)
MAX_SECONDS = 15.0
"""Longer captures count as this long: the calibration data end here."""
SOFT_FLOOR = 0.01
"""LR′ never falls below it, so one bad modality cannot veto the others: −20 dB."""


@dataclass(frozen=True)
class LlrMap:
    """A smooth map from cosine to log-likelihood ratio that increases strictly for every length and quality.

    With x = (log seconds, quality), both standardised: u = cosine·exp(scale·x) + location·x and
    LLR = bias + offset·x + Σ_k exp(log_slopes_k)·R_k(u), where the ramps R_k have derivatives r_k ≥ 0 that
    sum to 1 (differences of logistic functions at consecutive knots; the outermost ramps are linear far out).
    So dLLR/dcosine = exp(scale·x)·Σ_k exp(log_slopes_k)·r_k(u) ≥ exp(scale·x)·min_k exp(log_slopes_k) > 0.

    Args:
        knots: Ascending positions on u, float64, shape (n_knots,).
        log_slopes: Natural logarithms, nats per unit of u, float64, shape (n_knots + 1,).
        bias: Nats.
        scale, location, offset: float64, shape (2,).
        seconds_range: Seconds between which the map was fitted; others are moved to the nearer end.
        quality_mean, quality_sd: Standardise the quality.
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

    def nats(self, cosine: ArrayLike, seconds: ArrayLike, quality: ArrayLike) -> FloatArray:
        """Give the natural-log likelihood ratio; arguments broadcast, result float64."""
        x = self.features(seconds, quality)  # (..., 2)
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

    def features(self, seconds: ArrayLike, quality: ArrayLike) -> FloatArray:
        """Standardise length and quality; float64, shape (..., 2)."""
        longest = min(self.seconds_range[1], MAX_SECONDS)
        length = np.clip(np.asarray(seconds, dtype=np.float64), self.seconds_range[0], longest)
        deviation = (np.asarray(quality, dtype=np.float64) - self.quality_mean) / self.quality_sd
        return np.stack(np.broadcast_arrays(np.log(length / 5.0), np.clip(deviation, -3.0, 3.0)), axis=-1)


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
    """Give log(1 + exp(x)) without overflow; float64, same shape.

    As `np.logaddexp(0, x)`, but of functions that numpy vectorises: eight times as fast.
    """
    return np.asarray(np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x))))


def hinge_width(knots: FloatArray) -> float:
    """Give the smoothing width at the knots: wide enough to be smooth, narrower than the gaps."""
    return 0.5 * float(np.median(np.diff(knots)))


@dataclass(frozen=True)
class Calibration:
    """All that turns a cosine of one encoder into a score and a decision threshold.

    Args:
        llr_map: Cosine → LLR.
        nulls: Softened non-mated scores per evidence class.
        llr_histograms: Unsoftened non-mated scores per evidence class, for a gallery's correction.
        mated_quantiles_db: 5 % quantile of the unsoftened mated scores per evidence class.
        non_mated_pairs: Unordered pairs of calibration people; they set the ceiling.
        people: Calibration people.
        mated_medians_db: (seconds, median unsoftened mated score) at growing lengths of evidence.
    """

    llr_map: LlrMap
    nulls: tuple[Null, ...]
    llr_histograms: tuple[LlrHistogram, ...]
    mated_quantiles_db: tuple[float, ...]
    non_mated_pairs: int
    people: int
    mated_medians_db: tuple[tuple[float, float], ...] = ()

    @property
    def ceiling_db(self) -> float:
        """The score that no evidence in this modality exceeds."""
        return 10.0 * float(np.log10(self.non_mated_pairs / RESOLVED_PAIRS))

    def llr_db(self, cosine: ArrayLike, seconds: ArrayLike, quality: ArrayLike) -> FloatArray:
        """Give unsoftened scores, strictly increasing in the cosine.

        Args:
            cosine: In [−1, 1]; any shape.
            seconds: Accepted seconds of the shorter side.
            quality: Seconds-weighted mean quality of both sides, 0 to 1.

        Returns:
            Decibans, float64, broadcast shape.
        """
        return np.asarray(DB_PER_NAT * self.llr_map.nats(cosine, seconds, quality))

    def identical_llr_db(self, evidence_class: int) -> float:
        """Give the unsoftened score of two equal vectors of usual length and quality: none is much higher."""
        return float(self.llr_db(1.0, CLASS_SECONDS[evidence_class], self.llr_map.quality_mean))

    def soften_db(self, llr_db: ArrayLike) -> FloatArray:
        """Claim no more than the calibration data carry: LR′ = (LR + 0.01) / (1 + LR·30/pairs), in dB.

        Finite and monotone for any finite argument; float64, same shape.
        """
        nats = np.asarray(llr_db, dtype=np.float64) / DB_PER_NAT
        log_limit = np.log(RESOLVED_PAIRS / self.non_mated_pairs)
        log_floor = np.log(SOFT_FLOOR)
        softened = log_floor + softplus(nats - log_floor) - softplus(nats + log_limit)
        return np.asarray(DB_PER_NAT * softened)

    def unsoften_db(self, score_db: ArrayLike) -> FloatArray:
        """Invert `soften_db`; −inf at or below the floor, +inf at or above the ceiling."""
        ratio = 10.0 ** (np.asarray(score_db, dtype=np.float64) / 10.0)
        numerator = ratio - SOFT_FLOOR
        denominator = 1.0 - ratio * RESOLVED_PAIRS / self.non_mated_pairs
        with np.errstate(divide="ignore", invalid="ignore"):
            inside = 10.0 * np.log10(numerator / denominator)
        return np.where(numerator <= 0.0, -np.inf, np.where(denominator <= 0.0, np.inf, inside))

    def null(self, evidence_class: int) -> Null:
        """Give the null of an evidence class; a modality with one class has the same for all."""
        return self.nulls[min(evidence_class, len(self.nulls) - 1)]

    def llr_histogram(self, evidence_class: int) -> LlrHistogram:
        """Give the unsoftened non-mated scores of an evidence class."""
        return self.llr_histograms[min(evidence_class, len(self.llr_histograms) - 1)]

    def mated_quantile_db(self, evidence_class: int) -> float:
        """Give the 5 % quantile of the unsoftened mated scores of an evidence class."""
        return self.mated_quantiles_db[min(evidence_class, len(self.mated_quantiles_db) - 1)]

    def reached_by_chance_db(self, evidence_class: int, rate: float) -> float:
        """Give the unsoftened score that non-mated comparisons reach at this rate.

        No claim about rates smaller than the pairs resolve: there the tail is continued as an exponential.
        """
        return self.llr_histogram(evidence_class).quantile(rate)

    def expected_gain_db(self, now_s: ArrayLike, then_s: ArrayLike) -> FloatArray:
        """Tell by how much the median mated score grows with longer evidence; never negative.

        Args:
            now_s: Accepted seconds of the shorter side.
            then_s: What they could become; arguments broadcast.
        """
        if not self.mated_medians_db:
            return np.zeros(np.broadcast(now_s, then_s).shape)
        seconds, medians = np.array(self.mated_medians_db).T
        reached = np.maximum.accumulate(medians)
        now, then = (np.interp(np.log(s), np.log(seconds), reached) for s in (now_s, then_s))
        return np.maximum(0.0, np.subtract(then, now))

    def mated_cosine(self, seconds: ArrayLike) -> FloatArray:
        """Give the cosine that two recordings of one person usually have; float64, same shape.

        It is where the map reaches the median mated score of that length or, in bundles that do not know it,
        the 5 % quantile.

        Args:
            seconds: Of the shorter one.
        """
        known = self.mated_medians_db or tuple(zip(CLASS_SECONDS, self.mated_quantiles_db, strict=False))
        lengths, scores_db = np.array(known).T
        cosines = np.linspace(-1.0, 1.0, 401)
        found = [
            np.interp(score_db, self.llr_db(cosines, length, self.llr_map.quality_mean), cosines)
            for length, score_db in zip(lengths, scores_db, strict=True)
        ]
        clipped = np.clip(np.asarray(seconds, dtype=np.float64), lengths[0], lengths[-1])
        return np.asarray(np.interp(np.log(clipped), np.log(lengths), np.maximum.accumulate(found)))

    def expected_agreement(self, seconds: ArrayLike) -> float:
        """Give the length that the mean of unit vectors usually has if they are one person's.

        Args:
            seconds: Of each recording, shape (n,), n ≥ 1.
        """
        lengths = np.asarray(seconds, dtype=np.float64)
        cosine = self.mated_cosine(np.minimum.outer(lengths, lengths))
        np.fill_diagonal(cosine, 1.0)
        return float(np.sqrt(max(float(cosine.mean()), 1.0 / lengths.size)))

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form kept in a bundle."""
        fields = self.llr_map
        return {
            "people": self.people,
            "non_mated_pairs": self.non_mated_pairs,
            "ceiling_db": self.ceiling_db,
            "llr_map": {
                "knots": fields.knots.tolist(),
                "log_slopes": fields.log_slopes.tolist(),
                "bias": fields.bias,
                "scale": fields.scale.tolist(),
                "location": fields.location.tolist(),
                "offset": fields.offset.tolist(),
                "seconds_range": list(fields.seconds_range),
                "quality_mean": fields.quality_mean,
                "quality_sd": fields.quality_sd,
            },
            "mated_quantiles_db": list(self.mated_quantiles_db),
            "mated_medians_db": [list(point) for point in self.mated_medians_db],
            "nulls": [null.to_dict() for null in self.nulls],
            "llr_histograms": [histogram.to_dict() for histogram in self.llr_histograms],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            KeyError: A part is missing.
            ValueError: A part contradicts itself.
        """
        calibration = cls(
            llr_map=_llr_map_from_dict(data["llr_map"]),
            nulls=tuple(Null.from_dict(null) for null in data["nulls"]),
            llr_histograms=tuple(LlrHistogram.from_dict(part) for part in data["llr_histograms"]),
            mated_quantiles_db=tuple(float(value) for value in data["mated_quantiles_db"]),
            non_mated_pairs=int(data["non_mated_pairs"]),
            people=int(data["people"]),
            mated_medians_db=tuple((float(s), float(db)) for s, db in data.get("mated_medians_db", ())),
        )
        parts = {len(calibration.nulls), len(calibration.llr_histograms), len(calibration.mated_quantiles_db)}
        if len(parts) != 1 or not calibration.nulls or calibration.non_mated_pairs < 1:
            raise ValueError("a calibration has one null, histogram and mated quantile per evidence class")
        if (found := len(calibration.nulls)) not in (1, EVIDENCE_CLASSES):
            raise ValueError(
                f"expected 1 or {EVIDENCE_CLASSES} evidence classes, found {found}: calibrate again"
            )
        return calibration


def softened_grid(non_mated_pairs: int) -> tuple[int, int]:
    """Give first bin and number of bins that hold every softened score of a calibration."""
    floor_db = 10.0 * float(np.log10(SOFT_FLOOR))
    ceiling_db = 10.0 * float(np.log10(max(non_mated_pairs, RESOLVED_PAIRS) / RESOLVED_PAIRS))
    first_bin = int(np.floor(floor_db / BIN_DB)) - 1  # One bin of room: rounding may fall below the floor.
    return first_bin, int(np.ceil(ceiling_db / BIN_DB)) + 2 - first_bin


def _llr_map_from_dict(data: Mapping[str, Any]) -> LlrMap:
    def array(name: str, size: int) -> FloatArray:
        values = np.asarray(data[name], dtype=np.float64)
        if values.shape != (size,) or not np.all(np.isfinite(values)):
            raise ValueError(f"expected {size} finite numbers as {name}, found shape {values.shape}")
        return values

    knots = array("knots", len(data["knots"]))
    if knots.size < 2 or np.any(np.diff(knots) <= 0.0):
        raise ValueError("the knots of an LLR map ascend and are at least two")
    shortest, longest = (float(value) for value in data["seconds_range"])
    return LlrMap(
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
