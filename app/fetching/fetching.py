"""Fetch a bundle: obtain its files, convert them, compare with what was measured, put the bundle in place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Final

from app.fetching.bundle_folder import is_current, put_bundle
from app.fetching.catalogue import CATALOGUE, FetchableBundle
from app.fetching.errors import FetchError
from app.fetching.known_answer import require_answers
from app.fetching.obtaining import Sources
from ml.runtime.encoder import BundledEncoder
from ml.runtime.errors import CaptureError

_KNOWN_ANSWERS: Final = "known_answers"
_NOT_MEASURED: Final = """\
- **Not measured**: constants and figures above are those of `{}`, the same network with its weights in 8-bit
  blocks. Those of this file differ a little, and so do its vectors.
"""


@dataclass(frozen=True)
class Recipe:
    """A fetchable bundle with what the repository carries of it.

    Args:
        bundle: Its files and how they are converted.
    """

    bundle: FetchableBundle

    @cached_property
    def constants(self) -> Mapping[str, Any]:
        """The fields of `bundle.json` but for checksums: calibration, preprocessing, terms."""
        fields = {name: value for name, value in self._kept.items() if name != _KNOWN_ANSWERS}
        return fields | {"id": self.bundle.name}

    @property
    def known_answers(self) -> Mapping[str, Any]:
        """What its own networks gave when they were calibrated; see `known_answer`."""
        found: Mapping[str, Any] = {} if self.bundle.calibrated_as else self._kept[_KNOWN_ANSWERS]
        return found

    @property
    def card(self) -> str:
        """The text of `card.md`."""
        text = self._text(f"{self._calibrated}.md")
        if not self.bundle.calibrated_as:
            return text
        renamed = text.replace(f"# {self._calibrated}@", f"# {self.bundle.name}@", 1)
        return f"{renamed}{_NOT_MEASURED.format(self._calibrated)}"

    @property
    def encoder_id(self) -> str:
        """`<id>@<version>`."""
        return f"{self.constants['id']}@{self.constants['version']}"

    @property
    def _calibrated(self) -> str:
        return self.bundle.calibrated_as or self.bundle.name

    @cached_property
    def _kept(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = json.loads(self._text(f"{self._calibrated}.json"))
        return found

    def _text(self, name: str) -> str:
        return (resources.files("app.fetching") / "constants" / name).read_text(encoding="utf-8")


def recipe_of(name: str) -> Recipe:
    """Return what is known of a fetchable bundle.

    Raises:
        FetchError: There is none of this name.
    """
    if name not in CATALOGUE:
        raise FetchError(f"There is no bundle '{name}' to fetch; known: {', '.join(CATALOGUE)}.")
    return Recipe(CATALOGUE[name])


def fetch(recipe: Recipe, models: Path, sources: Sources) -> bool:
    """Make a bundle; false if it is there already.

    Args:
        recipe: Of `recipe_of`.
        models: The folder of bundles.
        sources: Where its files may come from.

    Raises:
        FetchError: It cannot be made; the folder is as it was.
    """
    folder = models / recipe.encoder_id
    if is_current(folder, recipe.constants):
        return False
    networks = recipe.bundle.networks(sources.obtain(recipe.bundle.wanted))
    require_answers(networks, recipe.known_answers)
    put_bundle(folder, recipe.constants, recipe.card, networks, _require_encoding)
    return True


def write_networks(recipe: Recipe, folder: Path, sources: Sources) -> None:
    """Write the converted networks alone, for whoever calibrates them.

    Raises:
        FetchError: They cannot be had.
    """
    networks = recipe.bundle.networks(sources.obtain(recipe.bundle.wanted))
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in networks.items():
        (folder / name).write_bytes(content)


def _require_encoding(encoder: BundledEncoder) -> None:
    """Check the whole chain on the example that encoders are warmed up with."""
    try:
        encoder.encode(encoder.preparation.example())
    except CaptureError as error:
        raise FetchError(f"{encoder.encoder_id} refuses its own example: {error}.") from error
