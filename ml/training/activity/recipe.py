"""The recipe of an activity bundle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ml.training.recipe import BundleNames, RecipeError, read_whole


@dataclass(frozen=True)
class TrunkPlan:
    """Args:
    network: Trained for identity; its weights are in `ml/weights`.
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
    contexts_s: Window lengths that heads are fitted for, ascending.
    step_s: Distance between the starts of windows, and the length of a segment of a timeline.

    Raises:
        ValueError: Lengths out of range.
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
    context_s: Length of the context around each segment of a timeline; one of the heads'.
    dwell_s: Mean duration of an activity.

    Raises:
        ValueError: A duration that is not positive.
    """

    context_s: float
    dwell_s: float

    def __post_init__(self) -> None:
        if not self.dwell_s > 0.0:
            raise ValueError("dwell_s must be positive")


@dataclass(frozen=True)
class ActivityRecipe:
    """All that determines an activity bundle, besides data and code."""

    bundle: BundleNames
    trunk: TrunkPlan
    heads: HeadsPlan
    timeline: TimelinePlan
    sha256: str


def read_activity_recipe(path: Path) -> ActivityRecipe:
    """Read a recipe.

    Raises:
        RecipeError: Not TOML, an unknown or missing section or key, or a timeline's context without a head.
    """
    recipe = read_whole(path, ActivityRecipe)
    if recipe.timeline.context_s not in recipe.heads.contexts_s:
        raise RecipeError(f"{path.name} [timeline]: no head for context_s {recipe.timeline.context_s:g}")
    return recipe
