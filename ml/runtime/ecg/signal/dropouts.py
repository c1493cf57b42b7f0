"""Lost packets that were filled with one value: zeros, as a rule, far from where the signal was.

An amplifier at its limit is reached in a slope. Here the strip jumps to the value and back.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.signal.order_statistics import quantiles

SHORTEST = 3
"""Samples; shorter ones are `impulses`."""
JUMP = 8.0
"""Both sides jump so many times as far as all but the steepest twentieth of the steps between samples."""
_STEEP = 0.95


def dropouts(raw: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Find runs of one value that the strip jumps to and from, in one direction.

    Args:
        raw: Any unit, finite, shape (n_samples,), unfiltered.

    Returns:
        bool, shape (n_samples,); the same for a strip and its mirror image, and for any gain and offset.
    """
    found = np.zeros(raw.size, dtype=np.bool_)
    edges = np.concatenate(([0], np.flatnonzero(raw[1:] != raw[:-1]) + 1, [raw.size]))
    long = np.flatnonzero(edges[1:] - edges[:-1] >= SHORTEST)
    if not long.size:
        return found
    steps = np.abs(np.diff(raw))
    least = JUMP * quantiles(steps, _STEEP)[0]
    if least == 0.0:
        return found
    starts, ends = edges[long], edges[long + 1]
    # Beyond an end of the strip there is nothing to jump from: the other side decides.
    into = raw[starts] - raw[np.maximum(starts - 1, 0)]
    out_of = raw[starts] - raw[np.minimum(ends, raw.size - 1)]
    into, out_of = np.where(starts == 0, out_of, into), np.where(ends == raw.size, into, out_of)
    lost = (np.minimum(np.abs(into), np.abs(out_of)) > least) & (into * out_of > 0.0)
    for start, end in zip(starts[lost].tolist(), ends[lost].tolist(), strict=True):
        found[start:end] = True
    return found
