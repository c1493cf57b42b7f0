"""Backups of SQLite: daily, twice a day, while it serves."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from app.adapters.db.engine import open_engine
from app.adapters.db.sqlite_files.backup import back_up
from app.adapters.db.unit_of_work import SqlStore
from app.domain.errors import ConfigurationError
from tests.stored import a_gallery, a_subject

GALLERY = a_gallery()


@pytest.fixture
def database(sqlite_url):
    return Path(sqlite_url.removeprefix("sqlite:///"))


def subjects_in(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT count(*) FROM subjects").fetchone()[0]


class TestBackUp:
    def test_every_run_of_every_day_succeeds_while_the_service_writes(self, sqlite_url, database):
        engine = open_engine(sqlite_url)
        store, found = SqlStore(engine), []
        with store.writing() as uow:
            uow.galleries.add(GALLERY)
        for run, day in enumerate(["2026-11-20", "2026-11-20", "2026-11-21"], start=1):
            with store.writing() as uow:
                uow.subjects.add(a_subject(GALLERY, run, subject_id=f"p{run}"))
            target = database.with_name(f"backup-{day}.db")
            with store.writing() as uow:  # Not committed yet: not in the copy, and no hindrance.
                uow.subjects.add(a_subject(GALLERY, 100 + run, subject_id=f"q{run}"))
                back_up(database, target)
            found.append(subjects_in(target))

        assert found == [1, 3, 5]
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
        assert not list(database.parent.glob("*.part")) + list(database.parent.glob(".*.part"))
        engine.dispose()

    def test_a_failed_run_leaves_the_copy_of_before(self, database):
        target = database.with_name("backup.db")
        back_up(database, target)
        before = target.read_bytes()
        database.write_bytes(b"not a database" * 1000)

        with pytest.raises(ConfigurationError, match="could not be copied"):
            back_up(database, target)

        assert target.read_bytes() == before
        assert not list(database.parent.glob(".*.part"))

    def test_a_wrong_path_makes_no_empty_database(self, tmp_path):
        with pytest.raises(ConfigurationError, match="no database"):
            back_up(tmp_path / "no.db", tmp_path / "backup.db")

        assert list(tmp_path.iterdir()) == []

    def test_a_folder_that_is_missing_is_named(self, database):
        with pytest.raises(ConfigurationError, match="no folder"):
            back_up(database, database.parent / "gone" / "backup.db")
