"""What non-mated comparisons score: histograms, thresholds at a false-match rate, and their sums.

Every score here is in decibans. Curves live on a grid of 0.25 dB: bin k holds scores in [k, k + 1) · 0.25 dB,
so that the survival curve at a grid point is exact and a threshold is always a grid point.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

BIN_DB = 0.25
RESOLVED_PAIRS = 30
"""A rate is resolved where at least this many non-mated pairs are expected above (rule of 30)."""
REACH = 300.0
"""A fitted tail is believed down to the smallest resolved rate divided by this.

Fitted on 41 people of CinC, the smallest number that ships, others reach about such a rate (1e-4) 1.0 to 1.2
times as often as stated with 3-s strips and 0.3 times with 10-s strips; a quarter of it, 1.6 to 1.8 and 0.4
to 0.6 times (results/experiments/null-tail.json).
"""
SHARED = 1.06
"""How many times as often fused scores of different people reach a threshold as independent ones would.

People of one sex resemble each other more in ECG and in face (results/experiments/shared-sex.json).
"""
_CLASS_EDGES_S = (5.0, 7.5, 12.5)
CLASS_SECONDS = (3.0, 5.0, 10.0, 15.0)
"""The length of each class that encoders are calibrated at."""
EVIDENCE_CLASSES = len(CLASS_SECONDS)
"""Each class holds one of the lengths that encoders are calibrated at.

A class that pools two is wrong at both: with 5 to 10 s as one, strangers of D1-dev reached the threshold for
1 % 1.46 times as often as stated with 5 s and 0.69 times with 10 s; now 1.09 and 1.05 times.
"""
_SMALLEST_FMR = 1e-300


def evidence_class(seconds: float) -> int:
    """Return the evidence class of one comparison: 0 below 5 s, 1 below 7.5 s, 2 below 12.5 s, then 3.

    Args:
        seconds: Accepted seconds of the shorter side.
    """
    return int(evidence_classes(seconds))


def evidence_classes(seconds: ArrayLike) -> IntArray:
    """Return the evidence class of many comparisons; int64, shape of `seconds`."""
    values = np.asarray(seconds, dtype=np.float64)
    return np.asarray(np.searchsorted(_CLASS_EDGES_S, values, side="right"), dtype=np.int64)


@dataclass(frozen=True)
class Null:
    """The distribution of non-mated softened scores in one evidence class.

    Args:
        first_bin: Index of the lowest bin; no score lies below it.
        survival: Upper limit of P(score ≥ grid point), float64, shape (n_bins,); starts at 1, never rises.
        histogram: Share of scores per bin as measured, float64, shape (n_bins,).
        pairs: Unordered pairs of people behind it; for a sum, those of its smallest part.
        continued_to: The smallest rate that the curve may be read at, where a fitted tail continues it beyond
            the resolution of the pairs.
    """

    first_bin: int
    survival: FloatArray
    histogram: FloatArray
    pairs: int
    continued_to: float | None = None

    @property
    def resolution(self) -> float:
        """The smallest false-match rate that the pairs resolve."""
        return min(1.0, RESOLVED_PAIRS / self.pairs)

    @property
    def reach(self) -> float:
        """The smallest false-match rate that is read off the curve."""
        return self.resolution if self.continued_to is None else self.continued_to

    def threshold(self, fmr: float) -> float:
        """Return the score in dB that non-mated comparisons reach at most at the rate `fmr`.

        Where the pairs resolve the rate, this is the measured quantile, and beyond that of the fitted tail.
        Beyond its reach, −10·log10(fmr) bounds the rate of any calibrated likelihood ratio (Markov's
        inequality). The running maximum makes it monotone.

        Raises:
            ValueError: `fmr` is not in (0, 1].
        """
        if not 0.0 < fmr <= 1.0:
            raise ValueError(f"a false-match rate lies in (0, 1], not {fmr}")
        if fmr >= self.reach:
            return self._quantile(fmr)
        return max(self._quantile(self.reach), _markov_threshold_db(fmr))

    def fmr_at(self, score_db: float) -> float:
        """Return the smallest false-match rate whose threshold `score_db` reaches; in (0, 1]."""
        if score_db >= self._quantile(self.reach):
            return float(min(self.reach, max(10.0 ** (-score_db / 10.0), _SMALLEST_FMR)))
        position = int(np.floor(score_db / BIN_DB)) - self.first_bin
        return float(self.survival[max(position, 0)])

    def convolve(self, other: "Null") -> "Null":
        """Return the null of the sum of two independent scores, every bin rounded up."""
        # Scores of the bins a and b sum to less than a + b + 2 bins, so bin a + b + 1 holds or exceeds them.
        return Null(
            first_bin=self.first_bin + other.first_bin + 1,
            survival=_survival(np.convolve(_shares(self.survival), _shares(other.survival))),
            histogram=np.convolve(self.histogram, other.histogram),
            pairs=min(self.pairs, other.pairs),
            continued_to=self._reached_with(other),
        )

    def point(self) -> "Null":
        """Return the same null with the measured survival curve instead of its upper limit."""
        return Null(self.first_bin, _survival(self.histogram), self.histogram, self.pairs)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form kept in a bundle."""
        return {
            "bin_db": BIN_DB,
            "first_bin": self.first_bin,
            "pairs": self.pairs,
            "survival_upper_95": self.survival.tolist(),
            "histogram": self.histogram.tolist(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            ValueError: Another bin width, or a curve that does not start at 1 or rises.
        """
        survival = np.asarray(data["survival_upper_95"], dtype=np.float64)
        histogram = np.asarray(data["histogram"], dtype=np.float64)
        if data["bin_db"] != BIN_DB:
            raise ValueError(f"expected bins of {BIN_DB} dB, found {data['bin_db']}")
        if survival.shape != histogram.shape or not survival.size or survival[0] != 1.0:
            raise ValueError("a survival curve starts at 1 and has one value per bin")
        if np.any(np.diff(survival) > 0.0) or survival[-1] < 0.0 or int(data["pairs"]) < 1:
            raise ValueError("a survival curve never rises and stands on at least one pair")
        return cls(int(data["first_bin"]), survival, histogram, int(data["pairs"]))

    def _reached_with(self, other: "Null") -> float | None:
        """Independent scores reach the product of their rates; where no tail is fitted, no sum is read."""
        if self.continued_to is None or other.continued_to is None:
            return None
        return max(self.continued_to * other.continued_to, _SMALLEST_FMR)

    def _quantile(self, fmr: float) -> float:
        below = int(np.count_nonzero(self.survival > fmr))
        return (self.first_bin + below) * BIN_DB


@dataclass(frozen=True)
class LlrHistogram:
    """Unsoftened non-mated scores in 0.25-dB bins.

    Softening saturates near −20 dB, so the centres of two nulls can only be compared on this scale.

    Args:
        first_bin: Index of the lowest bin; scores below it are counted in it.
        shares: float64, shape (n_bins,), summing to 1.
        pairs: Unordered pairs of people behind it.
    """

    first_bin: int
    shares: FloatArray
    pairs: int

    def quantile(self, upper_share: float) -> float:
        """Return the score in dB above which `upper_share` of the scores lie, interpolated within a bin.

        Beyond the resolution of the pairs the tail is continued as an exponential with the slope of its last
        measured decade: no claim about rates, but an outlier limit that grows with the number of comparisons
        made.
        """
        resolution = min(0.1, RESOLVED_PAIRS / self.pairs)
        if upper_share >= resolution:
            return self._interpolate(upper_share)
        last = self._interpolate(resolution)
        per_decade = max(last - self._interpolate(min(0.5, 10.0 * resolution)), BIN_DB)
        return last + per_decade * float(np.log10(resolution / upper_share))

    def survival(self, llr_db: FloatArray) -> FloatArray:
        """Return the share of scores in the bin of each value or above; float64, same shape."""
        above = np.append(np.cumsum(self.shares[::-1])[::-1], 0.0)  # (n_bins + 1,), 0 above the highest
        bins = np.floor(np.clip(llr_db, *_LLR_RANGE_DB) / BIN_DB).astype(np.int64) - self.first_bin
        return np.asarray(above[np.clip(bins, 0, self.shares.size)])

    def mean_excess_db(self, upper_share: float) -> float:
        """Return how far the highest `upper_share` of the scores exceed the lowest of them on average."""
        above = np.cumsum(self.shares[::-1])[::-1]  # (n_bins,), at the lower edge of each bin
        lowest = max(int(np.count_nonzero(above > upper_share)) - 1, 0)
        shares = self.shares[lowest:]
        return float(shares @ (np.arange(shares.size) + 0.5) * BIN_DB / shares.sum())

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form kept in a bundle."""
        return {"first_bin": self.first_bin, "pairs": self.pairs, "shares": self.shares.tolist()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(int(data["first_bin"]), np.asarray(data["shares"], dtype=np.float64), int(data["pairs"]))

    @classmethod
    def of(cls, llr_db: FloatArray, *, pairs: int) -> Self:
        """Count scores; float64, any shape, in dB."""
        bins = bin_index(np.clip(llr_db, *_LLR_RANGE_DB))
        first = int(bins.min())
        counts = np.bincount((bins - first).ravel())
        return cls(first, counts / counts.sum(), pairs)

    @classmethod
    def mixture(cls, parts: Sequence["LlrHistogram"], weights: Sequence[float]) -> Self:
        """Mix histograms in the given proportions; the pairs are those of the smallest part."""
        first = min(part.first_bin for part in parts)
        end = max(part.first_bin + part.shares.size for part in parts)
        shares = np.zeros(end - first)
        for part, weight in zip(parts, weights, strict=True):
            start = part.first_bin - first
            shares[start : start + part.shares.size] += weight * part.shares
        return cls(first, shares / shares.sum(), min(part.pairs for part in parts))

    def _interpolate(self, upper_share: float) -> float:
        above = np.append(
            np.cumsum(self.shares[::-1])[::-1], 0.0
        )  # (n_bins + 1,), at the lower edge of each bin
        edges_db = (self.first_bin + np.arange(above.size)) * BIN_DB
        return float(np.interp(upper_share, above[::-1], edges_db[::-1]))


_LLR_RANGE_DB = (-300.0, 300.0)
"""Unsoftened scores outside are counted at the edge; calibrated data stay far inside."""


def fused(nulls: Sequence[Null]) -> Null:
    """Return the null of the sum of scores of several modalities, at least one.

    Different people may share what several modalities show, such as the sex: `SHARED` is what that adds.
    """
    total, *others = nulls
    if not others:
        return total
    for one in others:
        total = total.convolve(one)
    return replace(total, survival=np.minimum(1.0, SHARED * total.survival))


def bin_index(score_db: FloatArray) -> IntArray:
    """Return the bin of each score; int64, same shape."""
    return np.floor(score_db / BIN_DB).astype(np.int64)


@dataclass(frozen=True)
class PairScores:
    """Non-mated softened scores with the two people of each comparison.

    Args:
        score_db: float64, shape (n,).
        first: Index of one person, int64, shape (n,).
        second: Index of the other, int64, shape (n,).
        people: Number of people; indices lie below it.
    """

    score_db: FloatArray
    first: IntArray
    second: IntArray
    people: int

    @property
    def pairs(self) -> int:
        """Unordered pairs of people that were compared."""
        low, high = np.minimum(self.first, self.second), np.maximum(self.first, self.second)
        return int(np.count_nonzero(np.bincount(low * self.people + high)))


def fit_null(
    scores: PairScores, *, first_bin: int, n_bins: int, replicates: int = 200, seed: int = 20261120
) -> Null:
    """Measure a null and its upper 95 % limit by a bootstrap over people.

    A person drawn w times enters every comparison with weight w, so a comparison of i and j counts w_i·w_j; a
    person is never compared with himself. Comparisons share people, and this is what carries their
    dependence.

    Args:
        scores: Non-mated scores.
        first_bin: Lowest bin of the grid; lower scores are counted in it.
        n_bins: Size of the grid; higher scores are counted in its last bin.
        replicates: Bootstrap draws.
        seed: Of the draws.

    Raises:
        ValueError: No scores.
    """
    if not scores.score_db.size:
        raise ValueError("a null needs at least one non-mated score")
    bins = np.clip(bin_index(scores.score_db) - first_bin, 0, n_bins - 1)
    histogram: FloatArray = np.bincount(bins, minlength=n_bins) / bins.size
    curves = np.stack(
        [
            _survival(_weighted_counts(bins, weights[scores.first] * weights[scores.second], n_bins))
            for weights in _multiplicities(scores.people, replicates, seed)
        ]
    )  # (replicates, n_bins)
    upper = np.maximum(np.quantile(curves, 0.95, axis=0), _survival(histogram))
    return Null(first_bin, upper, histogram, scores.pairs)


def _multiplicities(people: int, replicates: int, seed: int) -> Iterable[FloatArray]:
    generator = np.random.default_rng(seed)
    for _ in range(replicates):
        drawn = generator.integers(0, people, size=people)
        yield np.bincount(drawn, minlength=people).astype(np.float64)


def _weighted_counts(bins: IntArray, weights: FloatArray, n_bins: int) -> FloatArray:
    return np.asarray(np.bincount(bins, weights=weights, minlength=n_bins), dtype=np.float64)


def _survival(weights: FloatArray) -> FloatArray:
    """P(score ≥ lower edge of the bin) from the weight in each bin; exactly 1 at the first."""
    above = np.cumsum(weights[::-1])[::-1]
    if above[0] <= 0.0:  # A bootstrap draw of a single person compares nobody.
        above = np.append(1.0, np.zeros(weights.size - 1))
    return np.asarray(above / above[0], dtype=np.float64)


def _shares(survival: FloatArray) -> FloatArray:
    return -np.diff(survival, append=0.0)


def _markov_threshold_db(fmr: float) -> float:
    threshold_db = -10.0 * float(np.log10(fmr))
    while 10.0 ** (-threshold_db / 10.0) > fmr:  # Rounding must not break fmr_at(threshold(f)) ≤ f.
        threshold_db = float(np.nextafter(threshold_db, np.inf))
    return threshold_db
