"""Lay one print over the other, rigidly, from several seeds, and see how many minutiae meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.runtime.fingerprint.comparison.detail import PX_PER_UNIT
from ml.runtime.fingerprint.comparison.local_similarity import MOST_ROTATION_RAD
from ml.runtime.fingerprint.comparison.pair_batch import Side
from ml.runtime.fingerprint.comparison.pairing import Pairs
from ml.runtime.fingerprint.comparison.places import at_places
from ml.runtime.fingerprint.comparison.relaxation import Relaxed

FloatArray = NDArray[np.float64]

SEEDS: Final = 6
REFITTED: Final = 1
SUPPORT_FROM: Final = 0.3
FIRST_REACH_PX: Final = 16.0
FIRST_REACH_RAD: Final = 0.5
REACH_PX: Final = 14.0
REACH_RAD: Final = 0.45
REFITS: Final = 2
SPREAD_PX: Final = 8.0
SPREAD_RAD: Final = 0.25
OVERLAP_PX: Final = 30.0
"""A minutia lies in the overlap if one of the other print is so near."""

_EXACT = 2.0**20
"""Terms are rounded to fractions of this, so that their sum does not depend on the order."""


@dataclass(frozen=True, eq=False, repr=False)
class Motion:
    """A rotation about a center on one side, and the center's place on the other, all in half pixels.

    Args:
        angle: Radians; float64, shape (n_pairs, seeds); the other arrays alike.
        from_x, from_y: On the first side.
        to_x, to_y: On the second.
    """

    angle: FloatArray
    from_x: FloatArray
    from_y: FloatArray
    to_x: FloatArray
    to_y: FloatArray

    def moved(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Move points of the first side; shape (n_pairs, n) → (n_pairs, seeds, n)."""
        cos, sin = np.cos(self.angle)[..., None], np.sin(self.angle)[..., None]
        dx, dy = x[:, None, :] - self.from_x[..., None], y[:, None, :] - self.from_y[..., None]
        return cos * dx - sin * dy + self.to_x[..., None], sin * dx + cos * dy + self.to_y[..., None]

    def chosen(self, seeds: NDArray[np.int64]) -> Motion:
        """Return the motions of some seeds; int64, shape (n_pairs, k)."""
        return Motion(*(at_places(part, seeds) for part in self.parts))

    @property
    def parts(self) -> tuple[FloatArray, ...]:
        """In the order of the arguments."""
        return self.angle, self.from_x, self.from_y, self.to_x, self.to_y


@dataclass(frozen=True, eq=False, repr=False)
class Aligned:
    """How the prints of every pair meet under the best motion; shape (n_pairs,) each.

    Args:
        met: Sum over the minutiae that meet of how closely they do.
        overlap: Geometric mean of the counts of minutiae on either side that lie in the overlap.
        residual_px: Root mean square distance of those that meet.
    """

    met: FloatArray
    overlap: FloatArray
    residual_px: FloatArray


def align(a: Side, b: Side, pairs: Pairs, relaxed: Relaxed) -> Aligned:
    """Find the motion under which most minutiae meet."""
    motion = _most_promising(a, b, pairs, _seeds(a, b, pairs, relaxed))
    meeting = _meeting(a, b, motion, FIRST_REACH_PX, FIRST_REACH_RAD)
    for _ in range(REFITS):
        motion = _fitted(a, b, meeting, motion)
        meeting = _meeting(a, b, motion, REACH_PX, REACH_RAD)
    met = np.where(np.abs(_wrapped(motion.angle)) <= MOST_ROTATION_RAD, meeting.met, 0.0)
    best = met.argmax(axis=1)[:, None]
    overlap = _overlap(a, b, motion.chosen(best))
    count = at_places(meeting.count, best)[:, 0]
    square = at_places(meeting.square_px, best)[:, 0]
    return Aligned(
        met=at_places(met, best)[:, 0],
        overlap=overlap,
        residual_px=np.sqrt(square / np.maximum(count, 1)),
    )


def _seeds(a: Side, b: Side, pairs: Pairs, relaxed: Relaxed) -> Motion:
    """Motions by the strongest pairs, each with those that support it."""
    strongest = np.argsort(-relaxed.strength, axis=1, kind="stable")[:, :SEEDS]
    weight = relaxed.support[np.arange(len(strongest))[:, None], strongest] > SUPPORT_FROM
    own = np.arange(weight.shape[2]) == strongest[:, :, None]
    enough = weight.sum(axis=2, keepdims=True) >= 2
    weight = ((weight & enough) | own).astype(np.float64)  # (n_pairs, SEEDS, k)
    first = [at_places(values, pairs.first) for values in (a.x, a.y)]
    second = [at_places(values, pairs.second) for values in (b.x, b.y)]
    fitted = _rigid(weight, _terms(*first, *second))
    turn = at_places(b.direction, pairs.second) - at_places(a.direction, pairs.first)
    single = at_places(turn, strongest)
    angle = np.where(enough[:, :, 0], fitted.angle, single)
    return Motion(angle, fitted.from_x, fitted.from_y, fitted.to_x, fitted.to_y)


def _most_promising(a: Side, b: Side, pairs: Pairs, seeds: Motion) -> Motion:
    """Keep the seeds under which most of the paired minutiae meet."""
    x, y = seeds.moved(at_places(a.x, pairs.first), at_places(a.y, pairs.first))
    dx = x - at_places(b.x, pairs.second)[:, None]
    dy = y - at_places(b.y, pairs.second)[:, None]
    turn = at_places(b.direction, pairs.second) - at_places(a.direction, pairs.first)
    off = _wrapped(turn[:, None] - seeds.angle[..., None])
    near = (dx * dx + dy * dy) * (PX_PER_UNIT / (2.0 * SPREAD_PX)) ** 2 + (off / (2.0 * SPREAD_RAD)) ** 2
    closeness = np.where(pairs.similarity[:, None] > 0.0, np.exp(-near), 0.0)
    promise = np.rint(closeness * _EXACT).sum(axis=2)
    return seeds.chosen(np.argsort(-promise, axis=1, kind="stable")[:, :REFITTED])


@dataclass(frozen=True, eq=False, repr=False)
class _Meeting:
    """Which minutiae meet under a motion.

    Args:
        other: The minutia of the second side; int64, shape (n_pairs, seeds, n_a).
        meets: Whether the two meet; bool, same shape.
        met, count, square_px: Sums over those that meet; shape (n_pairs, seeds).
    """

    other: NDArray[np.int64]
    meets: NDArray[np.bool_]
    met: FloatArray
    count: NDArray[np.int64]
    square_px: FloatArray


def _meeting(a: Side, b: Side, motion: Motion, reach_px: float, reach_rad: float) -> _Meeting:
    """Pair minutiae that are nearest to each other, within reach."""
    apart, turned = _apart(a, b, motion), _turned(a, b, motion)
    within = (apart < np.float32((reach_px / PX_PER_UNIT) ** 2)) & (turned > np.float32(np.cos(reach_rad)))
    within &= a.present[:, None, :, None] & b.present[:, None, None, :]
    # Angles near 0: 1 − cos α is α²/2.
    cost = apart * np.float32(0.5 * (PX_PER_UNIT / SPREAD_PX) ** 2)
    cost += (np.float32(1.0) - turned) * np.float32(1.0 / SPREAD_RAD**2)
    cost[~within] = np.inf
    other = cost.argmin(axis=3)  # (n_pairs, seeds, n_a)
    back = cost.argmin(axis=2)  # (n_pairs, seeds, n_b)
    pair, seed = np.arange(len(cost))[:, None, None], np.arange(cost.shape[1])[:, None]
    place = np.arange(cost.shape[2])
    least = cost[pair, seed, place, other]
    meets = np.isfinite(least) & (at_places(back, other) == place)
    closeness = np.where(meets, np.exp(-least.astype(np.float64)), 0.0)
    square = np.where(meets, apart[pair, seed, place, other], 0.0)
    return _Meeting(
        other,
        meets,
        met=np.rint(closeness * _EXACT).sum(axis=2) / _EXACT,
        count=meets.sum(axis=2),
        square_px=np.rint(square.astype(np.float64) * _EXACT).sum(axis=2) / _EXACT * PX_PER_UNIT**2,
    )


def _apart(a: Side, b: Side, motion: Motion) -> NDArray[np.float32]:
    """Squared distances in half pixels; float32, shape (n_pairs, seeds, n_a, n_b)."""
    x, y = motion.moved(a.x, a.y)
    dx = x.astype(np.float32)[..., None] - b.x.astype(np.float32)[:, None, None, :]
    dy = y.astype(np.float32)[..., None] - b.y.astype(np.float32)[:, None, None, :]
    dx *= dx
    dy *= dy
    dx += dy
    return dx


def _turned(a: Side, b: Side, motion: Motion) -> NDArray[np.float32]:
    """Cosine of the angle between directions; float32, shape (n_pairs, seeds, n_a, n_b)."""
    direction = a.direction[:, None, :] + motion.angle[..., None]
    cos_a, sin_a = np.cos(direction).astype(np.float32), np.sin(direction).astype(np.float32)
    cos_b, sin_b = np.cos(b.direction).astype(np.float32), np.sin(b.direction).astype(np.float32)
    cosine = cos_a[..., None] * cos_b[:, None, None, :]
    cosine += sin_a[..., None] * sin_b[:, None, None, :]
    return cosine


def _fitted(a: Side, b: Side, meeting: _Meeting, before: Motion) -> Motion:
    """Fit the motion to the minutiae that meet; where fewer than three do, it stays."""
    pair = np.arange(len(a.x))[:, None, None]
    terms = _terms(a.x[:, None], a.y[:, None], b.x[pair, meeting.other], b.y[pair, meeting.other])
    found = _rigid(meeting.meets.astype(np.float64), terms)
    enough = meeting.count >= 3
    return Motion(*(np.where(enough, new, old) for new, old in zip(found.parts, before.parts, strict=True)))


def _terms(ax: FloatArray, ay: FloatArray, bx: FloatArray, by: FloatArray) -> FloatArray:
    """What `_rigid` adds up, of points of two sides; arguments broadcast to (…, n), result (…, n, 7)."""
    along, across = ax * bx + ay * by, ax * by - ay * bx
    ax, ay = np.broadcast_to(ax, along.shape), np.broadcast_to(ay, along.shape)
    return np.stack([ax, ay, bx, by, along, across, np.ones(along.shape)], axis=-1)


def _rigid(weight: FloatArray, terms: FloatArray) -> Motion:
    """Least squares over points of weight 1; whole numbers, so every sum is exact in whatever order.

    Args:
        weight: 0 or 1; float64, shape (n_pairs, seeds, n).
        terms: Of all seeds, shape (n_pairs, n, 7), or of each, shape (n_pairs, seeds, n, 7).

    Source:
        Umeyama, 1991, Least-squares estimation of transformation parameters, in two dimensions.
    """
    sums = weight @ terms if terms.ndim == 3 else (weight[..., None, :] @ terms)[..., 0, :]
    ax, ay, bx, by, along, across, n = np.moveaxis(sums, -1, 0)
    angle = np.arctan2(n * across - (ax * by - ay * bx), n * along - (ax * bx + ay * by))
    n = np.maximum(n, 1.0)
    return Motion(angle, ax / n, ay / n, bx / n, by / n)


def _overlap(a: Side, b: Side, motion: Motion) -> FloatArray:
    near = _apart(a, b, motion)[:, 0] < np.float32((OVERLAP_PX / PX_PER_UNIT) ** 2)
    near &= a.present[:, :, None] & b.present[:, None, :]
    on_first, on_second = near.any(axis=2).sum(axis=1), near.any(axis=1).sum(axis=1)
    return np.asarray(np.sqrt(on_first * on_second), dtype=np.float64)


def _wrapped(angle: FloatArray) -> FloatArray:
    return np.asarray(angle - 2.0 * np.pi * np.rint(angle / (2.0 * np.pi)))
