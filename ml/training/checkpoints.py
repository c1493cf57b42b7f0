"""Files of a training: a checkpoint to resume from, and the resulting weights and figures."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from ml.models.networks import make_network
from ml.training.network_recipe import NetworkPlan

CHECKPOINT_FILE = "checkpoint.pt"
NETWORK_FILE = "network.pt"
TRAINING_FILE = "training.json"


# Weights behind shipped bundles are beside the recipes; those trained on this machine take precedence.
KEPT_WEIGHTS = Path(__file__).parents[1] / "weights"


_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingIdentity:
    """Identity of a training; a change of any field makes it another training.

    Args:
        recipe_sha256: Of the recipe.
        people_sha256: Of the names of the training people.
        ignored_pairs_sha256: Of the pairs of them that are probably one person; empty without any.
        teacher_sha256: Of the teacher's weights; empty without a teacher.
        initial_sha256: Of the initial weights; empty without any.
    """

    recipe_sha256: str
    people_sha256: str
    ignored_pairs_sha256: str = ""
    teacher_sha256: str = ""
    initial_sha256: str = ""


class Head(NamedTuple):
    """Learned parameters of a class loss.

    Args:
        centers: Directions of the classes, float32, shape (sub-centers, n_classes, embedding_size).
        scale: Of the cosines; None for a network saved without it.
    """

    centers: torch.Tensor
    scale: float | None


@dataclass(frozen=True)
class Classes:
    """The people that a network was trained to classify.

    Args:
        people_sha256: Of the names of the people; None for a network saved without it.
        heads: By the name of their loss.
    """

    people_sha256: str | None = None
    heads: Mapping[str, Head] = field(default_factory=dict)


def save_checkpoint(folder: Path, identity: TrainingIdentity, state: Mapping[str, Any]) -> None:
    """Save everything that the next steps depend on; an interrupted write leaves the former file."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / (CHECKPOINT_FILE + ".tmp")
    torch.save({"identity": asdict(identity), **state}, draft)
    draft.replace(folder / CHECKPOINT_FILE)


def load_checkpoint(folder: Path, identity: TrainingIdentity) -> dict[str, Any] | None:
    """Return the checkpoint of this very training, or None; one of another training is logged."""
    path = folder / CHECKPOINT_FILE
    if not path.is_file():
        return None
    # To memory, whatever device it was written on: modules and optimizers move what they load themselves.
    state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    # Older ones name their recipe only.
    kept = state.pop("identity", {"recipe_sha256": state.get("recipe_sha256")})
    other = [name for name, value in asdict(identity).items() if kept.get(name) != value]
    if other:
        _log.warning("%s is of another training (other %s): starting afresh", path, ", ".join(other))
        return None
    return state


def save_network(path: Path, plan: NetworkPlan, state: Mapping[str, torch.Tensor], classes: Classes) -> None:
    """Save a network in half precision, with its architecture.

    Args:
        path: File to write.
        plan: Name and parameters.
        state: Weights of the network.
        classes: Needed by a student of this network.

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
        "people_sha256": classes.people_sha256,
        "heads": {name: _half(head.centers) for name, head in classes.heads.items()},
        "scales": {name: head.scale for name, head in classes.heads.items()},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".tmp")
    torch.save(content, draft)
    draft.replace(path)


def load_network(path: Path) -> tuple[nn.Module, Classes]:
    """Load a saved network, ready to embed, and its training classes."""
    content = torch.load(path, weights_only=True, map_location="cpu")
    parameters = json.loads(content["parameters"])
    parameters = {key: tuple(v) if isinstance(v, list) else v for key, v in parameters.items()}
    network = make_network(content["network"], parameters)
    network.load_state_dict({name: _single(value) for name, value in content["weights"].items()})
    network.eval()
    scales = content.get("scales", {})  # Older files have neither scales nor people.
    heads = {name: Head(_single(centers), scales.get(name)) for name, centers in content["heads"].items()}
    return network, Classes(content.get("people_sha256"), heads)


def save_figures(folder: Path, figures: Mapping[str, Any]) -> None:
    """Save the results of a training as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / (TRAINING_FILE + ".tmp")
    draft.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    draft.replace(folder / TRAINING_FILE)


def weights_path(network_id: str, var: Path) -> Path:
    """Return the path of a network's weights."""
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
