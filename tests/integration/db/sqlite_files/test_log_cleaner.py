"""What was erased is in no file of SQLite, also if somebody was reading meanwhile."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from app.adapters.db.engine import open_engine
from app.adapters.db.unit_of_work import SqlStore
from tests.stored import a_gallery, a_subject

GALLERY = a_gallery()
WAIT_S = 10.0


@pytest.fixture
def folder(sqlite_url):
    return Path(sqlite_url.removeprefix("sqlite:///")).parent


def named(paths, names):
    """How often these names stand anywhere in these files."""
    files = [path.read_bytes() for path in paths if path.is_file()]
    return sum(content.count(name.encode()) for content in files for name in names)


def wait_until_gone(paths, names):
    paths = list(paths)
    end_s = time.monotonic() + WAIT_S
    while named(paths, names) and time.monotonic() < end_s:
        time.sleep(0.05)
    return named(paths, names)


class TestErasedNames:
    def test_are_gone_soon_after_a_reader_that_was_open_ends(self, sqlite_url, folder):
        engine = open_engine(sqlite_url)
        store = SqlStore(engine)
        subjects = [
            a_subject(GALLERY, number, subject_id=f"zq{number:04d}@erased") for number in range(1, 401)
        ]
        erased = [subject for number, subject in enumerate(subjects) if number % 3]
        names = [subject.subject_id for subject in erased]
        with store.writing() as uow:
            uow.galleries.add(GALLERY)
            uow.subjects.add_all(subjects)
        with closing(sqlite3.connect(folder / "pulseprint.db", isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM subjects").fetchone()
            for subject in erased[:3]:  # Each as a 204 of its own.
                with store.writing() as uow:
                    uow.subjects.remove(subject.uuid)
            with store.writing() as uow:
                for subject in erased[3:]:
                    uow.subjects.remove(subject.uuid)
            while_reading = named(folder.glob("*-wal"), names)
            reader.execute("COMMIT")

        assert while_reading > 0  # Or the test would show nothing.
        assert wait_until_gone(folder.glob("*-wal"), names) == 0
        store.tidy()
        assert wait_until_gone(folder.iterdir(), names) == 0
        assert named(folder.iterdir(), [subjects[0].subject_id]) > 0
        store.close()
        engine.dispose()

    def test_are_gone_after_the_next_process_wrote_if_this_one_could_not_wait(self, sqlite_url, folder):
        engine = open_engine(sqlite_url)
        store = SqlStore(engine)
        subject = a_subject(GALLERY, 1, subject_id="zq7@erased")
        with store.writing() as uow:
            uow.galleries.add(GALLERY)
            uow.subjects.add(subject)
        with closing(sqlite3.connect(folder / "pulseprint.db", isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM subjects").fetchone()
            with store.writing() as uow:
                uow.subjects.remove(subject.uuid)
            store.close()
            engine.dispose()
            left = named(folder.iterdir(), ["zq7@erased"])
            reader.execute("COMMIT")

            next_engine = open_engine(sqlite_url)
            with SqlStore(next_engine).writing() as uow:
                uow.changes.record(GALLERY.uuid, [])

            assert (left > 0, wait_until_gone(folder.iterdir(), ["zq7@erased"])) == (True, 0)
        next_engine.dispose()


class TestTidying:
    def test_rewrites_the_file_only_after_an_erasure_and_in_whichever_process(self, sqlite_url):
        engine, other = open_engine(sqlite_url), open_engine(sqlite_url)
        store, subject = SqlStore(engine), a_subject(GALLERY)
        with store.writing() as uow:
            uow.galleries.add(GALLERY)
            uow.subjects.add(subject)
        outcomes = []

        def rewritten(by):
            statements = []
            with closing(by.raw_connection()) as connection:
                connection.driver_connection.set_trace_callback(statements.append)
            SqlStore(by).tidy()
            return "VACUUM" in statements

        outcomes.append(rewritten(engine))
        with store.writing() as uow:
            uow.subjects.remove(subject.uuid)
        outcomes += [rewritten(other), rewritten(engine)]

        assert outcomes == [False, True, False]
        engine.dispose()
        other.dispose()
