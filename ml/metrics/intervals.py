"""Confidence intervals over people, because people are the sampling unit."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Interval:
    """A 95 % interval."""

    low: float
    high: float

    def to_list(self) -> list[float]:
        """Return the JSON form."""
        return [self.low, self.high]


def wilson(count: int, n: int) -> Interval:
    """Return the 95 % interval of a share from k of n independent trials.

    Raises:
        ValueError: Not 0 ≤ count ≤ n, or n < 1.

    Source:
        Wilson, 1927, Probable inference, the law of succession, and statistical inference.
    """
    if not 0 <= count <= n or n < 1:
        raise ValueError(f"expected 0 ≤ count ≤ n and n ≥ 1, got {count} of {n}")
    share, z2 = count / n, _Z_95**2
    center = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z_95 / (1 + z2 / n) * float(np.sqrt(share * (1 - share) / n + z2 / (4 * n * n)))
    low, high = max(0.0, center - half), min(1.0, center + half)
    return Interval(0.0 if count == 0 else low, 1.0 if count == n else high)


def subject_bootstrap(
    statistic: Callable[[FloatArray], float], people: int, *, replicates: int = 300, seed: int = 20261120
) -> Interval:
    """Return the 95 % percentile interval of a statistic over resampled people.

    Args:
        statistic: Multiplicity of each person, shape (people,) → value; NaN if undefined.
        people: Number of people.
        replicates: Number of draws.
        seed: Of the draws.

    Raises:
        ValueError: The statistic is undefined in all draws.
    """
    values = np.array([statistic(weights) for weights in redrawn_people(people, replicates, seed)])
    values = values[np.isfinite(values)]
    if not values.size:
        raise ValueError("the statistic is undefined in every bootstrap draw")
    low, high = np.quantile(values, [0.025, 0.975])
    return Interval(float(low), float(high))


def share_bootstrap(hits: NDArray[Any], people: IntArray, **options: int) -> Interval:
    """Return the interval of a share of probes when people have several.

    If all probes agree, no draw differs, which is not certainty: the interval is Wilson's over the people.

    Args:
        hits: bool, shape (n_probes,).
        people: Index of the person of each probe.
        options: Of `subject_bootstrap`.
    """
    if hits.all() or not hits.any():
        n_people = np.unique(people).size
        return wilson(n_people if hits.all() else 0, n_people)
    n_people = int(people.max()) + 1

    def share(weights: FloatArray) -> float:
        total = float(weights[people].sum())
        return float(weights[people] @ hits) / total if total else float("nan")

    return subject_bootstrap(share, n_people, **options)


def pair_share_bootstrap(hits: NDArray[Any], first: IntArray, second: IntArray, **options: int) -> Interval:
    """Return the interval of a share of comparisons between people `first` and `second`; all shape (n,)."""
    n_people = int(max(first.max(), second.max())) + 1

    def share(weights: FloatArray) -> float:
        products = weights[first] * weights[second]
        total = float(products.sum())
        return float(products @ hits) / total if total else float("nan")

    return subject_bootstrap(share, n_people, **options)


def eer_bootstrap(
    mated: tuple[FloatArray, IntArray], non_mated: tuple[FloatArray, IntArray, IntArray], **options: int
) -> Interval:
    """Return the interval of the equal error rate.

    Args:
        mated: Scores and the person of each.
        non_mated: Scores and the two people of each.
        options: Of `subject_bootstrap`.
    """
    n_people = int(max(mated[1].max(), non_mated[1].max(), non_mated[2].max())) + 1
    return subject_bootstrap(eer_by_weights(mated, non_mated), n_people, **options)


def eer_by_weights(
    mated: tuple[FloatArray, IntArray], non_mated: tuple[FloatArray, IntArray, IntArray]
) -> Callable[[FloatArray], float]:
    """Return the equal error rate as a function of each person's multiplicity, shape (people,).

    Args:
        mated: Scores and the person of each.
        non_mated: Scores and the two people of each.
    """
    mated_scores, people = mated
    non_mated_scores, first, second = non_mated
    # The curves are computed on a grid: every mated score, and 2 000 quantiles of the non-mated ones.
    grid = np.unique(
        np.concatenate([mated_scores, np.quantile(non_mated_scores, np.linspace(0.0, 1.0, 2001))])
    )
    mated_bin = np.searchsorted(grid, mated_scores, side="right")
    non_mated_bin = np.searchsorted(grid, non_mated_scores, side="right")

    def redrawn(weights: FloatArray) -> float:
        mated_counts = np.bincount(mated_bin, weights=weights[people], minlength=grid.size + 1)
        other_counts = np.bincount(
            non_mated_bin, weights=weights[first] * weights[second], minlength=grid.size + 1
        )
        if not mated_counts.sum() or not other_counts.sum():
            return float("nan")
        fnmr = np.cumsum(mated_counts)[:-1] / mated_counts.sum()  # just above each grid point
        fmr = 1.0 - np.cumsum(other_counts)[:-1] / other_counts.sum()
        after = int(np.argmax(np.append(fnmr - fmr, 1.0) >= 0.0))
        if after in (0, grid.size):
            return float((fnmr[min(after, grid.size - 1)] + fmr[min(after, grid.size - 1)]) / 2.0)
        gap = fnmr - fmr
        part = -gap[after - 1] / (gap[after] - gap[after - 1])
        return float(fnmr[after - 1] + part * (fnmr[after] - fnmr[after - 1]))

    return redrawn


def redrawn_people(people: int, replicates: int, seed: int) -> Iterator[FloatArray]:
    """Draw people with replacement; each draw yields the multiplicities, float64, shape (people,)."""
    generator = np.random.default_rng(seed)
    for _ in range(replicates):
        yield np.bincount(generator.integers(0, people, size=people), minlength=people).astype(np.float64)
