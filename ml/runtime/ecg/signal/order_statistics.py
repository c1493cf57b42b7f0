"""Medians and quartiles without numpy's checks, which take longer than the sorting.

Each strip needs two dozen of them, mostly over its few beats. They equal numpy's to the bit, but do not
accept NaN: strips are finite.
"""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float32 | np.float64 | np.int64]


def median(values: Numbers) -> float:
    """`numpy.median` of one dimension.

    Args:
        values: Without NaN, shape (n,), n ≥ 1.
    """
    middle = values.size // 2
    parted = np.partition(values, middle)
    upper = parted[middle]
    return float(upper if values.size % 2 else (parted[:middle].max() + upper) / 2)


def median_row(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """`numpy.median` of every column.

    Args:
        rows: Without NaN, float64, shape (n_rows, n_columns), n_rows ≥ 1.

    Returns:
        float64, shape (n_columns,).
    """
    middle = len(rows) // 2
    if len(rows) % 2:
        return np.asarray(np.partition(rows, middle, axis=0)[middle])
    parted = np.partition(rows, (middle - 1, middle), axis=0)
    return np.asarray((parted[middle - 1] + parted[middle]) / 2)


def lower_quartile(values: NDArray[np.float64]) -> float:
    """`numpy.quantile` at a quarter.

    Args:
        values: Without NaN, float64, shape (n,), n ≥ 2.
    """
    ordered = np.sort(values)
    below, quarters = divmod(values.size - 1, 4)
    low, high = ordered[below], ordered[below + 1]
    # As numpy has it: rounding errors vanish at either end.
    if quarters < 2:
        return float(low + (high - low) * (quarters / 4))
    return float(high - (high - low) * (1 - quarters / 4))


def quantiles(values: NDArray[np.float64], *shares: float) -> tuple[float, ...]:
    """`numpy.quantile` at several shares.

    Args:
        values: Without NaN, float64, shape (n,), n ≥ 1.
        shares: 0 to 1 each.
    """
    places = [share * (values.size - 1) for share in shares]
    below = [int(place) for place in places]
    above = [min(place + 1, values.size - 1) for place in below]
    parted = np.partition(values, sorted({*below, *above}))
    return tuple(
        _between(float(parted[low]), float(parted[high]), place - low)
        for low, high, place in zip(below, above, places, strict=True)
    )


def _between(low: float, high: float, share: float) -> float:
    """As numpy has it: rounding errors vanish at either end."""
    if share < 0.5:
        return low + (high - low) * share
    return high - (high - low) * (1.0 - share)
