"""A look at development people (D1-dev) while a network trains: curves to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ml.evaluation.metrics import eer
from ml.models.features import Features
from ml.models.mean_beat import MeanBeatConfig
from ml.signal.windows import WindowConfig, strip_windows
from ml.training.network_data import upright_sign
from ml.training.strips import Strip

BATCH = 512


@dataclass(frozen=True)
class DevelopmentSet:
    """Windows of references and probes of some people, one strip each.

    Args:
        windows: Upright, standardised, float32, shape (n_windows, n_samples).
        strip: Which strip a window is of, 0 … 2n − 1: references first; int64, shape (n_windows,).
        failures: Pairs of which one side could not be acquired; they are in no window.
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


def development_set(
    strips: Sequence[Strip], polarity: NDArray[np.float64], beat: MeanBeatConfig, windows: WindowConfig
) -> DevelopmentSet:
    """Cut windows of strips that come in pairs of reference and probe."""
    references, probes = strips[0::2], strips[1::2]
    pairs = zip(references, probes, strict=True)
    read = [i for i, pair in enumerate(pairs) if all(strip.seconds > 0 for strip in pair)]
    cut = [
        upright_sign(strip, polarity, beat) * strip_windows(strip.ecg, strip.accepted, windows)
        for side in (references, probes)
        for strip in (side[i] for i in read)
    ]
    return DevelopmentSet(
        windows=torch.from_numpy(np.concatenate(cut)),
        strip=torch.repeat_interleave(torch.arange(len(cut)), torch.tensor([len(w) for w in cut])),
        pairs=len(read),
        failures=len(references) - len(read),
    )


@torch.no_grad()
def strip_embeddings(network: nn.Module, windows: Tensor, strip: Tensor) -> Tensor:
    """Mean of the unit embeddings of each strip's windows, unit norm; float32, shape (n_strips, d)."""
    embeddings = torch.cat([_embedding(network, batch) for batch in torch.split(windows, BATCH)])
    units = functional.normalize(embeddings, dim=1)
    sums = torch.zeros(int(strip.max()) + 1, units.shape[1]).index_add_(0, strip, units)
    return functional.normalize(sums, dim=1)


def _embedding(network: nn.Module, windows: Tensor) -> Tensor:
    features: Features = network(windows)
    return features.embedding.float()
