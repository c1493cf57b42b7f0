"""The recipe of a bundle that combines trained networks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ml.runtime.ecg.signal.windows import WindowConfig
from ml.training.recipe import (
    BundleNames,
    CalibrationConfig,
    has_section,
    read_whole,
)


@dataclass(frozen=True)
class AssemblyPlan:
    """Args:
    windows: Id of the network that reads windows.
    beats: Id of the network that reads mean beats; empty for none.
    window_weight: Share of the windows in the cosine, see `ml.models.strip_encoder`.
    both_polarities: Embed each window and its negative.
    int8_strips: Strips of training people that set the ranges of 8-bit integers; 0 keeps floats.

    Raises:
        ValueError: A negative number of strips.
    """

    windows: str
    beats: str = ""
    window_weight: float = 1.0
    both_polarities: bool = False
    int8_strips: int = 0

    def __post_init__(self) -> None:
        if self.int8_strips < 0:
            raise ValueError("int8_strips must be at least 0")


@dataclass(frozen=True)
class AssemblyRecipe:
    """All that determines a bundle, besides networks, data and code."""

    bundle: BundleNames
    assembly: AssemblyPlan
    windows: WindowConfig = field(default_factory=WindowConfig)
    calibration: CalibrationConfig = field(default_factory=CalibrationConfig)
    sha256: str = ""


def is_assembly_recipe(path: Path) -> bool:
    """Whether a recipe has a section `assembly`; errors of the file are left to the readers."""
    return has_section(path, "assembly")


def read_assembly_recipe(path: Path) -> AssemblyRecipe:
    """Read a recipe.

    Raises:
        RecipeError: Not TOML, an unknown section or key, or a missing one without default.
    """
    return read_whole(path, AssemblyRecipe)
