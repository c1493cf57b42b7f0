"""Attentions of the dual-task network by their names in tables and recipes.

All map (B, C, T) to the same shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from ml.research.dt4ecg.network.attention_cbam import CbamOptions, ConvolutionalBlockAttention
from ml.research.dt4ecg.network.attention_mha import MhaOptions, StepAttention
from ml.research.dt4ecg.network.attention_sca import (
    LengthFreeScaOptions,
    LengthFreeSequenceChannelAttention,
    ScaOptions,
    SequenceChannelAttention,
)
from ml.research.dt4ecg.network.attention_se import SeOptions, make_squeeze_excitation
from ml.research.dt4ecg.network.options import make_options


@dataclass(frozen=True)
class NoOptions:
    """No options."""


# Options, and a function from width, steps and options to a module.
ATTENTIONS: Mapping[str, tuple[type[Any], Callable[[int, int, Any], nn.Module]]] = {
    "none": (NoOptions, lambda _width, _n_steps, _options: nn.Identity()),
    "se": (SeOptions, lambda width, _n_steps, options: make_squeeze_excitation(width, options)),
    "mha": (MhaOptions, lambda width, _n_steps, options: StepAttention(width, options)),
    "cbam": (CbamOptions, lambda width, _n_steps, options: ConvolutionalBlockAttention(width, options)),
    "sca": (ScaOptions, SequenceChannelAttention),
    "sca_length_free": (
        LengthFreeScaOptions,
        lambda width, _n_steps, options: LengthFreeSequenceChannelAttention(width, options),
    ),
}


def make_attention(name: str, width: int, n_steps: int, options: Mapping[str, Any]) -> nn.Module:
    """Build an attention with fresh weights.

    Args:
        name: One of `ATTENTIONS`.
        width: Channels of the maps.
        n_steps: Steps of the maps; binding for `sca` only.
        options: Differences from the default options.

    Raises:
        ValueError: An unknown option; the message lists the known ones.
    """
    options_class, make = ATTENTIONS[name]
    return make(width, n_steps, make_options(options_class, f"attention {name}", options))
