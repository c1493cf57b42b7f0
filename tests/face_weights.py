"""The face networks of others, fetched once into the user's cache."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.fetching.errors import UnreachableError
from app.fetching.fetching import fetch, recipe_of
from app.fetching.obtaining import Sources, default_cache


def fetched_bundle(name: str, models: Path) -> Path:
    """The folder of a bundle made of networks of others.

    Where no source can be reached and nothing was kept, the test is skipped, unless
    PULSEPRINT_REQUIRE_FACE=1. Bytes that are not the pinned ones always fail.
    """
    recipe = recipe_of(name)
    try:
        fetch(recipe, models, Sources(default_cache()))
    except UnreachableError as error:
        if os.environ.get("PULSEPRINT_REQUIRE_FACE") == "1":
            pytest.fail(error.detail)
        pytest.skip(f"face weights cannot be reached: {error.detail}")
    return models / recipe.encoder_id


@pytest.fixture(scope="session")
def face_bundle(tmp_path_factory) -> Path:
    """`face@…`: SFace behind YuNet."""
    return fetched_bundle("face", tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def face_dlib_bundle(tmp_path_factory) -> Path:
    """`face-dlib@…`: dlib's ResNet behind YuNet."""
    return fetched_bundle("face-dlib", tmp_path_factory.mktemp("models"))
