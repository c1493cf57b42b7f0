"""How an embedding network of somebody else becomes a bundle: one TOML file, read strictly."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ml.training.recipe import BundleNames, RecipeError

_TEXTS: Final = ("kind", "summary")
_SECTIONS: Final = frozenset({"bundle", "about", "preprocessing"})


@dataclass(frozen=True)
class FaceRecipe:
    """A face bundle besides its weights and its calibration.

    Args:
        bundle: Id, version, license of the weights.
        kind: `face`, or `face-lbp` for the encoder without weights.
        summary: First paragraph of the card.
        training_data: What the weights were trained on, as far as their distributor says.
        limits: Further sentences of the card.
        one_to_one_only: Whether it is too weak to search by.
        preprocessing: What the encoder wants of a crop; see `ml.runtime.face.encoder_input`.
        sha256: Of the file.
    """

    bundle: BundleNames
    kind: str
    summary: str
    training_data: tuple[str, ...]
    limits: tuple[str, ...]
    one_to_one_only: bool
    preprocessing: Mapping[str, Any]
    sha256: str


def read_face_recipe(path: Path) -> FaceRecipe:
    """Read a recipe.

    Raises:
        RecipeError: Missing, unknown or mistyped keys.
    """
    content = path.read_bytes()
    try:
        sections = tomllib.loads(content.decode())
        about = dict(sections["about"])
        recipe = FaceRecipe(
            bundle=BundleNames(**sections["bundle"]),
            kind=about.pop("kind"),
            summary=about.pop("summary"),
            training_data=tuple(about.pop("training_data")),
            limits=tuple(about.pop("limits")),
            one_to_one_only=about.pop("one_to_one_only", False),
            preprocessing=sections.get("preprocessing", {}),
            sha256=hashlib.sha256(content).hexdigest(),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RecipeError(f"{path}: {type(error).__name__}: {error}") from error
    if odd := sorted(about.keys() | (sections.keys() - _SECTIONS)):
        raise RecipeError(f"{path}: unknown {', '.join(odd)}")
    if not all(isinstance(getattr(recipe, name), str) for name in _TEXTS):
        raise RecipeError(f"{path}: {' and '.join(_TEXTS)} are texts")
    return recipe
