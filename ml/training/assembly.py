"""Trained networks → the one graph of a bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from ml.export_network import strip_network
from ml.models.strip_encoder import StripEncoder, StripParts
from ml.training.assembly_recipe import AssemblyPlan
from ml.training.checkpoints import NETWORK_FILE, load_network

# Weights worth keeping lie beside the recipes; those of this machine's trainings come first.
KEPT_WEIGHTS = Path(__file__).parents[1] / "weights"


def assemble(plan: AssemblyPlan, polarity: NDArray[np.float64], var: Path) -> bytes:
    """Put networks together and write them as ONNX.

    Args:
        plan: Which networks, and how they are weighed.
        polarity: Functional of the standardised mean beat that turns strips upright.
        var: Where trainings keep their results.

    Raises:
        FileNotFoundError: A network is neither there nor among the kept ones.
    """
    network, _ = load_network(weights_path(plan.windows, var))
    beats: nn.Module | None = load_network(weights_path(plan.beats, var))[0] if plan.beats else None
    parts = StripParts(
        polarity=polarity, window_weight=plan.window_weight, both_polarities=plan.both_polarities
    )
    return strip_network(StripEncoder(network, parts, beats))


def weights_path(network_id: str, var: Path) -> Path:
    """Where the weights of a network are."""
    trained = var / "train" / network_id / NETWORK_FILE
    kept = KEPT_WEIGHTS / f"{network_id}.pt"
    if trained.is_file():
        return trained
    if kept.is_file():
        return kept
    raise FileNotFoundError(f"no weights of {network_id}; train it, or put them at {kept.name} in ml/weights")
