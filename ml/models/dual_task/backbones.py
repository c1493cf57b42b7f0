"""Backbones of the dual-task network by the names that tables and recipes use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ml.models.dual_task.backbone_resnet import ResNetOptions, ResNetTrunk
from ml.models.dual_task.options import make_options
from ml.models.dual_task.trunk import Trunk

# Options, and how a trunk is made from the length of the windows and options.
BACKBONES: Mapping[str, tuple[type[Any], Callable[[int, Any], Trunk]]] = {
    "resnet": (ResNetOptions, lambda _n_samples, options: ResNetTrunk(options)),
}
# Their maps have one step.
WITHOUT_STEPS = ("lstm", "mlp")


def make_trunk(name: str, n_samples: int, options: Mapping[str, Any]) -> Trunk:
    """Build a trunk with fresh weights.

    Args:
        name: One of `BACKBONES`.
        n_samples: Length of the windows it will read; binding for `mlp` only.
        options: What differs from the defaults of its options.

    Raises:
        ValueError: An unknown option; the message lists the known ones.
    """
    options_class, make = BACKBONES[name]
    return make(n_samples, make_options(options_class, f"backbone {name}", options))
