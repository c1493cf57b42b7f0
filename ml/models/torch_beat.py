"""The fitted beat encoder as a torch module, as part of a larger exported graph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ml.models.beat_lda import BeatLda
from ml.models.beat_views import WHOLE_VARIANCE_FLOOR, BeatView


class TorchBeatLda(nn.Module):
    """Equals `BeatLda.vectors`, in single precision, on beats that are upright already."""

    def __init__(self, fitted: BeatLda) -> None:
        super().__init__()
        self.views = fitted.views
        self.vector_size = int(fitted.projection.shape[1])
        self.register_buffer("projection", constant(fitted.projection))
        # Subtracted behind the projection: both are linear, and the vector is shorter there.
        self.register_buffer("centre", constant(fitted.mean @ fitted.projection))

    def forward(self, upright: Tensor) -> Tensor:
        """Encode standardized beats, float32, shape (n, n_samples) → unit vectors, (n, d)."""
        projected = torch_views(upright, self.views) @ self.get_buffer("projection")
        return unit(projected - self.get_buffer("centre"))


def torch_views(shapes: Tensor, views: Sequence[BeatView]) -> Tensor:
    """The same as `ml.models.beat_views.apply_views`; (n, n_samples) → (n, sum of the views' lengths)."""
    differences = [shapes]
    for _ in range(max(view.order for view in views)):
        slope = differences[-1][:, 1:] - differences[-1][:, :-1]
        differences.append(_standardized(slope, WHOLE_VARIANCE_FLOOR))
    pieces = [_standardized(differences[v.order][:, v.start : v.stop], v.variance_floor) for v in views]
    return torch.cat(pieces, dim=1)


def unit(rows: Tensor) -> Tensor:
    """Scale each row to unit norm; a zero row stays zero."""
    norm = rows.square().sum(dim=1, keepdim=True).sqrt()
    return rows / norm.clamp_min(torch.finfo(rows.dtype).tiny)


def constant(values: NDArray[np.floating]) -> Tensor:
    """Copy a fitted array into single precision."""
    return torch.tensor(np.asarray(values), dtype=torch.float32)


def _standardized(rows: Tensor, variance_floor: float) -> Tensor:
    centered = rows - rows.mean(dim=1, keepdim=True)
    return centered / (centered.square().mean(dim=1, keepdim=True) + variance_floor).sqrt()
