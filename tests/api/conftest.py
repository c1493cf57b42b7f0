"""The real application on a migrated database of each kind, with the fake encoder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.api.application import Api, open_api


@pytest.fixture
def sqlite_api(sqlite_url: str) -> Iterator[Api]:
    """The same on SQLite only, for what has nothing to do with the store."""
    with open_api(sqlite_url) as opened:
        yield opened


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One application per module and kind of database, for tests that change nothing.

    A module that has a `RECOGNISER` gets an application that tells activities.
    """
    recognizer = getattr(request.module, "RECOGNISER", None)
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        path = tmp_path_factory.mktemp("api") / "pulseprint.db"
        shutil.copyfile(template, path)
        with open_api(f"sqlite:///{path}", recognizer=recognizer) as opened:
            yield opened
        return
    server = request.getfixturevalue("postgres_server")
    name = f"api_{uuid4().hex}"
    url = server.create(name, request.getfixturevalue("postgres_template"))
    with open_api(url, recognizer=recognizer) as opened:
        yield opened
    server.drop(name)


@pytest.fixture
def api(shared_api: Api) -> Api:
    """The same, emptied: erasing all galleries takes milliseconds, a PostgreSQL database a second."""
    shared_api.start_afresh()
    return shared_api
