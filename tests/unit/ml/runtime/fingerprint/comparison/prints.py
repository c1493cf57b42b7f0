"""Computed minutiae: fingers by number, and impressions of them."""

from __future__ import annotations

import numpy as np

from ml.runtime.fingerprint.comparison.detail import detail_of, open_detail
from ml.runtime.fingerprint.comparison.template import FingerprintTemplate
from ml.runtime.fingerprint.minutiae import Minutiae

FINGER_PX = 260.0


def finger(number: int, n: int = 45) -> Minutiae:
    """Minutiae at random, no two closer than 10 px."""
    generator = np.random.default_rng(number)
    places: list[np.ndarray] = []
    while len(places) < n:
        place = generator.uniform(0.0, FINGER_PX, 2)
        if all(np.hypot(*(place - other)) > 10.0 for other in places):
            places.append(place)
    return Minutiae(
        np.array(places, dtype=np.float32),
        generator.uniform(0.0, 2.0 * np.pi, n).astype(np.float32),
        generator.uniform(0.4, 1.0, n).astype(np.float32),
    )


def moved(minutiae: Minutiae, angle: float, shift: tuple[float, float] = (0.0, 0.0)) -> Minutiae:
    """Rotate about the origin, then shift."""
    cos, sin = np.cos(angle), np.sin(angle)
    xy = minutiae.xy.astype(np.float64) @ np.array([[cos, sin], [-sin, cos]]) + shift
    direction = (minutiae.direction + angle) % (2.0 * np.pi)
    return Minutiae(xy.astype(np.float32), direction.astype(np.float32), minutiae.quality)


def impression(number: int, seed: int, *, angle: float = 0.2, n: int = 45) -> Minutiae:
    """One impression of a finger: rotated, jittered, with some minutiae lost and others false."""
    generator = np.random.default_rng([number, seed])
    whole = moved(finger(number, n), angle, (30.0, -20.0))
    kept = generator.random(n) > 0.15
    false = generator.uniform(whole.xy.min(axis=0), whole.xy.max(axis=0), (n // 10, 2))
    xy = np.concatenate([whole.xy[kept] + generator.normal(0.0, 1.5, (kept.sum(), 2)), false])
    direction = np.concatenate(
        [
            whole.direction[kept] + generator.normal(0.0, 0.08, kept.sum()),
            generator.uniform(0, 6.28, len(false)),
        ]
    )
    quality = np.concatenate([whole.quality[kept], np.full(len(false), 0.35)])
    return Minutiae(
        xy.astype(np.float32), (direction % (2.0 * np.pi)).astype(np.float32), quality.astype(np.float32)
    )


def template(minutiae: Minutiae) -> FingerprintTemplate:
    """Seal and open."""
    return open_detail(detail_of(minutiae, dpi=500.0, quality=0.8))


def templates(seed: int, fingers: range, **options: float) -> list[FingerprintTemplate]:
    """One impression of each finger."""
    return [template(impression(number, seed, **options)) for number in fingers]
