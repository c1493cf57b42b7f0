"""The bundles of this repository, without those that were fetched beside them."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

MODELS = Path(__file__).parents[1] / "models"
FETCHED = "face"
"""How the names of bundles begin that git ignores."""


@cache
def shipped_models() -> Path:
    """A folder of links to the bundles in git: what is served must not depend on what a developer fetched."""
    folder = Path(tempfile.mkdtemp(prefix="pulseprint-models-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for bundle in MODELS.glob("*@*"):
        if not bundle.name.startswith(FETCHED):
            (folder / bundle.name).symlink_to(bundle, target_is_directory=True)
    return folder
