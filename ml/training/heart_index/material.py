"""Features of many strips as arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.signal.conditioning import features_of
from ml.runtime.ecg.signal.heart_features import HeartFeatures
from ml.runtime.errors import CaptureError
from ml.training.heart_index.strips import NamedStrip


@dataclass(frozen=True, eq=False)
class Material:
    """Strips that would be accepted without the index.

    Args:
        shape: Mean beats, float32, (n, N_SHAPE).
        spread: Float32, (n, N_SHAPE).
        figures: Float32, (n, N_FIGURES).
        sources: Where each comes from, (n,).
        numbers: Whose each is, (n,).
        asked: How many strips of each source there were, refused ones included.
    """

    shape: NDArray[np.float32]
    spread: NDArray[np.float32]
    figures: NDArray[np.float32]
    sources: NDArray[np.str_]
    numbers: NDArray[np.int64]
    asked: Counter[str]

    def only(self, sources: Sequence[str]) -> Material:
        """Those of some sources."""
        return self._at(np.isin(self.sources, sources))

    def without(self, sources: Sequence[str]) -> Material:
        """Those of all other sources."""
        return self._at(~np.isin(self.sources, sources))

    def every(self, nth: int) -> Material:
        """A part of them."""
        return self._at(np.arange(len(self.numbers)) % nth == 0)

    def write(self, path: Path) -> None:
        """Keep it in a file."""
        with path.open("wb") as file:
            np.savez(
                file,
                shape=self.shape,
                spread=self.spread,
                figures=self.figures,
                sources=self.sources,
                numbers=self.numbers,
                asked_sources=np.array(list(self.asked)),
                asked_counts=np.array(list(self.asked.values())),
            )

    @classmethod
    def read(cls, path: Path) -> Material:
        """What was kept."""
        with np.load(path) as kept:
            *parts, names, counts = (kept[name] for name in _ARRAYS)
        shape, spread, figures, sources, numbers = parts
        asked = Counter(dict(zip(names.tolist(), counts.tolist(), strict=True)))
        return cls(shape, spread, figures, sources, numbers, asked)

    def _at(self, rows: NDArray[np.bool_]) -> Material:
        return Material(
            self.shape[rows],
            self.spread[rows],
            self.figures[rows],
            self.sources[rows],
            self.numbers[rows],
            self.asked,
        )


_ARRAYS = ("shape", "spread", "figures", "sources", "numbers", "asked_sources", "asked_counts")


def material(strips: Iterable[NamedStrip]) -> Material:
    """Compute the features of all strips that have any."""
    found: list[HeartFeatures] = []
    kept: list[NamedStrip] = []
    asked: Counter[str] = Counter()
    for strip in strips:
        asked[strip.source] += 1
        try:
            features = features_of(strip.ecg, strip.fs_hz)
        except CaptureError:
            continue
        if features is not None:
            found.append(features)
            kept.append(strip)
    return Material(
        np.array([one.shape for one in found], dtype=np.float32),
        np.array([one.spread for one in found], dtype=np.float32),
        np.array([one.figures for one in found], dtype=np.float32),
        np.array([strip.source for strip in kept]),
        np.array([strip.number for strip in kept]),
        asked,
    )


def joined(parts: Sequence[Material]) -> Material:
    """One behind the other."""
    return Material(
        np.concatenate([part.shape for part in parts]),
        np.concatenate([part.spread for part in parts]),
        np.concatenate([part.figures for part in parts]),
        np.concatenate([part.sources for part in parts]),
        np.concatenate([part.numbers for part in parts]),
        sum((part.asked for part in parts), Counter()),
    )
