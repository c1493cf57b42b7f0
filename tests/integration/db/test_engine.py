"""What every connection is told (DESIGN §6, SQLite), and why."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event, Thread
from uuid import UUID

import pytest
from sqlalchemy import URL, Engine
from sqlalchemy.exc import OperationalError

from app.adapters.crypto import EnvelopeVault
from app.adapters.db.engine import open_engine
from app.adapters.db.migrating import migrate
from app.adapters.db.unit_of_work import SqlStore
from app.domain.errors import ConfigurationError, PulseprintError, TemporaryError
from app.domain.ports.pages import PageCursor
from tests.stored import (
    NOW,
    a_gallery,
    a_reference,
    a_subject,
    master_key,
    sealed_gallery,
    sealed_reference,
    sealed_subject,
)

GALLERY = a_gallery()
BLOCKED_S = 0.3
DONE_S = 20.0


@pytest.fixture
def sqlite_engine(sqlite_url):
    engine = open_engine(sqlite_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_store(sqlite_engine) -> SqlStore:
    return SqlStore(sqlite_engine)


def pragma(engine: Engine, name: str) -> object:
    with engine.connect() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


class TestOpenEngine:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("journal_mode", "wal"),
            ("foreign_keys", 1),
            ("synchronous", 2),  # FULL
            ("secure_delete", 1),
            ("busy_timeout", 5000),
        ],
    )
    def test_sqlite_connections_follow_the_rules(self, sqlite_engine, name, value):
        assert pragma(sqlite_engine, name) == value

    @pytest.mark.parametrize(
        "url", ["sqlite://", "sqlite:///:memory:", "mysql://host/db", "not a url", "", "oracle://x"]
    )
    def test_other_databases_are_refused(self, url):
        with pytest.raises(ConfigurationError):
            open_engine(url)

    def test_a_wrong_path_does_not_become_a_new_database(self, tmp_path):
        engine = open_engine(f"sqlite:///{tmp_path}/missing.db")

        with pytest.raises(TemporaryError):
            SqlStore(engine).ping()

        assert list(tmp_path.iterdir()) == []
        engine.dispose()

    def test_a_path_may_hold_what_urls_split_at(self, tmp_path):
        folder = tmp_path / "per cent %20, question ? and #1"
        url = URL.create("sqlite", database=f"{folder}/a.db").render_as_string()

        migrate(url)

        assert [path.name for path in folder.iterdir()] == ["a.db"]

    @pytest.mark.parametrize("url", ["postgresql//user:hunter2@host/db", "postgresql://user:hunter2/db"])
    def test_a_url_that_cannot_be_read_is_not_repeated(self, url):
        with pytest.raises(ConfigurationError) as refused:
            open_engine(url)

        assert "hunter2" not in str(refused.value)

    @pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
    def test_postgresql_is_spoken_through_psycopg_however_it_is_spelled(self, scheme):
        engine = open_engine(f"{scheme}://user@host/name")

        assert engine.url.drivername == "postgresql+psycopg"
        engine.dispose()

    def test_times_come_back_in_utc_on_postgresql(self, postgres_url):
        engine = open_engine(postgres_url)

        with engine.connect() as connection:
            assert connection.exec_driver_sql("SHOW timezone").scalar() == "UTC"
            assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "5s"
        engine.dispose()


class TestWritersOnSqlite:
    def test_two_processes_that_read_before_they_write_both_succeed(self, sqlite_store, sqlite_url):
        """The one that begins second waits at BEGIN; deferred, it would be refused when it writes."""
        other_engine = open_engine(sqlite_url)
        other_store = SqlStore(other_engine)  # As in another process: it shares no line with the first.
        with sqlite_store.writing() as uow:
            uow.galleries.add(GALLERY)
        has_read, may_write = Event(), Event()
        faults: list[Exception] = []

        def second_writer() -> None:
            try:
                with other_store.writing() as uow:
                    uow.galleries.revision(GALLERY.uuid)
                    has_read.set()
                    may_write.wait(DONE_S)
                    uow.changes.record(GALLERY.uuid, [])
            except Exception as fault:
                faults.append(fault)

        thread = Thread(target=second_writer)
        with sqlite_store.writing() as uow:
            uow.galleries.revision(GALLERY.uuid)
            thread.start()
            has_read.wait(BLOCKED_S)
            uow.changes.record(GALLERY.uuid, [])
        may_write.set()
        thread.join(DONE_S)
        other_engine.dispose()

        assert faults == []
        with sqlite_store.reading() as uow:
            assert uow.galleries.revision(GALLERY.uuid) == 2

    def test_deferred_writers_are_refused_at_once_whatever_the_timeout(self, tmp_path):
        """What was measured, and why writing units begin IMMEDIATE."""
        path = tmp_path / "plain.db"
        first, second = (sqlite3.connect(path, isolation_level=None, timeout=60) for _ in range(2))
        first.execute("PRAGMA journal_mode = WAL")
        first.execute("CREATE TABLE counts (n integer)")
        first.execute("BEGIN")
        first.execute("SELECT n FROM counts").fetchall()
        second.execute("INSERT INTO counts VALUES (1)")

        with pytest.raises(sqlite3.OperationalError) as refused:
            first.execute("INSERT INTO counts VALUES (2)")

        assert refused.value.sqlite_errorname == "SQLITE_BUSY_SNAPSHOT"
        first.close()
        second.close()


class TestPlansOnSqlite:
    """Without statistics SQLite guesses; a wrong guess walks through the whole gallery."""

    N_SUBJECTS = 10_000

    @pytest.fixture
    def full_store(self, sqlite_store) -> SqlStore:
        subjects = [a_subject(GALLERY, number) for number in range(1, self.N_SUBJECTS + 1)]
        with sqlite_store.writing() as uow:
            uow.galleries.add(GALLERY)
            uow.subjects.add_all(subjects)
            uow.references.add_all([a_reference(subject, subject.uuid.int) for subject in subjects])
        return sqlite_store

    @pytest.mark.parametrize(
        "read",
        [
            lambda uow: uow.subjects.by_uuids(GALLERY.uuid, [UUID(int=n) for n in range(1, 41)]),
            lambda uow: uow.subjects.by_name(GALLERY.uuid, "operator-77"),
            lambda uow: uow.subjects.page(GALLERY.uuid, PageCursor(NOW, UUID(int=1500)), 10),
            lambda uow: list(uow.references.scan(GALLERY.uuid, [UUID(int=n) for n in range(1, 201)])),
            lambda uow: uow.references.of_subject(UUID(int=1500)),
            lambda uow: uow.references.get(UUID(int=1500), UUID(int=1500)),
            lambda uow: uow.galleries.has_more_subjects_than(GALLERY.uuid, 100),
        ],
        ids=["by_uuids", "by_name", "page", "scan", "of_subject", "get", "has_more_subjects_than"],
    )
    def test_a_read_of_a_few_touches_a_few(self, full_store, read):
        steps = [0]

        def count() -> None:
            steps[0] += 10

        with full_store.reading() as uow:
            driver = uow.subjects._connection.connection.driver_connection
            driver.set_progress_handler(count, 10)
            found = read(uow)
            driver.set_progress_handler(None, 0)

        assert found
        assert steps[0] < self.N_SUBJECTS  # Instructions; a walk takes several per subject.


class TestForeignKeysOnSqlite:
    def test_a_subject_needs_its_gallery(self, sqlite_store):
        with pytest.raises(PulseprintError), sqlite_store.writing() as uow:
            uow.subjects.add(a_subject(GALLERY))


class TestErasureOnSqlite:
    @pytest.fixture
    def vault(self) -> EnvelopeVault:
        return EnvelopeVault([master_key()])

    def test_ciphertext_and_data_key_leave_every_file(self, sqlite_store, sqlite_url, vault):
        path = Path(sqlite_url.removeprefix("sqlite:///"))
        gallery = sealed_gallery(vault)
        kept, erased = (sealed_subject(vault, gallery, number) for number in (100, 101))
        references = [
            sealed_reference(vault, gallery, subject, [0.6, 0.8] * 64, number)
            for subject, number in ((kept, 1000), (erased, 1001))
        ]
        with sqlite_store.writing() as uow:
            uow.galleries.add(gallery)
            uow.subjects.add_all([kept, erased])
            uow.references.add_all(references)
        before = bytes_of(path)

        with sqlite_store.writing() as uow:
            uow.subjects.remove(erased.uuid)

        after = bytes_of(path)
        assert references[1].ciphertext in before
        assert references[1].ciphertext not in after
        assert erased.wrapped_key in before
        assert erased.wrapped_key not in after
        assert references[0].ciphertext in after
        assert kept.wrapped_key in after

    def test_a_reader_in_the_way_delays_it_and_fails_nothing(self, sqlite_store, sqlite_url, vault):
        path = Path(sqlite_url.removeprefix("sqlite:///"))
        gallery = sealed_gallery(vault)
        erased = sealed_subject(vault, gallery)
        with sqlite_store.writing() as uow:
            uow.galleries.add(gallery)
            uow.subjects.add(erased)

        with sqlite_store.reading() as reader:
            reader.galleries.all()
            with sqlite_store.writing() as uow:
                uow.subjects.remove(erased.uuid)
            while_read = bytes_of(path)
        with sqlite_store.writing() as uow:
            uow.changes.record(gallery.uuid, [])

        assert erased.wrapped_key in while_read
        assert erased.wrapped_key not in bytes_of(path)

    def test_without_secure_delete_the_file_keeps_what_was_deleted(self, tmp_path):
        """What was measured, and why the pragma is there."""
        path = tmp_path / "plain.db"
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("CREATE TABLE templates (ciphertext blob)")
        connection.execute("INSERT INTO templates VALUES (?)", (b"erase me, please" * 8,))
        connection.execute("DELETE FROM templates")
        connection.close()

        assert b"erase me, please" in path.read_bytes()


def bytes_of(path: Path) -> bytes:
    """Database and write-ahead log."""
    log = path.with_name(path.name + "-wal")
    return path.read_bytes() + (log.read_bytes() if log.exists() else b"")


class TestFreshFile:
    def test_many_connections_may_open_it_at_once(self, tmp_path):
        """Without asking again, about one round in twelve had a connection refused as locked."""
        refused = [error for number in range(60) for error in opened_at_once(tmp_path / f"{number}.db")]

        assert refused == []


def opened_at_once(path: Path) -> list[Exception]:
    """Errors of six connections that open a new SQLite file at the same moment."""
    path.touch()
    engines = [open_engine(f"sqlite:///{path}") for _ in range(6)]
    start = Barrier(len(engines))

    def open_one(engine: Engine) -> Exception | None:
        start.wait(timeout=30)
        try:
            with engine.connect():
                return None
        except OperationalError as error:
            return error

    with ThreadPoolExecutor(len(engines)) as pool:
        errors = list(pool.map(open_one, engines))
    for engine in engines:
        engine.dispose()
    return [error for error in errors if error is not None]
