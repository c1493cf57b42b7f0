"""Windows and mean beat of one strip → its vector, as the one graph of a network bundle.

Both branches are turned upright by the sign of one linear functional of the beat, so an inverted strip gives
the same bits. Each branch ends in its own linear map and unit norm. With weight w the vector is
[√w · windows, √(1 − w) · beat]: the cosine of two vectors is the weighted mean of the branches' cosines.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ml.models.beat_lda import BeatLda
from ml.models.torch_beat import TorchBeatLda, constant, unit

FloatArray = NDArray[np.floating]


@dataclass(frozen=True)
class LinearMap:
    """x → (x − center) · projection: centering, LDA, WCCN or whitening.

    Args:
        center: Shape (d_in,).
        projection: Shape (d_in, d_out); None only centers.
    """

    center: FloatArray
    projection: FloatArray | None = None

    def __post_init__(self) -> None:
        """Raises: ValueError: The shapes do not fit."""
        if self.projection is not None and self.projection.shape[0] != self.center.size:
            raise ValueError(
                f"projection: expected {self.center.size} rows, found {self.projection.shape[0]}"
            )

    def __call__(self, rows: FloatArray) -> FloatArray:
        """Map rows, float, shape (n, d_in) → (n, d_out)."""
        centered = rows - self.center
        return centered if self.projection is None else centered @ self.projection


@dataclass(frozen=True)
class StripParts:
    """Maps fitted behind a network, and the combination of the branches.

    Args:
        polarity: A strip is inverted if this functional of its standardized mean beat is negative; (n_beat,).
        window_weight: w, from 0 (beat alone) to 1 (windows alone).
        window_map: Of the mean of the windows' unit embeddings.
        beat_lda: Encoder of the mean beat; its own polarity is not used.
        beat_map: Of the beat's unit vector.
        joint_map: Of both branches side by side.
        both_polarities: Embed each window and its negative: exactly invariant whatever the functional, at
            twice the cost.
    """

    polarity: FloatArray
    window_weight: float = 1.0
    window_map: LinearMap | None = None
    beat_lda: BeatLda | None = None
    beat_map: LinearMap | None = None
    joint_map: LinearMap | None = None
    both_polarities: bool = False

    def __post_init__(self) -> None:
        """Raises: ValueError: The weight is out of range."""
        if not 0.0 <= self.window_weight <= 1.0:
            raise ValueError(f"window_weight: expected 0 to 1, got {self.window_weight}")


class StripEncoder(nn.Module):
    """The whole encoder behind the signal processing.

    Args:
        network: Maps windows (n, n_samples) to `Features`; unused when `window_weight` is 0.
        parts: The maps behind it.
        beat_network: Maps mean beats (n, n_beat) to `Features`; replaces the parts' `beat_lda`.

    Raises:
        ValueError: The weight needs a branch that is missing.
    """

    def __init__(self, network: nn.Module, parts: StripParts, beat_network: nn.Module | None = None) -> None:
        super().__init__()
        embeds_beats = beat_network or (TorchBeatLda(parts.beat_lda) if parts.beat_lda else None)
        if parts.window_weight < 1.0 and embeds_beats is None:
            raise ValueError(f"window_weight: {parts.window_weight} needs a beat_lda or a beat network")
        weight = parts.window_weight
        self.register_buffer("polarity", constant(parts.polarity))
        self.windows = _WindowBranch(network, parts) if weight > 0.0 else None
        self.beat = _BeatBranch(embeds_beats, parts.beat_map) if embeds_beats and weight < 1.0 else None
        self.scales = sqrt(weight), sqrt(1.0 - weight)
        self.joint = _Map(parts.joint_map) if parts.joint_map else None
        self.eval()

    def forward(self, windows: Tensor, beat: Tensor) -> Tensor:
        """Encode one strip.

        Args:
            windows: Standardized, float32, shape (n, n_samples).
            beat: Standardized mean beat, float32, shape (1, n_beat).

        Returns:
            Unit norm, float32, shape (1, d).
        """
        upright = torch.where((beat @ self.get_buffer("polarity")) < 0.0, -1.0, 1.0)[:, None]  # (1, 1)
        branches = []
        if self.windows is not None:
            branches.append(self.scales[0] * self.windows(windows * upright))
        if self.beat is not None:
            branches.append(self.scales[1] * self.beat(beat * upright))
        joined = torch.cat(branches, dim=1)
        return unit(joined if self.joint is None else self.joint(joined))


class _WindowBranch(nn.Module):
    """Upright windows (n, n_samples) → one unit vector (1, d)."""

    def __init__(self, network: nn.Module, parts: StripParts) -> None:
        super().__init__()
        self.network = network
        self.both_polarities = parts.both_polarities
        self.map = _Map(parts.window_map) if parts.window_map else nn.Identity()

    def forward(self, windows: Tensor) -> Tensor:
        if self.both_polarities:
            both = self.network(torch.cat([windows, -windows])).embedding  # (2n, e)
            # Unit norm follows, so the sum serves as the mean.
            embeddings = both.unflatten(0, (2, -1)).sum(dim=0)  # (n, e)
        else:
            embeddings = self.network(windows).embedding  # (n, e)
        pooled = unit(embeddings).mean(dim=0, keepdim=True)  # (n, e) → (1, e)
        return unit(self.map(pooled))


class _BeatBranch(nn.Module):
    """Upright beat (1, n_beat) → one unit vector (1, d)."""

    def __init__(self, embeds: nn.Module, beat_map: LinearMap | None) -> None:
        super().__init__()
        self.embeds = embeds
        self.map = _Map(beat_map) if beat_map else None

    def forward(self, upright: Tensor) -> Tensor:
        given = self.embeds(upright)
        vector = given if isinstance(given, Tensor) else unit(given.embedding)
        return vector if self.map is None else unit(self.map(vector))


class _Map(nn.Module):
    """`LinearMap` as a part of the graph."""

    def __init__(self, fitted: LinearMap) -> None:
        super().__init__()
        self.register_buffer("centre", constant(fitted.center))
        self.projects = fitted.projection is not None
        if fitted.projection is not None:
            self.register_buffer("projection", constant(fitted.projection))

    def forward(self, rows: Tensor) -> Tensor:
        centered = rows - self.get_buffer("centre")
        return centered @ self.get_buffer("projection") if self.projects else centered
