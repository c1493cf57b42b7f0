"""The running service as an attacker meets it: the shipped encoders, real people, a gallery of their own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.adapters.encoders import load_encoders
from tests.api.application import Api, open_api
from tests.attacks.crowd import Crowd, read_crowd
from tests.shipped_models import shipped_models

LONG = os.environ.get("PULSEPRINT_ATTACKS") == "long"


@pytest.fixture(scope="session")
def crowd(data_dir: Path) -> Crowd:
    return read_crowd(data_dir)


@pytest.fixture(scope="module")
def attacked(crowd: Crowd, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The application with 60 people enrolled, shared by the tests of a module, which change nothing."""
    path = tmp_path_factory.mktemp("attacked") / "pulseprint.db"
    shutil.copyfile(sqlite_template, path)
    with open_api(f"sqlite:///{path}", encoders=load_encoders(shipped_models(), {})) as api:
        crowd.enroll(api)
        yield api


@pytest.fixture
def attacked_anew(attacked: Api, crowd: Crowd) -> Api:
    """The same with 60 people enrolled afresh, for attacks that change the gallery."""
    attacked.start_afresh()
    crowd.enroll(attacked)
    return attacked


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only `make attacks` runs: a skipped test would stand for a missing condition."""
    long_forms = [item for item in items if item.get_closest_marker("long_form") is not None]
    if long_forms and not LONG:
        config.hook.pytest_deselected(items=long_forms)
        items[:] = [item for item in items if item not in long_forms]
