"""Export the encoder of a strip, or a bare network over windows, and compare what was written with it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from ml.export.onnx_files import cosine_distance, open_session
from ml.export.traced_network import traced_network
from ml.models.features import WINDOW_SAMPLES
from ml.models.strip_encoder import StripEncoder

# Numbers of windows tested at export; the first differs from those used in tracing.
CHECKED_WINDOWS = (1, 2, 5, 16)
TRACED_WINDOWS = 3
WORST_COSINE_DISTANCE = 1e-4
CHECK_SEED = 20261120


class ExportError(RuntimeError):
    """ONNX Runtime and the torch module disagree."""


def strip_network(encoder: StripEncoder) -> bytes:
    """Write the encoder of a strip: `windows` float32 (n, n_samples), `beat` (1, n_beat) → `vector` (1, d).

    Raises:
        ExportError: ONNX Runtime and torch disagree.
    """
    beat = torch.zeros(1, encoder.get_buffer("polarity").numel())
    return _export(encoder, {"windows": _windows(TRACED_WINDOWS), "beat": beat}, "vector")


def window_network(network: nn.Module) -> bytes:
    """Write a bare network, without maps behind it: `windows` (n, n_samples) → `embeddings` (n, d).

    Raises:
        ExportError: ONNX Runtime and torch disagree.
    """
    return _export(_EmbeddingsOnly(network).eval(), {"windows": _windows(TRACED_WINDOWS)}, "embeddings")


def stages_network(network: nn.Module) -> bytes:
    """Write the stages of a network, averaged over time: `windows` (n, n_samples) → `stages` (n, d).

    Raises:
        ExportError: ONNX Runtime and torch disagree.
    """
    return _export(_StagesOnly(network).eval(), {"windows": _windows(TRACED_WINDOWS)}, "stages")


class _StagesOnly(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, windows: Tensor) -> Tensor:
        return torch.cat([stage.mean(dim=2) for stage in self.network(windows).stages], dim=1)


class _EmbeddingsOnly(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, windows: Tensor) -> Tensor:
        embedding: Tensor = self.network(windows).embedding
        return embedding


def _export(module: nn.Module, traced: Mapping[str, Tensor], output: str) -> bytes:
    weights = traced_network(module, traced, output, free={"windows"})
    _check(module, weights, traced)
    return weights


def _check(module: nn.Module, weights: bytes, traced: Mapping[str, Tensor]) -> None:
    session = open_session(weights)
    for n in CHECKED_WINDOWS:
        inputs = {
            name: _windows(n) if name == "windows" else torch.randn_like(traced[name]) for name in traced
        }
        with torch.no_grad():
            expected = module(**inputs).numpy()
        found = session.run(None, {name: value.numpy() for name, value in inputs.items()})[0]
        worst = float(cosine_distance(expected, found).max())
        if not worst <= WORST_COSINE_DISTANCE:
            raise ExportError(
                f"{n} windows: expected vectors within a cosine distance of {WORST_COSINE_DISTANCE:g}, "
                f"found {worst:.2g}"
            )


def _windows(n: int) -> Tensor:
    """Standardized noise with the slope of an ECG's spectrum; float32, shape (n, n_samples)."""
    steps = np.random.default_rng(CHECK_SEED + n).standard_normal((n, WINDOW_SAMPLES)).cumsum(axis=1)
    centered = steps - steps.mean(axis=1, keepdims=True)
    return torch.from_numpy((centered / centered.std(axis=1, keepdims=True)).astype(np.float32))
