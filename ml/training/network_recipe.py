"""The recipe of a window network: one TOML file, read strictly."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ml.training.recipe import BundleNames, CalibrationConfig, RecipeError, read_section


@dataclass(frozen=True)
class LossPlan:
    """One term of the loss and when it counts. Shares are of the whole training.

    Args:
        name: Of a metric loss.
        weight: Of the term.
        options: Further arguments of the loss.
        begins, ends: Share of the training during which the term counts.
        margin: Final margin; None for losses without one that changes.
        margin_from, margin_to: Shares between which the margin grows from nothing.
    """

    name: str
    weight: float = 1.0
    options: Mapping[str, float] = field(default_factory=dict)
    begins: float = 0.0
    ends: float = 1.0
    margin: float | None = None
    margin_from: float = 0.25
    margin_to: float = 0.6

    def margin_at(self, progress: float) -> float:
        """Margin at a share of the training."""
        ramp = (progress - self.margin_from) / (self.margin_to - self.margin_from)
        return (self.margin or 0.0) * min(1.0, max(0.0, ramp))

    def counts_at(self, progress: float) -> bool:
        """Whether the term counts at a share of the training."""
        return self.weight > 0.0 and self.begins <= progress < self.ends


@dataclass(frozen=True)
class NetworkPlan:
    """Which network, by its name in `ml.models.networks`, and its parameters."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OptimisationConfig:
    """Args:
    steps: Batches in the whole training.
    people: Of a batch; each gives two windows, one of the first and one of the last third of the strip.
    learning_rate: The largest, reached after `warmup` of the training and then lowered along a cosine.
    last_rate: Share of the largest rate that remains at the end.
    weight_decay: Of matrices and convolutions; none of offsets and normalisations.
    average_steps: The weights that are kept are a moving average over about so many steps.
    bfloat16: Convolutions and products in bfloat16.
    seed: Of weights, batches and augmentation.
    """

    steps: int = 10_000
    people: int = 128
    learning_rate: float = 2e-3
    last_rate: float = 0.01
    warmup: float = 0.1
    weight_decay: float = 0.05
    average_steps: int = 200
    bfloat16: bool = True
    seed: int = 20261120


@dataclass(frozen=True)
class AugmentationConfig:
    """Shares of crops that a step touches, and how far it goes; a share of 0 switches the step off.

    Args:
        warp_share, period_change: Change of the heart period: up to this share longer, 0.7 times it shorter.
        rate_jitter: Error of the sampling rate, ± this share.
        repolarisation_sd: Standard deviation of the logarithm of the T wave's size.
        swap_share: Crops whose residue (all but the typical beat) is replaced by another person's.
        equaliser_db: Largest gain of the low and the high shelf, ±.
        high_pass_share, high_pass_hz: First-order input stages and their corners.
        low_pass_share, low_pass_hz: Second-order ones.
        muscle_share, muscle_size: Noise of 15 to 60 Hz, root mean square up to this share of the QRS's.
        drift_share, drift_size: Wander of 0.3 to 1.5 Hz.
        motion_share, motion_size: Steps of the electrode that decay.
        noise_share, noise_size: Pieces of unreadable recordings.
        quantisation_share, quantisation_step: Coarse converters.
        invert_share: Crops turned upside down.
    """

    warp_share: float = 0.5
    period_change: float = 0.35
    rate_jitter: float = 0.005
    repolarisation_sd: float = 0.25
    swap_share: float = 0.5
    equaliser_db: float = 6.0
    high_pass_share: float = 0.5
    high_pass_hz: tuple[float, float] = (0.05, 1.0)
    low_pass_share: float = 0.5
    low_pass_hz: tuple[float, float] = (20.0, 40.0)
    muscle_share: float = 0.4
    muscle_size: float = 0.25
    drift_share: float = 0.4
    drift_size: float = 0.4
    motion_share: float = 0.1
    motion_size: float = 1.5
    noise_share: float = 0.1
    noise_size: float = 0.6
    quantisation_share: float = 0.2
    quantisation_step: float = 0.06
    invert_share: float = 0.25


@dataclass(frozen=True)
class DistillationPlan:
    """Args:
    teacher: Weights file of the teacher, of its own training.
    terms: Weights of the terms by name, see `ml.losses.distillation`.
    ramp: Terms reach their weight after this share of the training.
    """

    teacher: str
    terms: Mapping[str, float]
    ramp: float = 0.1


@dataclass(frozen=True)
class NetworkRecipe:
    """All that determines a network's weights, besides the data and the code."""

    bundle: BundleNames
    network: NetworkPlan
    losses: tuple[LossPlan, ...]
    optimisation: OptimisationConfig = field(default_factory=OptimisationConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    calibration: CalibrationConfig = field(default_factory=CalibrationConfig)
    distillation: DistillationPlan | None = None
    sha256: str = ""


_SECTIONS = ("bundle", "network", "losses", "optimisation", "augmentation", "calibration", "distillation")


def is_network_recipe(path: Path) -> bool:
    """Tell whether a recipe has a section `network`; what cannot be read is left to the readers."""
    try:
        return "network" in tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False


def read_network_recipe(path: Path) -> NetworkRecipe:
    """Read a recipe.

    Raises:
        RecipeError: Not TOML, an unknown section or key, or a missing one without default.
    """
    content = path.read_bytes()
    try:
        tables = tomllib.loads(content.decode())
    except ValueError as error:
        raise RecipeError(f"{path.name}: {error}") from error
    if unknown := set(tables) - set(_SECTIONS):
        raise RecipeError(f"{path.name}: unknown sections {sorted(unknown)}; known: {', '.join(_SECTIONS)}")

    def section(name: str, kind: type[Any]) -> Any:
        return read_section(f"{path.name} [{name}]", kind, tables.get(name, {}))

    network = dict(tables.get("network", {}))
    distillation = section("distillation", DistillationPlan) if "distillation" in tables else None
    losses = tuple(
        read_section(f"{path.name} [losses.{name}]", LossPlan, _loss_table(name, table))
        for name, table in tables.get("losses", {}).items()
    )
    if not losses and distillation is None:
        raise RecipeError(f"{path.name}: no losses and no distillation: nothing to learn from")
    return NetworkRecipe(
        bundle=section("bundle", BundleNames),
        network=NetworkPlan(
            name=network.pop("name", ""),
            parameters={k: tuple(v) if isinstance(v, list) else v for k, v in network.items()},
        ),
        losses=losses,
        optimisation=section("optimisation", OptimisationConfig),
        augmentation=section("augmentation", AugmentationConfig),
        calibration=section("calibration", CalibrationConfig),
        distillation=distillation,
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _loss_table(name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """Keys that a `LossPlan` does not know are arguments of the loss itself, which checks them."""
    known = {f.name for f in fields(LossPlan)} - {"name", "options"}
    plan = {key: value for key, value in table.items() if key in known}
    return {"name": name, "options": {k: v for k, v in table.items() if k not in known}, **plan}
