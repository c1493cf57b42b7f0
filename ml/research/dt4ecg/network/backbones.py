"""Backbones of the dual-task network by their names in tables and recipes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ml.research.dt4ecg.network.backbone_cnn import CnnOptions, CnnTrunk
from ml.research.dt4ecg.network.backbone_densenet import DenseNetOptions, DenseNetTrunk
from ml.research.dt4ecg.network.backbone_efficientnet import EfficientNetOptions, EfficientNetTrunk
from ml.research.dt4ecg.network.backbone_lstm import LstmOptions, LstmTrunk
from ml.research.dt4ecg.network.backbone_mlp import MlpOptions, MlpTrunk
from ml.research.dt4ecg.network.backbone_mobilenet import MobileNetOptions, MobileNetTrunk
from ml.research.dt4ecg.network.backbone_resnet import ResNetOptions, ResNetTrunk
from ml.research.dt4ecg.network.options import make_options
from ml.research.dt4ecg.network.trunk import Trunk

# Options, and a function from the length of the windows and options to a trunk.
# By default, 300 samples become 38 steps, the 19 of `efficientnet` and `densenet`, or the 1 of the baselines.
BACKBONES: Mapping[str, tuple[type[Any], Callable[[int, Any], Trunk]]] = {
    "cnn": (CnnOptions, lambda _n_samples, options: CnnTrunk(options)),
    "resnet": (ResNetOptions, lambda _n_samples, options: ResNetTrunk(options)),
    "mobilenet": (MobileNetOptions, lambda _n_samples, options: MobileNetTrunk(options)),
    "efficientnet": (EfficientNetOptions, lambda _n_samples, options: EfficientNetTrunk(options)),
    "densenet": (DenseNetOptions, lambda _n_samples, options: DenseNetTrunk(options)),
    "lstm": (LstmOptions, lambda _n_samples, options: LstmTrunk(options)),
    "mlp": (MlpOptions, MlpTrunk),
}
# Table I's baselines, which the paper combines with no attention: most of their maps have one step.
WITHOUT_ATTENTION = ("lstm", "mlp")


def make_trunk(name: str, n_samples: int, options: Mapping[str, Any]) -> Trunk:
    """Build a trunk with fresh weights.

    Args:
        name: One of `BACKBONES`.
        n_samples: Length of the windows; binding for `mlp` only.
        options: Differences from the default options.

    Raises:
        ValueError: An unknown option; the message lists the known ones.
    """
    options_class, make = BACKBONES[name]
    return make(n_samples, make_options(options_class, f"backbone {name}", options))
