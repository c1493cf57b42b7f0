"""Faults of the database reach callers as temporary errors, and nothing of what was in the statement."""

import sqlite3
import traceback
from datetime import datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg
import pytest
from sqlalchemy import event

from app.adapters.db.engine import open_engine
from app.adapters.db.unit_of_work import SqlStore
from app.domain.errors import PulseprintError, TemporaryError
from tests.stored import a_gallery, a_reference, a_subject

SECRET = b"ciphertext that nobody may read"
DONE_S = 20.0


def shown(error: BaseException) -> str:
    """All that a log of this error would say."""
    return "".join(traceback.format_exception(error)) + repr(error) + str(vars(error))


@pytest.fixture
def open_store():
    """Stores on any URL, closed at the end."""
    engines = []

    def open_(url: str, busy_timeout_ms: int | None = None) -> SqlStore:
        engine = open_engine(url)
        engines.append(engine)
        if busy_timeout_ms is not None:

            def be_impatient(connection: Any, _: object) -> None:
                connection.execute(f"PRAGMA busy_timeout = {busy_timeout_ms}")

            event.listen(engine, "connect", be_impatient)
        return SqlStore(engine)

    yield open_
    for engine in engines:
        engine.dispose()


class TestUnavailable:
    def test_a_server_that_is_not_there(self, open_store, tmp_path):
        store = open_store(f"postgresql://nobody@/none?host={tmp_path}")

        with pytest.raises(TemporaryError) as refused:
            store.ping()

        assert refused.value.code == "store_unavailable"

    def test_a_database_that_vanishes_between_requests_and_one_that_comes_back(
        self, open_store, postgres_server, postgres_template
    ):
        url = postgres_server.create("vanishing", postgres_template)
        store = open_store(url)
        store.ping()
        postgres_server.drop("vanishing")

        with pytest.raises(TemporaryError) as refused:
            store.ping()

        postgres_server.create("vanishing", postgres_template)
        store.ping()
        with store.reading() as uow:
            assert uow.galleries.all() == []
        assert refused.value.code == "store_unavailable"
        postgres_server.drop("vanishing")

    def test_a_connection_that_died_while_idle_costs_no_request(self, open_store, postgres_url):
        store = open_store(postgres_url)
        store.ping()
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

        store.ping()

        with store.reading() as uow:
            assert uow.galleries.all() == []

    def test_connections_cut_in_the_middle_of_a_unit(self, open_store, postgres_url):
        store = open_store(postgres_url)

        def work() -> None:
            with store.writing() as uow:
                uow.galleries.add(a_gallery(wrapped_key=SECRET))
                with psycopg.connect(postgres_url, autocommit=True) as admin:
                    admin.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                uow.galleries.all()

        with pytest.raises(TemporaryError) as refused:
            work()

        assert refused.value.code == "store_unavailable"
        with store.reading() as uow:
            assert uow.galleries.all() == []

    def test_a_lock_that_is_held_too_long(self, open_store, sqlite_url):
        store = open_store(sqlite_url, busy_timeout_ms=1)
        other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(TemporaryError) as refused, store.writing():
            pass

        other.close()
        assert refused.value.code == "store_unavailable"
        with store.writing() as uow:
            uow.galleries.add(a_gallery())

    def test_a_file_that_is_no_longer_a_database(self, open_store, sqlite_url):
        store = open_store(sqlite_url)
        Path(sqlite_url.removeprefix("sqlite:///")).write_bytes(b"garbage" * 1000)

        with pytest.raises(TemporaryError), store.reading() as uow:
            uow.galleries.all()

    def test_all_connections_busy(self, sqlite_url):
        engine = open_engine(sqlite_url)
        engine.pool._timeout = 0.01
        store = SqlStore(engine)
        held = [engine.connect() for _ in range(32)]

        with pytest.raises(TemporaryError) as refused, store.reading():
            pass

        for connection in held:
            connection.close()
        engine.dispose()
        assert "busy" in refused.value.detail


class TestNothingLeaks:
    @pytest.fixture
    def stored(self, store):
        gallery, subject = a_gallery(), a_subject(a_gallery(), subject_id="operator-of-that-secret-name")
        with store.writing() as uow:
            uow.galleries.add(gallery)
            uow.subjects.add(subject)
            uow.references.add_all([a_reference(subject, ciphertext=SECRET)])
        return subject

    def refused(self, store, work) -> str:
        with pytest.raises(PulseprintError) as refused, store.writing() as uow:
            work(uow)
        return shown(refused.value)

    def test_a_duplicate_shows_neither_values_nor_sql(self, store, stored):
        text = self.refused(
            store, lambda uow: uow.references.add_all([a_reference(stored, ciphertext=SECRET)])
        )

        assert "nobody may read" not in text
        assert "operator-of-that" not in text
        assert "INSERT" not in text

    def test_a_wrong_value_shows_neither_values_nor_sql(self, store, stored):
        """PostgreSQL's own message quotes the whole failing row."""
        broken = a_reference(stored, 2, ciphertext=SECRET, session=None)

        text = self.refused(store, lambda uow: uow.references.add_all([broken]))

        assert "nobody may read" not in text
        assert SECRET.hex() not in text
        assert "INSERT" not in text

    def test_our_own_mistake_is_no_temporary_error(self, store, stored):
        broken = a_reference(stored, 2, session=None)

        with pytest.raises(PulseprintError) as refused, store.writing() as uow:
            uow.references.add_all([broken])

        assert not isinstance(refused.value, TemporaryError)
        assert refused.value.code == "internal_error"

    def test_a_value_that_no_column_takes_is_our_mistake_too(self, store, stored):
        without_zone = a_subject(a_gallery(), 5, subject_id="someone-secret", created_at=datetime(2026, 1, 1))

        with pytest.raises(PulseprintError) as refused, store.writing() as uow:
            uow.subjects.add(without_zone)

        assert not isinstance(refused.value, TemporaryError)
        assert "someone-secret" not in shown(refused.value)


class TestOtherErrors:
    def test_what_the_services_raise_passes_unchanged(self, store):
        mine = KeyError("mine")

        def fail() -> None:
            with store.writing():
                raise mine

        with pytest.raises(KeyError) as raised:
            fail()

        assert raised.value is mine

    def test_a_writer_that_waits_gets_its_turn(self, store):
        entered, finished = Event(), Event()

        def write() -> None:
            with store.writing() as uow:
                uow.galleries.add(a_gallery(2, "second"))
            finished.set()

        thread = Thread(target=write)
        with store.writing() as uow:
            uow.galleries.add(a_gallery())
            thread.start()
            entered.set()
        thread.join(DONE_S)

        assert finished.is_set()
