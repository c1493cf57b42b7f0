"""The recipe of a fingerprint bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ml.training.fingerprint.combiner_fit import CombinerConfig
from ml.training.fingerprint.cylinder_axes import CylinderAxesConfig
from ml.training.recipe import BundleNames, read_section, read_tables


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


_SECTIONS: Mapping[str, type[Any]] = {
    "bundle": BundleNames,
    "axes": CylinderAxesConfig,
    "combiner": CombinerConfig,
    "computed": ComputedConfig,
}


def read_fingerprint_recipe(path: Path) -> FingerprintRecipe:
    """Read a recipe.

    Raises:
        RecipeError: Not TOML, an unknown section or key, or a missing one without default.
    """
    tables, sha256 = read_tables(path, _SECTIONS)
    sections = {
        name: read_section(f"{path.name} [{name}]", kind, tables.get(name, {}))
        for name, kind in _SECTIONS.items()
    }
    return FingerprintRecipe(**sections, sha256=sha256)
