"""The five pattern classes, and the singular points that make each of them.

Source:
    Class shares: Wilson, Candela & Watson 1994, "Neural network fingerprint classification", J. Artificial
    Neural Networks 1(2): 0.037, 0.029, 0.338, 0.317, 0.279.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from numpy.random import Generator


class PatternClass(StrEnum):
    """The Galton–Henry classes; left and right as the loops open in the image."""

    ARCH = "arch"
    TENTED_ARCH = "tented_arch"
    LEFT_LOOP = "left_loop"
    RIGHT_LOOP = "right_loop"
    WHORL = "whorl"


CLASS_SHARES: dict[PatternClass, float] = {
    PatternClass.ARCH: 0.037,
    PatternClass.TENTED_ARCH: 0.029,
    PatternClass.LEFT_LOOP: 0.338,
    PatternClass.RIGHT_LOOP: 0.317,
    PatternClass.WHORL: 0.279,
}


@dataclass(frozen=True)
class SingularPoints:
    """Where ridges turn back (cores) and where three flows meet (deltas).

    Args:
        cores: Pixels at 500 dpi; the real part to the right of the finger's axis, the imaginary part above
            its lowest crease.
        deltas: Likewise.
        hill: For fingers without singular points: how steeply ridges rise to the middle; radians.
    """

    cores: tuple[complex, ...] = ()
    deltas: tuple[complex, ...] = ()
    hill: float = 0.0


def draw_class(rng: Generator) -> PatternClass:
    """Draw a class with its natural share."""
    return PatternClass(rng.choice(list(CLASS_SHARES), p=list(CLASS_SHARES.values())))


def draw_points(pattern: PatternClass, rng: Generator) -> SingularPoints:
    """Draw the singular points of a finger of the class."""
    match pattern:
        case PatternClass.ARCH:
            return SingularPoints(hill=rng.uniform(0.15, 0.55))
        case PatternClass.TENTED_ARCH:
            return _tented_arch(rng)
        case PatternClass.LEFT_LOOP:
            return _left_loop(rng)
        case PatternClass.RIGHT_LOOP:
            return _mirrored(_left_loop(rng))
        case PatternClass.WHORL:
            return _whorl(rng)


def _tented_arch(rng: Generator) -> SingularPoints:
    core = complex(rng.normal(0.0, 12.0), rng.normal(235.0, 18.0))
    delta = core - complex(rng.normal(0.0, 6.0), rng.uniform(55.0, 110.0))
    return SingularPoints((core,), (delta,))


def _left_loop(rng: Generator) -> SingularPoints:
    core = complex(rng.normal(-5.0, 20.0), rng.normal(250.0, 28.0))
    delta = core + complex(rng.uniform(35.0, 145.0), -rng.uniform(60.0, 170.0))
    return SingularPoints((core,), (delta,))


def _whorl(rng: Generator) -> SingularPoints:
    middle = complex(rng.normal(0.0, 18.0), rng.normal(245.0, 25.0))
    apart = rng.gamma(3.0, 10.0) + 8.0
    slant = complex(rng.normal(0.0, 0.45), 1.0)
    half = 0.5 * apart * slant / abs(slant)
    left = middle - complex(rng.uniform(65.0, 150.0), rng.uniform(70.0, 165.0))
    right = middle + complex(rng.uniform(65.0, 150.0), -rng.uniform(70.0, 165.0))
    return SingularPoints((middle + half, middle - half), (left, right))


def _mirrored(points: SingularPoints) -> SingularPoints:
    return SingularPoints(
        tuple(-core.conjugate() for core in points.cores),
        tuple(-delta.conjugate() for delta in points.deltas),
        points.hill,
    )
