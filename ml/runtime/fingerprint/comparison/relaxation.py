"""Do the pairs support each other? Pairs of one finger lie alike on both sides, those of others do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.runtime.fingerprint.comparison.detail import PX_PER_UNIT
from ml.runtime.fingerprint.comparison.pair_batch import Side
from ml.runtime.fingerprint.comparison.pairing import Pairs
from ml.runtime.fingerprint.comparison.places import at_places

FloatArray = NDArray[np.float64]

ROUNDS: Final = 5
OWN_WEIGHT: Final = 0.5
DISTANCE_PX: Final = 5.0
DISTANCE_STEEPNESS: Final = 1.6
ANGLE_RAD: Final = np.pi / 12.0
ANGLE_STEEPNESS: Final = 30.0
LEAST_COUNTED: Final = 4
MOST_COUNTED: Final = 12
COUNTED_CENTER: Final = 20.0
COUNTED_STEEPNESS: Final = 0.4

_LARGEST_EXPONENT = np.float32(20.0)


@dataclass(frozen=True, eq=False, repr=False)
class Relaxed:
    """The pairs after they have voted on each other; k is `pairing.MOST_PAIRS`.

    Args:
        support: How well two pairs fit each other, 0 to 1; float32, shape (n_pairs, k, k).
        strength: Of every pair; float64, shape (n_pairs, k).
        score: Mean strength of the pairs that kept most of theirs; float64, shape (n_pairs,).
    """

    support: NDArray[np.float32]
    strength: FloatArray
    score: FloatArray

    def rows(self, kept: NDArray[np.bool_]) -> Relaxed:
        """Return those of some of the pairs of templates; bool, shape (n_pairs,)."""
        return Relaxed(self.support[kept], self.strength[kept], self.score[kept])


def relax(a: Side, b: Side, pairs: Pairs) -> Relaxed:
    """Let pairs support each other for some rounds.

    Source:
        Cappelli, Ferrara and Maltoni, 2010, section 4: local similarity sort with relaxation, the angle
        between ridge and connecting line taken from both ends.
    """
    support = _support(_gathered(a, pairs.first), _gathered(b, pairs.second))
    held = pairs.similarity > 0.0
    both = held[:, :, None] & held[:, None, :] & ~np.eye(held.shape[1], dtype=np.bool_)
    support = np.where(both, support, np.float32(0.0))
    others = np.maximum(held.sum(axis=1) - 1, 1)[:, None]
    strength = pairs.similarity
    for _ in range(ROUNDS):
        voted = np.matmul(support, strength.astype(np.float32)[:, :, None])[:, :, 0]
        strength = OWN_WEIGHT * strength + (1.0 - OWN_WEIGHT) * voted / others
    return Relaxed(support, strength, _score(pairs.similarity, strength, _counted(a, b)))


def _gathered(side: Side, places: NDArray[np.int64]) -> tuple[NDArray[np.float32], ...]:
    return tuple(
        at_places(values, places).astype(np.float32)
        for values in (side.x * PX_PER_UNIT, side.y * PX_PER_UNIT, side.direction)
    )


def _support(a: tuple[NDArray[np.float32], ...], b: tuple[NDArray[np.float32], ...]) -> NDArray[np.float32]:
    """Product of four logistic curves: distance, difference of directions, and the angle at either end."""
    length_a, angle_a, turn_a = _relations(*a)
    length_b, angle_b, turn_b = _relations(*b)
    seen = _falling(_off(angle_a - angle_b), ANGLE_RAD, ANGLE_STEEPNESS)
    seen = seen * seen.transpose(0, 2, 1)
    seen *= _falling(_off(turn_a - turn_b), ANGLE_RAD, ANGLE_STEEPNESS)
    seen *= _falling(np.abs(length_a - length_b), DISTANCE_PX, DISTANCE_STEEPNESS)
    return np.asarray(np.float32(1.0) / seen)


def _falling(off: NDArray[np.float32], center: float, steepness: float) -> NDArray[np.float32]:
    """One over a logistic curve that falls with `off`; large ones are cut, so that products stay finite."""
    exponent = np.float32(steepness) * (off - np.float32(center))
    np.minimum(exponent, _LARGEST_EXPONENT, out=exponent)
    np.exp(exponent, out=exponent)
    exponent += np.float32(1.0)
    return exponent


def _relations(
    x: NDArray[np.float32], y: NDArray[np.float32], direction: NDArray[np.float32]
) -> tuple[NDArray[np.float32], ...]:
    """Of every two minutiae: distance, angle of the line from the first's direction, and turn."""
    dx, dy = x[:, None, :] - x[:, :, None], y[:, None, :] - y[:, :, None]
    turn = direction[:, None, :] - direction[:, :, None]
    return np.sqrt(dx * dx + dy * dy), np.arctan2(dy, dx) - direction[:, :, None], turn


def _off(angle: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far an angle is from 0, at most π."""
    turn = np.float32(2.0 * np.pi)
    return np.asarray(np.abs(angle - turn * np.rint(angle * (np.float32(1.0) / turn))))


def _counted(a: Side, b: Side) -> NDArray[np.int64]:
    """How many pairs make a score: more where both sides show more."""
    fewer = np.minimum(a.n_cylinders, b.n_cylinders)
    share = 1.0 / (1.0 + np.exp(-COUNTED_STEEPNESS * (fewer - COUNTED_CENTER)))
    return LEAST_COUNTED + np.rint(share * (MOST_COUNTED - LEAST_COUNTED)).astype(np.int64)


def _score(before: FloatArray, after: FloatArray, counted: NDArray[np.int64]) -> FloatArray:
    kept = after / np.maximum(before, 1e-6)
    order = np.argsort(-kept, axis=1, kind="stable")[:, :MOST_COUNTED]
    best = at_places(after, order)
    within = np.arange(best.shape[1]) < counted[:, None]
    return np.asarray(np.where(within, best, 0.0).sum(axis=1) / counted)
