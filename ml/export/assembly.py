"""Trained networks → the one graph of a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from ml.export.assembly_recipe import AssemblyPlan, AssemblyRecipe
from ml.export.quantization import quantize_network
from ml.export.strip_network import strip_network
from ml.models.strip_encoder import StripEncoder, StripParts
from ml.runtime.ecg.mean_beat import MeanBeatConfig
from ml.runtime.ecg.strip_preparation import StripConfig, StripPreparation
from ml.training.checkpoints import load_network, weights_path
from ml.training.strips import Strip


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


def assemble_for_serving(
    recipe: AssemblyRecipe,
    polarity: NDArray[np.float64],
    beat: MeanBeatConfig,
    strips: Sequence[Strip],
    var: Path,
) -> bytes:
    """Do what `assemble` does, and what the recipe wants of 8-bit integers.

    Args:
        recipe: Of the bundle.
        polarity: Functional of the standardised mean beat that turns strips upright.
        beat: What the mean beat is.
        strips: Conditioned, of training people; some of them set the ranges.
        var: Where trainings keep their results.

    Raises:
        FileNotFoundError: A network is neither there nor among the kept ones.
        QuantizationError: ONNX Runtime does not compute what the quantised graph says.
    """
    weights = assemble(recipe.assembly, polarity, var)
    if (wanted := recipe.assembly.int8_strips) == 0:
        return weights
    read = [strip for strip in strips if strip.r_peaks.size]
    chosen = [read[i] for i in np.linspace(0, len(read) - 1, min(wanted, len(read))).astype(int)]
    preparation = StripPreparation(StripConfig(beat, recipe.windows))
    inputs = [preparation.inputs(strip.ecg, strip.r_peaks, strip.accepted) for strip in chosen]
    return quantize_network(weights, inputs)
