"""Error curves on development people (D1-dev) while a network trains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ml.metrics.error_rates import eer
from ml.models.features import Features
from ml.training.devices import device_of
from ml.training.strips import Strip

BATCH = 512
ViewsOf = Callable[[Strip], NDArray[np.float32] | None]


@dataclass(frozen=True)
class DevelopmentSet:
    """Windows of references and probes of some people, one strip each.

    Args:
        windows: Upright, standardized, float32, shape (n_windows, n_samples).
        strip: Strip of each window, 0 … 2n − 1: references first; int64, shape (n_windows,).
        pairs: References with windows, and as many probes in the same order.
        failures: Pairs with a side that could not be acquired; they have no windows.
    """

    windows: Tensor
    strip: Tensor
    pairs: int
    failures: int

    def figures(self, network: nn.Module) -> Mapping[str, float]:
        """EER in percent, failures counted as non-matches, and share not identified at rank 1."""
        templates = strip_embeddings(network, self.windows, self.strip)
        references, probes = templates[: self.pairs], templates[self.pairs :]
        cosine = (probes @ references.T).numpy().astype(np.float64)
        mated, non_mated = np.diag(cosine), cosine[~np.eye(self.pairs, dtype=bool)]
        failed = np.full(self.failures, -2.0)
        missed = int((cosine.argmax(axis=1) != np.arange(self.pairs)).sum()) + self.failures
        return {
            "d1_dev_eer": round(100.0 * eer(np.concatenate([mated, failed]), non_mated), 3),
            "d1_dev_missed": round(100.0 * missed / (self.pairs + self.failures), 3),
        }


def development_set(strips: Sequence[Strip], views_of: ViewsOf) -> DevelopmentSet:
    """Build the set from strips in pairs of reference and probe.

    Args:
        strips: Reference and probe of one person, then of the next.
        views_of: Strip → the network's input, float32, shape (n, n_samples); None if impossible.
    """
    views = [views_of(strip) if strip.seconds > 0.0 else None for strip in strips]
    pairs = [(one, other) for one, other in zip(views[0::2], views[1::2], strict=True)]
    read = [(one, other) for one, other in pairs if one is not None and other is not None]
    if not read:
        raise ValueError("no pair of reference and probe could be read")
    cut = [one for one, _ in read] + [other for _, other in read]
    return DevelopmentSet(
        windows=torch.from_numpy(np.concatenate(cut)),
        strip=torch.repeat_interleave(torch.arange(len(cut)), torch.tensor([len(view) for view in cut])),
        pairs=len(read),
        failures=len(pairs) - len(read),
    )


@torch.no_grad()
def strip_embeddings(network: nn.Module, windows: Tensor, strip: Tensor) -> Tensor:
    """Return each strip's mean of unit embeddings, scaled to unit norm; float32, shape (n_strips, d).

    Windows are moved to the network's device, embeddings back.
    """
    device = device_of(network)
    batches = torch.split(windows, BATCH)
    embeddings = torch.cat([_embedding(network, batch.to(device)).to(windows.device) for batch in batches])
    units = functional.normalize(embeddings, dim=1)
    sums = torch.zeros(int(strip.max()) + 1, units.shape[1]).index_add_(0, strip, units)
    return functional.normalize(sums, dim=1)


def _embedding(network: nn.Module, windows: Tensor) -> Tensor:
    features: Features = network(windows)
    return features.embedding.float()
