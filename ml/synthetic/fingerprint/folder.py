"""Folders of computed fingerprints: images, and a table of the truth about them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml.synthetic.fingerprint.conditions import DEFAULT_QUALITY
from ml.synthetic.fingerprint.finger import ComputedFinger
from ml.synthetic.fingerprint.impression import Impression
from ml.synthetic.fingerprint.png import encode_png
from ml.synthetic.fingerprint.sensors import DEFAULT_SENSOR

TRUTH_FILE = "truth.jsonl"


@dataclass(frozen=True)
class Order:
    """What a folder shall hold.

    Args:
        fingers: How many.
        impressions: Of each finger.
        first_seed: Of the first finger; the others follow.
        quality: See `ComputedFinger.impression`.
        sensor: Likewise.
        dpi: Likewise.
    """

    fingers: int
    impressions: int
    first_seed: int = 0
    quality: str = DEFAULT_QUALITY
    sensor: str = DEFAULT_SENSOR
    dpi: int = 500


def write_folder(folder: Path, order: Order) -> Iterator[Path]:
    """Write `<seed>_<impression>.png` and `truth.jsonl`, and yield each image as it is written.

    A line of the truth names the image, its finger and class, and its minutiae, each as x, y, direction in
    radians, 1 for an ending and 0 for a fork, and its number within the finger.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / TRUTH_FILE).open("w", encoding="utf-8") as truth:
        for seed in range(order.first_seed, order.first_seed + order.fingers):
            finger = ComputedFinger.draw(seed)
            for number in range(1, order.impressions + 1):
                impression = finger.impression(
                    number, quality=order.quality, sensor=order.sensor, dpi=order.dpi
                )
                path = folder / f"{seed:05d}_{number}.png"
                path.write_bytes(encode_png(impression.image, order.dpi))
                truth.write(json.dumps(_truth(path.name, finger, impression)) + "\n")
                yield path


def _truth(name: str, finger: ComputedFinger, impression: Impression) -> dict[str, Any]:
    shown = impression.minutiae
    rows = zip(
        shown.xy.tolist(),
        shown.direction.tolist(),
        shown.is_ending.tolist(),
        shown.number.tolist(),
        strict=True,
    )
    return {
        "image": name,
        "finger": finger.seed,
        "class": finger.pattern.value,
        "dpi": impression.dpi,
        "minutiae": [
            [round(x, 2), round(y, 2), round(direction, 4), int(is_ending), number]
            for (x, y), direction, is_ending, number in rows
        ],
    }
