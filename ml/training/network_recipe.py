"""The recipe of a window network: one TOML file, read strictly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ml.models.networks import NETWORKS
from ml.training.recipe import (
    BundleNames,
    CalibrationConfig,
    RecipeError,
    has_section,
    read_section,
    read_tables,
)


@dataclass(frozen=True)
class LossPlan:
    """One term of the loss and its schedule. Shares are of the whole training.

    Args:
        name: Of a metric loss.
        weight: Of the term.
        options: Further arguments of the loss.
        begins, ends: Share of the training during which the term counts.
        margin: Final margin; None for losses without a scheduled one.
        margin_from, margin_to: Shares between which the margin grows from 0.

    Raises:
        ValueError: A share that ends before it begins.
    """

    name: str
    weight: float = 1.0
    options: Mapping[str, float] = field(default_factory=dict)
    begins: float = 0.0
    ends: float = 1.0
    margin: float | None = None
    margin_from: float = 0.25
    margin_to: float = 0.6

    def __post_init__(self) -> None:
        if not self.begins < self.ends or not self.margin_from < self.margin_to:
            raise ValueError("begins must lie before ends, and margin_from before margin_to")

    def margin_at(self, progress: float) -> float:
        """Return the margin at a share of the training."""
        ramp = (progress - self.margin_from) / (self.margin_to - self.margin_from)
        return (self.margin or 0.0) * min(1.0, max(0.0, ramp))

    def counts_at(self, progress: float) -> bool:
        """Whether the term counts at a share of the training."""
        return self.weight > 0.0 and self.begins <= progress < self.ends


@dataclass(frozen=True)
class NetworkPlan:
    """A network by its name in `ml.models.networks`, and its parameters."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OptimizationConfig:
    """Args:
    steps: Batches in the whole training.
    people: Of a batch; each gives two windows, one from the first and one from the last third of the strip.
    learning_rate: The largest, reached after `warmup` of the training and then lowered along a cosine.
    last_rate: Share of the largest rate that remains at the end.
    weight_decay: Of matrices and convolutions, not of offsets and normalizations.
    average_steps: Saved weights are a moving average over about this many steps.
    bfloat16: Convolutions and products in bfloat16.
    seed: Of weights, batches and augmentation.

    Raises:
        ValueError: No steps, no people, or a warm-up that leaves nothing of the training.
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

    def __post_init__(self) -> None:
        if min(self.steps, self.people) < 1 or not 0.0 <= self.warmup < 1.0:
            raise ValueError("steps and people must be at least 1, warmup from 0 to below 1")


@dataclass(frozen=True)
class AugmentationConfig:
    """For each variation, the share of crops it changes and its size; a share of 0 switches it off.

    Args:
        warp_share: Crops whose heart period is changed.
        period_change: Parts of a beat become longer by up to this share times their stretch
            (`ml.training.crops`), or shorter by 0.7 times that. A beat's mean stretch is 0.65 at 75 beats per
            minute and less at higher rates; the heart period changes by that much of this share.
        rate_jitter: Error of the sampling rate of every crop, ± this share.
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
class BeatAugmentationConfig:
    """Variations of mean beats.

    Args:
        fewest_beats, most_beats: Length of an averaged run of beats.
        t_stretch_sd, pr_stretch_sd: Standard deviations of the relative length of the parts behind and
            before the QRS.
        jitter_s: Standard deviation of the fiducial point.
        repolarisation_sd: Of the logarithm of the T wave's size.
        equaliser_db, high_pass_share, high_pass_hz, low_pass_share, low_pass_hz: As for crops.
        noise_share, noise_size: Beats with noise, and its largest size relative to the beat's.
    """

    fewest_beats: int = 3
    most_beats: int = 11
    t_stretch_sd: float = 0.06
    pr_stretch_sd: float = 0.05
    jitter_s: float = 0.004
    repolarisation_sd: float = 0.25
    equaliser_db: float = 6.0
    high_pass_share: float = 0.6
    high_pass_hz: tuple[float, float] = (0.05, 1.0)
    low_pass_share: float = 0.5
    low_pass_hz: tuple[float, float] = (20.0, 40.0)
    noise_share: float = 0.5
    noise_size: float = 0.25


@dataclass(frozen=True)
class DistillationPlan:
    """Args:
    teacher: Id of the teacher network, see `ml.export.assembly.weights_path`.
    terms: Weights of the terms by name, see `ml.losses.distillation`.
    ramp: Terms reach their weight after this share of the training.
    """

    teacher: str
    terms: Mapping[str, float]
    ramp: float = 0.1


@dataclass(frozen=True)
class InitialPlan:
    """Args:
    weights: Id of the initial network, see `ml.training.checkpoints.weights_path`.
    """

    weights: str


@dataclass(frozen=True)
class NetworkRecipe:
    """All that determines a network's weights, besides data and code."""

    bundle: BundleNames
    network: NetworkPlan
    losses: tuple[LossPlan, ...]
    optimisation: OptimizationConfig = field(default_factory=OptimizationConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    beat_augmentation: BeatAugmentationConfig = field(default_factory=BeatAugmentationConfig)
    calibration: CalibrationConfig = field(default_factory=CalibrationConfig)
    distillation: DistillationPlan | None = None
    initial: InitialPlan | None = None
    sha256: str = ""


_SECTIONS = (
    "bundle",
    "network",
    "losses",
    "optimisation",
    "augmentation",
    "beat_augmentation",
    "calibration",
    "distillation",
    "initial",
)


def is_network_recipe(path: Path) -> bool:
    """Whether a recipe has a section `network`; errors of the file are left to the readers."""
    return has_section(path, "network")


def read_network_recipe(path: Path) -> NetworkRecipe:
    """Read a recipe.

    Raises:
        RecipeError: Not TOML, an unknown section, key or network, a missing one without default, an invalid
            value, or a time without any loss.
    """
    tables, sha256 = read_tables(path, _SECTIONS)
    if plain := sorted(name for name, table in tables.items() if not isinstance(table, dict)):
        raise RecipeError(f"{path.name}: {plain} must be sections")

    def section(name: str, kind: type[Any]) -> Any:
        return read_section(f"{path.name} [{name}]", kind, tables.get(name, {}))

    network = dict(tables.get("network", {}))
    distillation = section("distillation", DistillationPlan) if "distillation" in tables else None
    losses = tuple(
        read_section(f"{path.name} [losses.{name}]", LossPlan, _loss_table(name, table))
        for name, table in tables.get("losses", {}).items()
    )
    if distillation is None and (idle := _idle_at(losses)) is not None:
        raise RecipeError(f"{path.name}: no loss at {idle:g} of the training and no distillation")
    if network.get("name") not in NETWORKS:
        raise RecipeError(f"{path.name} [network]: expected a name of {sorted(NETWORKS)}")
    return NetworkRecipe(
        bundle=section("bundle", BundleNames),
        network=NetworkPlan(
            name=network.pop("name"),
            parameters={k: tuple(v) if isinstance(v, list) else v for k, v in network.items()},
        ),
        losses=losses,
        optimisation=section("optimisation", OptimizationConfig),
        augmentation=section("augmentation", AugmentationConfig),
        beat_augmentation=section("beat_augmentation", BeatAugmentationConfig),
        calibration=section("calibration", CalibrationConfig),
        distillation=distillation,
        initial=section("initial", InitialPlan) if "initial" in tables else None,
        sha256=sha256,
    )


def _idle_at(losses: Sequence[LossPlan]) -> float | None:
    """First share of the training at which no loss counts."""
    changes = sorted({0.0, *(loss.ends for loss in losses if 0.0 <= loss.ends < 1.0)})
    return next((share for share in changes if not any(loss.counts_at(share) for loss in losses)), None)


def _loss_table(name: str, table: Any) -> dict[str, Any]:
    """Split off keys that a `LossPlan` does not have: they are arguments of the loss, which checks them."""
    if not isinstance(table, dict):
        raise RecipeError(f"[losses]: {name} must be a section of its own, [losses.{name}]")
    known = {f.name for f in fields(LossPlan)} - {"name", "options"}
    plan = {key: value for key, value in table.items() if key in known}
    return {"name": name, "options": {k: v for k, v in table.items() if k not in known}, **plan}
