"""YuNet: a picture whose sides are multiples of 32 → faces with five landmarks.

Source: Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 2023;
the decoding is that of OpenCV's FaceDetectorYN.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.runtime.face.detected_face import DetectedFace
from ml.runtime.onnx_network import OnnxNetwork
from ml.runtime.preparation import FREE

FloatArray = NDArray[np.float64]
Pixels = NDArray[np.uint8]

STRIDES: Final = (8, 16, 32)
MAX_OVERLAP: Final = 0.3
"""Of two detections that share more of their union, the weaker one is the same face again."""


class FaceDetector:
    """The detection network with its decoding."""

    def __init__(self, weights: bytes) -> None:
        """Open a network `image` (1, 3, height, width) → `cells` (1, n, 16).

        Raises:
            BundleError: Not such a network.
        """
        self._network = OnnxNetwork(
            weights, inputs={"image": (1, 3, FREE, FREE)}, outputs={"cells": (1, FREE, 16)}
        )

    def detect(self, pixels: Pixels, threshold: float) -> list[DetectedFace]:
        """Find faces, the most certain first.

        Args:
            pixels: Blue, green, red; uint8, shape (height, width, 3), both multiples of 32.
            threshold: Smallest score.
        """
        height, width = pixels.shape[:2]
        planes = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], dtype=np.float32)
        cells = self._network.run({"image": planes})[0].astype(np.float64)  # (n, 16)
        return decode(cells, height, width, threshold)


def decode(cells: FloatArray, height: int, width: int, threshold: float) -> list[DetectedFace]:
    """Turn the network's rows into faces, the most certain first.

    Args:
        cells: For every cell of the maps of stride 8, 16 and 32: class, objectness, box and landmarks;
            float64, shape (n, 16).
        height, width: Of the picture.
        threshold: Smallest score, the geometric mean of class and objectness.
    """
    scores = np.sqrt(np.prod(np.clip(cells[:, :2], 0.0, 1.0), axis=1))
    chosen = np.flatnonzero(scores >= threshold)
    corners, strides = (part[chosen] for part in _grid(height, width))
    found = cells[chosen]
    sizes = np.exp(found[:, 4:6]) * strides
    centers = (corners + found[:, 2:4]) * strides
    boxes = np.concatenate([centers - sizes / 2.0, sizes], axis=1)
    landmarks = (found[:, 6:].reshape(-1, 5, 2) + corners[:, None]) * strides[:, None]
    kept = _strongest(boxes, scores[chosen])
    return [DetectedFace(float(scores[chosen][k]), boxes[k], landmarks[k]) for k in kept]


@lru_cache(maxsize=4)
def _grid(height: int, width: int) -> tuple[FloatArray, FloatArray]:
    """Column and row of every cell, and its stride; shapes (n, 2) and (n, 1)."""
    corners, strides = [], []
    for stride in STRIDES:
        rows, columns = np.mgrid[: height // stride, : width // stride]
        corners.append(np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float64))
        strides.append(np.full((rows.size, 1), float(stride)))
    return np.concatenate(corners), np.concatenate(strides)


def _strongest(boxes: FloatArray, scores: FloatArray) -> list[int]:
    """Indices that remain when boxes give way to stronger ones they overlap (non-maximum suppression)."""
    waiting = np.argsort(-scores, kind="stable")
    kept = []
    while waiting.size:
        best, others = int(waiting[0]), waiting[1:]
        kept.append(best)
        waiting = others[_overlap(boxes[best], boxes[others]) <= MAX_OVERLAP]
    return kept


def _overlap(box: FloatArray, others: FloatArray) -> FloatArray:
    """Intersection over union of one box with others; shape (n,)."""
    near = np.maximum(box[:2], others[:, :2])
    far = np.minimum(box[:2] + box[2:], others[:, :2] + others[:, 2:])
    shared = np.prod(np.clip(far - near, 0.0, None), axis=1)
    return np.asarray(shared / (np.prod(box[2:]) + np.prod(others[:, 2:], axis=1) - shared))
