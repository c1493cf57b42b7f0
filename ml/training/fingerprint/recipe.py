"""The recipe of a fingerprint bundle."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ml.training.fingerprint.combiner_fit import CombinerConfig
from ml.training.fingerprint.cylinder_axes import CylinderAxesConfig
from ml.training.recipe import BundleNames, read_whole


@dataclass(frozen=True)
class ComputedConfig:
    """Args:
    fingers: Number of computed fingers that the axes are fitted to, beside real ones.
    """

    fingers: int = 80


@dataclass(frozen=True)
class FingerprintRecipe:
    """All that determines a fingerprint bundle, besides data and code."""

    bundle: BundleNames
    axes: CylinderAxesConfig = field(default_factory=CylinderAxesConfig)
    combiner: CombinerConfig = field(default_factory=CombinerConfig)
    computed: ComputedConfig = field(default_factory=ComputedConfig)
    sha256: str = ""


def read_fingerprint_recipe(path: Path) -> FingerprintRecipe:
    """Read a recipe.

    Raises:
        RecipeError: Not TOML, an unknown section or key, or a missing one without default.
    """
    return read_whole(path, FingerprintRecipe)
