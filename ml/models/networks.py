"""Window networks by the names that recipes use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

# Module, config class, network class. Imported on demand: one architecture does not load the others.
NETWORKS: Mapping[str, tuple[str, str, str]] = {
    "beat_net": ("ml.models.beat_net", "BeatNetConfig", "BeatNet"),
    "deit1d": ("ml.models.deit1d", "Deit1dConfig", "Deit1d"),
    "resnet1d": ("ml.models.resnet1d", "ResNet1dConfig", "ResNet1d"),
}


def make_network(name: str, parameters: Mapping[str, Any]) -> nn.Module:
    """Build a window network with fresh weights.

    Args:
        name: One of `NETWORKS`.
        parameters: Fields of its config; those left out keep their defaults.

    Returns:
        A module with `embedding_size`, that maps windows (B, samples) to `Features`.

    Raises:
        ValueError: An unknown name or parameter; the message lists the known ones.
    """
    config_class, network_class = _classes(name)
    known = {field.name for field in fields(config_class)}
    if unknown := sorted(set(parameters) - known):
        raise ValueError(f"network {name}: unknown {unknown}, known are {sorted(known)}")
    network: nn.Module = network_class(config_class(**parameters))
    return network


def _classes(name: str) -> tuple[Any, Any]:
    if name not in NETWORKS:
        raise ValueError(f"network: expected one of {sorted(NETWORKS)}, got {name!r}")
    module, config_class, network_class = NETWORKS[name]
    found = import_module(module)
    return getattr(found, config_class), getattr(found, network_class)
