"""Small window networks and strip encoders with random weights."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from ml.models.features import WINDOW_SAMPLES
from ml.models.resnet1d import ResNet1d, ResNet1dConfig
from ml.models.strip_encoder import LinearMap, StripEncoder, StripParts
from tests.bundles import MEAN_BEAT, beat_shapes, fitted_lda

N_BEAT = MEAN_BEAT.n_samples
EMBEDDING = 16


def small_network(seed: int = 0) -> ResNet1d:
    """Two stages of one block; running statistics as after some training."""
    torch.manual_seed(seed)
    network = ResNet1d(
        ResNet1dConfig(
            widths=(8, 16), blocks=(1, 1), kernels=(3, 3), attention_size=8, embedding_size=EMBEDDING
        )
    )
    with torch.no_grad():
        for _ in range(20):
            network(torch.from_numpy(standardized_windows(16, seed)))
    return network.eval()


def small_parts(window_weight: float = 0.6, seed: int = 0, *, both_polarities: bool = False) -> StripParts:
    """A fitted beat encoder and random maps."""
    rng = np.random.default_rng(seed)
    lda = fitted_lda()
    return StripParts(
        polarity=lda.polarity,
        window_weight=window_weight,
        window_map=LinearMap(0.1 * rng.standard_normal(EMBEDDING), rng.standard_normal((EMBEDDING, 12))),
        beat_lda=lda,
        both_polarities=both_polarities,
    )


def small_encoder(window_weight: float = 0.6, seed: int = 0) -> StripEncoder:
    """A whole encoder of strips."""
    return StripEncoder(small_network(seed), small_parts(window_weight, seed))


def standardized_windows(n: int, seed: int = 0) -> NDArray[np.float32]:
    """Smooth noise, zero mean, unit variance; shape (n, n_samples)."""
    steps = np.random.default_rng(seed).standard_normal((n, WINDOW_SAMPLES)).cumsum(axis=1)
    centered = steps - steps.mean(axis=1, keepdims=True)
    return np.asarray(centered / centered.std(axis=1, keepdims=True), dtype=np.float32)


def strip_inputs(n: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What a strip encoder reads of one strip: windows (n, n_samples) and beat (1, n_beat)."""
    shapes, _ = beat_shapes()
    return standardized_windows(n, seed), shapes[seed : seed + 1].astype(np.float32)
