"""Recipes: an experiment is one TOML file, read strictly."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from ml.models.beat_lda import BeatLdaConfig
from ml.runtime.ecg.mean_beat import MeanBeatConfig


class RecipeError(ValueError):
    """An invalid recipe; the message names section and key."""


@dataclass(frozen=True)
class BundleNames:
    """Name of the bundle, and license of its weights."""

    id: str
    version: str
    licence: str


@dataclass(frozen=True)
class VariationConfig:
    """Variations of a person's beats before the within-class scatter is measured.

    Recordings of one session do not show other days and sensors; these variations stand for both.

    Args:
        t_amplitude_sd: Standard deviation of the logarithm of the T wave's size.
        t_stretch_sd: Of the relative length of ST segment and T wave.
        jitter_s: Standard deviation of the fiducial point.
        high_pass_hz: Range of the corner of a causal first-order high-pass, log-uniform.
        seed: Of all draws.
    """

    t_amplitude_sd: float = 0.2
    t_stretch_sd: float = 0.05
    jitter_s: float = 0.001
    high_pass_hz: tuple[float, float] = (0.05, 1.0)
    seed: int = 20261120


@dataclass(frozen=True)
class FitConfig:
    """Args:
    segments: Number of equal parts of a recording; each gives one mean beat.
    excluded_rhythms: CinC classes left out of the fit.
    """

    segments: int = 3
    excluded_rhythms: tuple[str, ...] = ("~",)


@dataclass(frozen=True)
class CalibrationConfig:
    """Args:
    seconds: Lengths of evidence; each side gets this much, at most half the recording.
    """

    seconds: tuple[float, ...] = (3.0, 5.0, 10.0, 15.0)


@dataclass(frozen=True)
class Recipe:
    """All that determines a bundle, besides data and code."""

    bundle: BundleNames
    mean_beat: MeanBeatConfig = field(default_factory=MeanBeatConfig)
    lda: BeatLdaConfig = field(default_factory=BeatLdaConfig)
    fit: FitConfig = field(default_factory=FitConfig)
    variation: VariationConfig = field(default_factory=VariationConfig)
    calibration: CalibrationConfig = field(default_factory=CalibrationConfig)
    sha256: str = ""


Section = TypeVar("Section")
Whole = TypeVar("Whole")


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        RecipeError: Not TOML, an unknown section or key, or a missing one without default.
    """
    return read_whole(path, Recipe)


def read_whole(path: Path, kind: type[Whole]) -> Whole:
    """Build a recipe whose fields are its sections, and `sha256` of the file.

    Raises:
        RecipeError: Not TOML, an unknown section or key, or a missing one without default.
    """
    kinds = {name: section for name, section in get_type_hints(kind).items() if name != "sha256"}
    tables, sha256 = read_tables(path, kinds)
    sections = {
        name: read_section(f"{path.name} [{name}]", section, tables.get(name, {}))
        for name, section in kinds.items()
    }
    return kind(**{**sections, "sha256": sha256})


def read_tables(path: Path, sections: Collection[str]) -> tuple[dict[str, Any], str]:
    """Read the tables of a TOML file, and its SHA-256.

    Raises:
        RecipeError: Not TOML, or an unknown section.
    """
    content = path.read_bytes()
    try:
        tables = tomllib.loads(content.decode())
    except ValueError as error:
        raise RecipeError(f"{path.name}: {error}") from error
    if unknown := set(tables) - set(sections):
        raise RecipeError(f"{path.name}: unknown sections {sorted(unknown)}; known: {', '.join(sections)}")
    return tables, hashlib.sha256(content).hexdigest()


def has_section(path: Path, name: str) -> bool:
    """Whether a recipe has a section; errors of the file are left to the readers."""
    try:
        return name in tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False


def read_section(where: str, kind: type[Section], table: Mapping[str, Any]) -> Section:
    """Build a section's dataclass from its table.

    Raises:
        RecipeError: Unknown keys, a missing one without default, or values that the section rejects.
    """
    known = [f.name for f in fields(kind)]  # type: ignore[arg-type]
    if unknown := set(table) - set(known):
        raise RecipeError(f"{where}: unknown keys {sorted(unknown)}; known: {', '.join(known)}")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    try:
        return kind(**values)
    except (TypeError, ValueError) as error:
        raise RecipeError(f"{where}: {error}") from error
