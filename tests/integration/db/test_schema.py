"""Start refuses a database that this code must not run on."""

import stat

import pytest
from sqlalchemy import text

from app.adapters.db.engine import open_engine
from app.adapters.db.migrating import migrate
from app.adapters.db.schema import check_schema
from app.adapters.db.tables import SCHEMA_REVISION
from app.adapters.db.unit_of_work import SqlStore
from app.domain.errors import ConfigurationError, PulseprintError
from tests.stored import a_gallery

OLDER, NEWER, NEWEST = "20200101_0000", "29990101_0000", "29990101_0001"


def pretend(engine, revision: str, oldest_code: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": revision})
        connection.execute(text("UPDATE schema_compat SET oldest_code = :v"), {"v": oldest_code})


class TestCheckSchema:
    def test_a_migrated_database_is_accepted(self, engine):
        check_schema(engine)

    def test_an_empty_database_is_refused(self, empty_database_url):
        engine = open_engine(empty_database_url)

        with pytest.raises(ConfigurationError, match=r"app\.cli migrate"):
            check_schema(engine)
        engine.dispose()

    def test_an_older_database_is_refused(self, engine):
        pretend(engine, OLDER, OLDER)

        with pytest.raises(ConfigurationError, match=f"{OLDER}.*{SCHEMA_REVISION}.*app.cli migrate"):
            check_schema(engine)

    def test_a_newer_database_that_allows_this_code_is_accepted(self, engine):
        pretend(engine, NEWER, SCHEMA_REVISION)

        check_schema(engine)

    def test_a_newer_database_that_does_not_is_refused(self, engine):
        pretend(engine, NEWEST, NEWER)

        with pytest.raises(ConfigurationError, match="newer release"):
            check_schema(engine)

    def test_a_file_that_is_no_database_is_refused(self, tmp_path):
        path = tmp_path / "notes.txt"
        path.write_text("certainly not a database, " * 100)
        engine = open_engine(f"sqlite:///{path}")

        with pytest.raises(PulseprintError):
            check_schema(engine)
        engine.dispose()


class TestMigrate:
    def test_it_makes_the_folder_of_an_sqlite_file(self, tmp_path):
        url = f"sqlite:///{tmp_path}/var/deep/pulseprint.db"

        migrate(url)

        engine = open_engine(url)
        check_schema(engine)
        engine.dispose()

    def test_an_sqlite_file_and_its_log_are_for_their_owner_alone(self, tmp_path):
        path = tmp_path / "pulseprint.db"
        migrate(f"sqlite:///{path}")

        engine = open_engine(f"sqlite:///{path}")
        with SqlStore(engine).writing() as uow:
            uow.galleries.add(a_gallery())
            modes = {file.name: stat.filemode(file.stat().st_mode) for file in tmp_path.iterdir()}
        engine.dispose()

        assert modes["pulseprint.db"] == "-rw-------"
        assert modes["pulseprint.db-wal"] == "-rw-------"

    def test_it_refuses_a_database_from_newer_code(self, engine, database_url):
        pretend(engine, NEWEST, NEWER)

        with pytest.raises(ConfigurationError, match=NEWEST):
            migrate(database_url)
