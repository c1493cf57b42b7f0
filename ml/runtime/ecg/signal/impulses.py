"""Single odd samples: lost packets, switching, and the spikes of pacemakers.

They are higher than any heartbeat and alike in everybody, so filters would make of them what looks like the
largest wave of a heart. They are found in the raw strip, where they last a sample or three milliseconds, and
bridged.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ml.runtime.ecg.signal.order_statistics import quantiles

Samples = NDArray[np.float64]
Mask = NDArray[np.bool_]

LONGEST_S = 0.003
"""An impulse lasts a sample, or this long; an R wave lasts ten times as long."""
LONGEST_SQUARE_S = 0.03
"""So long may last what the strip jumps to in one step and leaves in one step: a calibration pulse."""
EVEN = 1.6
"""The two jumps of a square differ by no larger factor."""
RING = 6
"""Samples on either side that say how steep the strip is around an impulse."""
STEEPNESS = 4.0
"""An impulse is so many times as high as its surroundings rise between two samples."""
RETURN = 0.5
"""Its two sides lie nearer to each other than this share of its height."""
LEAST_SHARE = 0.1
"""It is at least this share as high as the strip is: smaller ones do no harm."""
SURE_FROM_HZ, LEAST_SHARE_BELOW = 200.0, 3.0
"""At lower rates the tip of an R wave may be a single sample; only what is higher than any is an impulse."""
_PASSES = 3
"""One impulse may hide its neighbor."""


def impulses(raw: Samples, fs_hz: float) -> Mask:
    """Find impulses; the same for a strip and its mirror image, and for any gain and offset.

    Args:
        raw: Any unit, finite, shape (n_samples,), unfiltered.
        fs_hz: Sampling rate.

    Returns:
        bool, shape (n_samples,).
    """
    found = np.zeros(raw.size, dtype=np.bool_)
    if raw.size < 2 * RING:
        return found
    left = raw
    for _ in range(_PASSES):
        new = np.zeros_like(found)
        least = _least(left, fs_hz)
        # Between its sides nothing is lower than an impulse, so the step to it is nearly as high.
        starts = 1 + np.flatnonzero(np.abs(np.diff(left)) >= (1.0 - 0.5 * RETURN) * least)
        starts = np.append(0, starts)  # Or it begins with the strip.
        for length in range(1, max(1, round(LONGEST_S * fs_hz)) + 1):
            new |= _of_length(left, starts[starts <= raw.size - length], length, least)
        if fs_hz >= SURE_FROM_HZ:
            new |= _squares(left, round(LONGEST_SQUARE_S * fs_hz), least)
        if not new.any():
            break
        found |= new
        left = bridged(raw, found)
    return found


def bridged(raw: Samples, lost: Mask) -> Samples:
    """Put straight lines in place of lost samples; at the ends, the nearest sample that is there.

    Args:
        raw: float64, shape (n_samples,).
        lost: bool, same shape; not all.
    """
    if not lost.any():
        return raw
    places = np.arange(raw.size)
    return np.where(lost, np.interp(places, places[~lost], raw[~lost]), raw)


def _squares(raw: Samples, longest: int, least: float) -> Mask:
    """What lies between a jump and the next one back; hearts rise and fall in several steps."""
    mask = np.zeros(raw.size, dtype=np.bool_)
    steps = np.diff(raw)
    sizes = np.abs(steps)
    beside = np.maximum(sizes[:-2], sizes[2:])
    usual = max(least, STEEPNESS * quantiles(sizes, 0.95)[0])  # Noise jumps too.
    jumps = 1 + np.flatnonzero((sizes[1:-1] >= usual) & (sizes[1:-1] > STEEPNESS * beside))
    for one, other in pairwise(jumps.tolist()):
        back = steps[one] * steps[other] < 0.0 and other - one <= longest
        if back and 1.0 / EVEN <= sizes[other] / sizes[one] <= EVEN:
            mask[one + 1 : other + 1] = True
    return mask


def _least(raw: Samples, fs_hz: float) -> float:
    """The smallest height that counts, of what all but a few samples span."""
    share, left_out = (LEAST_SHARE, 0.01) if fs_hz >= SURE_FROM_HZ else (LEAST_SHARE_BELOW, 0.03)
    low, high = quantiles(raw, left_out, 1.0 - left_out)
    return share * (high - low)


def _of_length(raw: Samples, starts: NDArray[np.int64], length: int, least: float) -> Mask:
    """Impulses of so many samples that begin at one of some places."""
    padded = np.pad(raw, RING + 1, mode="edge")
    first = starts + RING + 1
    before, after = padded[first - 1], padded[first + length]
    inside = sliding_window_view(padded, length)[first]
    middle = 0.5 * (before + after)
    height = np.minimum(np.abs(inside.min(axis=1) - middle), np.abs(inside.max(axis=1) - middle))
    one_side = (inside.min(axis=1) > np.maximum(before, after)) | (
        inside.max(axis=1) < np.minimum(before, after)
    )
    rising, falling = np.abs(before - padded[first - 2]), np.abs(padded[first + length + 1] - after)
    odd = one_side & (height >= least) & (np.abs(before - after) <= RETURN * height)
    odd &= height > STEEPNESS * np.minimum(rising, falling)
    mask = np.zeros(raw.size, dtype=np.bool_)
    for one in np.flatnonzero(odd).tolist():
        start = int(first[one])
        around = np.concatenate(
            [padded[start - RING - 1 : start], padded[start + length : start + length + RING + 1]]
        )
        steps = np.abs(np.diff(around))
        steps = np.delete(steps, RING)  # Across the impulse itself.
        at = start - RING - 1
        if height[one] > STEEPNESS * np.quantile(steps, 0.75):
            mask[at : at + length] = True
    return mask
