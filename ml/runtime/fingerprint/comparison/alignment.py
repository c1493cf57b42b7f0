"""Lay one print over the other, rigidly, from the best of several seeds, and see how many minutiae meet."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
"""Of the seeds; bundles name it, since another number would give other scores."""
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
        angle: Radians; float64, shape (n_pairs, 1), or (n_pairs, SEEDS, 1); the other arrays alike.
        from_x, from_y: On the first side.
        to_x, to_y: On the second.
    """

    angle: FloatArray
    from_x: FloatArray
    from_y: FloatArray
    to_x: FloatArray
    to_y: FloatArray

    def moved(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Move points of the first side; shape (n_pairs, n), or one that broadcasts with the motion's."""
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        dx, dy = x - self.from_x, y - self.from_y
        return cos * dx - sin * dy + self.to_x, sin * dx + cos * dy + self.to_y

    def chosen(self, seeds: NDArray[np.int64]) -> Motion:
        """Return the motion of one seed for every pair; int64, shape (n_pairs,)."""
        rows = np.arange(len(seeds))
        return Motion(*(part[rows, seeds] for part in self.parts))

    def where(self, kept: NDArray[np.bool_], other: Motion) -> Motion:
        """Return this motion for some of the pairs, another for the rest; bool, shape (n_pairs, 1)."""
        return Motion(*(np.where(kept, own, its) for own, its in zip(self.parts, other.parts, strict=True)))

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
    """

    met: FloatArray
    overlap: FloatArray


def align(a: Side, b: Side, pairs: Pairs, relaxed: Relaxed) -> Aligned:
    """Find the motion under which most minutiae meet."""
    motion = _most_promising(a, b, pairs, _seeds(a, b, pairs, relaxed))
    meeting = _meeting(a, b, motion, FIRST_REACH_PX, FIRST_REACH_RAD)
    for _ in range(REFITS):
        motion = _fitted(a, b, meeting, motion)
        meeting = _meeting(a, b, motion, REACH_PX, REACH_RAD)
    upright = np.abs(_wrapped(motion.angle)) <= MOST_ROTATION_RAD
    return Aligned(met=np.where(upright[:, 0], meeting.met(), 0.0), overlap=meeting.overlap())


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
    single = at_places(_turns(a, b, pairs), strongest)[..., None]
    return replace(fitted, angle=np.where(enough, fitted.angle, single))


def _turns(a: Side, b: Side, pairs: Pairs) -> FloatArray:
    """By how much the paired minutiae are turned; shape (n_pairs, k)."""
    return at_places(b.direction, pairs.second) - at_places(a.direction, pairs.first)


def _most_promising(a: Side, b: Side, pairs: Pairs, seeds: Motion) -> Motion:
    """Keep the seed under which most of the paired minutiae meet."""
    x, y = seeds.moved(at_places(a.x, pairs.first)[:, None], at_places(a.y, pairs.first)[:, None])
    dx = x - at_places(b.x, pairs.second)[:, None]
    dy = y - at_places(b.y, pairs.second)[:, None]
    off = _wrapped(_turns(a, b, pairs)[:, None] - seeds.angle)
    near = (dx * dx + dy * dy) * (PX_PER_UNIT / (2.0 * SPREAD_PX)) ** 2 + (off / (2.0 * SPREAD_RAD)) ** 2
    closeness = np.where(pairs.similarity[:, None] > 0.0, np.exp(-near), 0.0)
    return seeds.chosen(np.rint(closeness * _EXACT).sum(axis=2).argmax(axis=1))


@dataclass(frozen=True, eq=False, repr=False)
class _Meeting:
    """Which minutiae meet under a motion.

    Args:
        apart: Squared distances in half pixels; float32, shape (n_pairs, n_a, n_b).
        other: The nearest minutia of the second side; int64, shape (n_pairs, n_a).
        meets: Whether the two meet; bool, same shape.
        cost: Of the two, infinite out of reach; float32, same shape.
    """

    apart: NDArray[np.float32]
    other: NDArray[np.int64]
    meets: NDArray[np.bool_]
    cost: NDArray[np.float32]

    def met(self) -> FloatArray:
        """Sum up how closely those meet that do; shape (n_pairs,)."""
        closeness = np.where(self.meets, np.exp(-self.cost.astype(np.float64)), 0.0)
        return np.asarray(np.rint(closeness * _EXACT).sum(axis=1) / _EXACT)

    def overlap(self) -> FloatArray:
        """See `Aligned.overlap`."""
        near = self.apart < np.float32((OVERLAP_PX / PX_PER_UNIT) ** 2)
        on_first, on_second = near.any(axis=2).sum(axis=1), near.any(axis=1).sum(axis=1)
        return np.asarray(np.sqrt(on_first * on_second), dtype=np.float64)


def _meeting(a: Side, b: Side, motion: Motion, reach_px: float, reach_rad: float) -> _Meeting:
    """Pair minutiae that are nearest to each other, within reach."""
    apart, turned = _apart(a, b, motion), _turned(a, b, motion)
    beyond = apart >= np.float32((reach_px / PX_PER_UNIT) ** 2)
    beyond |= turned <= np.float32(np.cos(reach_rad))
    # Angles near 0: 1 − cos α is α²/2.
    cost = apart * np.float32(0.5 * (PX_PER_UNIT / SPREAD_PX) ** 2)
    cost += (np.float32(1.0) - turned) * np.float32(1.0 / SPREAD_RAD**2)
    np.copyto(cost, np.float32(np.inf), where=beyond)
    other, back = cost.argmin(axis=2), cost.argmin(axis=1)
    place = np.arange(cost.shape[1])
    least = cost[np.arange(len(cost))[:, None], place, other]
    return _Meeting(apart, other, np.isfinite(least) & (at_places(back, other) == place), least)


def _apart(a: Side, b: Side, motion: Motion) -> NDArray[np.float32]:
    """Squared distances in half pixels; float32, shape (n_pairs, n_a, n_b)."""
    x, y = motion.moved(a.x, a.y)
    dx = x.astype(np.float32)[..., None] - b.x.astype(np.float32)[:, None, :]
    dy = y.astype(np.float32)[..., None] - b.y.astype(np.float32)[:, None, :]
    dx *= dx
    dy *= dy
    dx += dy
    return dx


def _turned(a: Side, b: Side, motion: Motion) -> NDArray[np.float32]:
    """Cosine of the angle between directions; float32, shape (n_pairs, n_a, n_b)."""
    direction = a.direction + motion.angle
    cos_a, sin_a = np.cos(direction).astype(np.float32), np.sin(direction).astype(np.float32)
    cos_b, sin_b = b.facing
    cosine = cos_a[..., None] * cos_b[:, None, :]
    cosine += sin_a[..., None] * sin_b[:, None, :]
    return cosine


def _fitted(a: Side, b: Side, meeting: _Meeting, before: Motion) -> Motion:
    """Fit the motion to the minutiae that meet; where fewer than three do, it stays."""
    terms = _terms(a.x, a.y, at_places(b.x, meeting.other), at_places(b.y, meeting.other))
    found = _rigid(meeting.meets.astype(np.float64)[:, None], terms)
    enough = meeting.meets.sum(axis=1, keepdims=True) >= 3
    return found.chosen(np.zeros(len(enough), np.int64)).where(enough, before)


def _terms(ax: FloatArray, ay: FloatArray, bx: FloatArray, by: FloatArray) -> FloatArray:
    """What `_rigid` adds up, of points of two sides; shape (n_pairs, n) each → (n_pairs, n, 7)."""
    found = np.empty((*ax.shape, 7))
    parts = (ax, ay, bx, by, ax * bx + ay * by, ax * by - ay * bx, 1.0)
    for place, part in enumerate(parts):
        found[..., place] = part
    return found


def _rigid(weight: FloatArray, terms: FloatArray) -> Motion:
    """Least squares over points of weight 1; whole numbers, so every sum is exact in whatever order.

    Args:
        weight: 0 or 1; float64, shape (n_pairs, seeds, n).
        terms: Shape (n_pairs, n, 7).

    Source:
        Umeyama, 1991, Least-squares estimation of transformation parameters, in two dimensions.
    """
    sums = weight @ terms
    ax, ay, bx, by, along, across, n = (sums[..., place, None] for place in range(7))
    angle = np.arctan2(n * across - (ax * by - ay * bx), n * along - (ax * bx + ay * by))
    n = np.maximum(n, 1.0)
    return Motion(angle, ax / n, ay / n, bx / n, by / n)


def _wrapped(angle: FloatArray) -> FloatArray:
    return np.asarray(angle - 2.0 * np.pi * np.rint(angle / (2.0 * np.pi)))
