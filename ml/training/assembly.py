"""Trained networks → the one graph of a bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from ml.export_network import strip_network
from ml.models.strip_encoder import StripEncoder, StripParts
from ml.training.assembly_recipe import AssemblyPlan
from ml.training.checkpoints import load_network, weights_path


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
