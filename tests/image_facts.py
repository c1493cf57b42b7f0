"""Made-up facts of images, shaped as the encoders give them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ml.runtime.fingerprint.minutiae import Minutiae

LANDMARKS = np.array([[250, 215], [335, 210], [296, 262], [262, 315], [330, 311]], dtype=np.float32)


@dataclass(frozen=True)
class FakeFingerprintFacts:
    """See `app.domain.captures.FingerprintFacts`."""

    minutiae: Minutiae
    mask: np.ndarray
    quality_map: np.ndarray
    cell_px: float
    ridge_period_px: float | None
    size_px: tuple[int, int]


@dataclass(frozen=True)
class FakeFaceFacts:
    """See `app.domain.captures.FaceFacts`."""

    box: tuple[float, float, float, float]
    landmarks: np.ndarray
    size_px: tuple[int, int]
    quality_parts: Mapping[str, float]


def minutiae(n: int, seed: int = 1) -> Minutiae:
    """Scattered over the middle of a print of 280 × 360 pixels."""
    rng = np.random.default_rng(seed)
    radius, angle = np.sqrt(rng.uniform(0.0, 0.8, n)), rng.uniform(0.0, 2 * np.pi, n)
    xy = np.column_stack([140 + 105 * radius * np.cos(angle), 180 + 150 * radius * np.sin(angle)])
    return Minutiae(
        xy.astype(np.float32),
        rng.uniform(0.0, 6.28, n).astype(np.float32),
        rng.uniform(0.1, 1.0, n).astype(np.float32),
    )


def fingerprint_facts(
    *, n_minutiae: int = 40, clarity: float = 0.8, ridge_period_px: float | None = 9.1, **changes: Any
) -> FakeFingerprintFacts:
    """An oval print of 144 mm² in an image of 280 × 360 pixels."""
    y, x = np.mgrid[:45, :35]
    mask = changes.pop("mask", np.hypot((x - 17) / 14, (y - 22) / 20) < 1.0)
    quality_map = changes.pop("quality_map", np.full(mask.shape, clarity, dtype=np.float32))
    whole: dict[str, Any] = {"cell_px": 8.0, "size_px": (280, 360)}
    return FakeFingerprintFacts(
        minutiae=minutiae(n_minutiae),
        mask=mask,
        quality_map=quality_map,
        ridge_period_px=ridge_period_px,
        **(whole | changes),
    )


def face_facts(*, scale: float = 1.0, **changes: Any) -> FakeFaceFacts:
    """A face in a picture of 640 × 480 pixels, or of a share of that."""
    whole: dict[str, Any] = {
        "box": tuple(scale * edge for edge in (200.0, 120.0, 190.0, 250.0)),
        "landmarks": (scale * LANDMARKS).astype(np.float32),
        "size_px": (round(640 * scale), round(480 * scale)),
        "quality_parts": {"sharpness": 0.83, "size": 0.9, "frontal": 0.71, "light": 0.7},
    }
    return FakeFaceFacts(**(whole | changes))
