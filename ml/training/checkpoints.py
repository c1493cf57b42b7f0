"""What a training keeps on disk: a checkpoint to go on from, and the weights and figures that it made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ml.models.networks import make_network
from ml.training.network_recipe import NetworkPlan

CHECKPOINT_FILE = "checkpoint.pt"
NETWORK_FILE = "network.pt"
TRAINING_FILE = "training.json"


# Weights worth keeping lie beside the recipes; those of this machine's trainings come first.
KEPT_WEIGHTS = Path(__file__).parents[1] / "weights"


def save_checkpoint(folder: Path, recipe_sha256: str, state: Mapping[str, Any]) -> None:
    """Keep everything that the next steps depend on; an interrupted write leaves the former one."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / (CHECKPOINT_FILE + ".tmp")
    torch.save({"recipe_sha256": recipe_sha256, **state}, draft)
    draft.replace(folder / CHECKPOINT_FILE)


def load_checkpoint(folder: Path, recipe_sha256: str) -> dict[str, Any] | None:
    """Give the checkpoint of this very recipe, or None."""
    path = folder / CHECKPOINT_FILE
    if not path.is_file():
        return None
    # To memory, whatever device it was written on: modules and optimisers move what they load themselves.
    state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    return state if state.pop("recipe_sha256") == recipe_sha256 else None


def save_network(
    path: Path, plan: NetworkPlan, state: Mapping[str, torch.Tensor], heads: Mapping[str, torch.Tensor]
) -> None:
    """Keep a network in half precision, with its architecture.

    Args:
        path: File to write.
        plan: Name and parameters.
        state: Weights of the network.
        heads: Directions of classes that a student may learn from, by the name of their loss.

    Raises:
        ValueError: A weight is not finite in half precision; the former file stays.
    """
    halved = {name: _half(value) for name, value in state.items()}
    if lost := sorted(name for name, value in halved.items() if not value.isfinite().all()):
        raise ValueError(f"weights without a value in half precision: {lost}")
    parameters = {key: list(v) if isinstance(v, tuple) else v for key, v in plan.parameters.items()}
    content = {
        "network": plan.name,
        "parameters": json.dumps(parameters),
        "weights": halved,
        "heads": {name: _half(value) for name, value in heads.items()},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".tmp")
    torch.save(content, draft)
    draft.replace(path)


def load_network(path: Path) -> tuple[nn.Module, dict[str, torch.Tensor]]:
    """Load a kept network, ready to embed, and the class directions kept beside it."""
    content = torch.load(path, weights_only=True, map_location="cpu")
    parameters = json.loads(content["parameters"])
    parameters = {key: tuple(v) if isinstance(v, list) else v for key, v in parameters.items()}
    network = make_network(content["network"], parameters)
    network.load_state_dict({name: _single(value) for name, value in content["weights"].items()})
    network.eval()
    return network, {name: _single(value) for name, value in content["heads"].items()}


def save_figures(folder: Path, figures: Mapping[str, Any]) -> None:
    """Keep the results of a training as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / (TRAINING_FILE + ".tmp")
    draft.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    draft.replace(folder / TRAINING_FILE)


def weights_path(network_id: str, var: Path) -> Path:
    """Where the weights of a network are."""
    trained = var / "train" / network_id / NETWORK_FILE
    kept = KEPT_WEIGHTS / f"{network_id}.pt"
    if trained.is_file():
        return trained
    if kept.is_file():
        return kept
    raise FileNotFoundError(f"no weights of {network_id}; train it, or put them at {kept.name} in ml/weights")


def _half(value: torch.Tensor) -> torch.Tensor:
    value = value.detach().cpu()
    return value.half() if value.is_floating_point() else value.clone()


def _single(value: torch.Tensor) -> torch.Tensor:
    return value.float() if value.is_floating_point() else value
