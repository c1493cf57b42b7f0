"""The recipe of an activity bundle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ml.training.recipe import BundleNames, RecipeError, read_section, read_tables

_SECTIONS = ("bundle", "trunk", "heads", "timeline")


@dataclass(frozen=True)
class TrunkPlan:
    """Args:
    network: Trained to tell people apart; its weights are in `ml/weights`.
    step_s: Distance between the starts of the windows that it reads within a context.

    Raises:
        ValueError: A step that is not positive.
    """

    network: str
    step_s: float

    def __post_init__(self) -> None:
        if not self.step_s > 0.0:
            raise ValueError("step_s must be positive")


@dataclass(frozen=True)
class HeadsPlan:
    """Args:
    contexts_s: Lengths of windows that heads are fitted for, ascending.
    step_s: From the start of one window to the next, and the length of a segment of a timeline.

    Raises:
        ValueError: Impossible lengths.
    """

    contexts_s: tuple[float, ...]
    step_s: float

    def __post_init__(self) -> None:
        ascending = list(self.contexts_s) == sorted(set(self.contexts_s))
        if not self.contexts_s or not ascending or min(*self.contexts_s, self.step_s) <= 0.0:
            raise ValueError("contexts_s and step_s must be positive, contexts_s ascending")


@dataclass(frozen=True)
class TimelinePlan:
    """Args:
    context_s: Around each segment of a timeline; one of the heads'.
    dwell_s: How long an activity lasts on average.

    Raises:
        ValueError: A dwell that is not positive.
    """

    context_s: float
    dwell_s: float

    def __post_init__(self) -> None:
        if not self.dwell_s > 0.0:
            raise ValueError("dwell_s must be positive")


@dataclass(frozen=True)
class ActivityRecipe:
    """All that determines an activity bundle, besides the data and the code."""

    bundle: BundleNames
    trunk: TrunkPlan
    heads: HeadsPlan
    timeline: TimelinePlan
    sha256: str


def read_activity_recipe(path: Path) -> ActivityRecipe:
    """Read a recipe.

    Raises:
        RecipeError: Not TOML, an unknown section or key, a missing one, or a timeline's context that there is
            no head for.
    """
    tables, sha256 = read_tables(path, _SECTIONS)
    where = f"{path.name} [{{}}]".format
    recipe = ActivityRecipe(
        bundle=read_section(where("bundle"), BundleNames, tables.get("bundle", {})),
        trunk=read_section(where("trunk"), TrunkPlan, tables.get("trunk", {})),
        heads=read_section(where("heads"), HeadsPlan, tables.get("heads", {})),
        timeline=read_section(where("timeline"), TimelinePlan, tables.get("timeline", {})),
        sha256=sha256,
    )
    if recipe.timeline.context_s not in recipe.heads.contexts_s:
        raise RecipeError(f"{path.name} [timeline]: no head for context_s {recipe.timeline.context_s:g}")
    return recipe
