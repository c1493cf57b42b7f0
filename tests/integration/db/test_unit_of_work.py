"""Transactions as the services see them."""

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest

from app.adapters.db.engine import open_engine
from app.adapters.db.unit_of_work import MAX_WRITERS, SqlStore
from app.adapters.executor import BoundedExecutor, step_aside
from app.domain.errors import ConflictError, PulseprintError
from tests.stored import a_gallery, a_subject

GALLERY = a_gallery()


class TestWriting:
    def test_leaving_cleanly_commits(self, store):
        with store.writing() as uow:
            uow.galleries.add(GALLERY)

        with store.reading() as uow:
            assert uow.galleries.by_name("default") == GALLERY

    def test_an_exception_rolls_everything_back(self, store):
        def fail_half_way() -> None:
            with store.writing() as uow:
                uow.galleries.add(GALLERY)
                uow.subjects.add(a_subject(GALLERY))
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail_half_way()

        with store.reading() as uow:
            assert uow.galleries.all() == []

    def test_one_creator_of_a_gallery_wins_and_the_others_learn_of_it(self, store):
        def create(number: int) -> str:
            try:
                with store.writing() as uow:
                    uow.galleries.add(a_gallery(number))
            except ConflictError as conflict:
                return conflict.code
            return "created"

        with ThreadPoolExecutor(4) as threads:
            outcomes = list(threads.map(create, range(1, 5)))

        assert sorted(outcomes) == ["created"] + ["gallery_exists"] * 3


class TestReading:
    def test_it_sees_one_snapshot_whatever_is_committed_beside_it(self, store):
        with store.writing() as uow:
            uow.galleries.add(GALLERY)

        with store.reading() as uow:
            before = uow.galleries.revision(GALLERY.uuid)
            with store.writing() as other:
                other.changes.record(GALLERY.uuid, [])
                other.subjects.add(a_subject(GALLERY))
            after = uow.galleries.revision(GALLERY.uuid)
            counts = uow.galleries.counts(GALLERY.uuid)

        assert (before, after, counts) == (0, 0, (0, 0))
        with store.reading() as uow:
            assert uow.galleries.revision(GALLERY.uuid) == 1

    def test_writes_are_refused(self, store):
        with pytest.raises(PulseprintError), store.reading() as uow:
            uow.galleries.add(GALLERY)

        with store.reading() as uow:
            assert uow.galleries.all() == []

    def test_a_connection_that_was_reading_can_write_again(self, store):
        with store.reading() as uow:
            uow.galleries.all()

        with store.writing() as uow:
            uow.galleries.add(GALLERY)

        with store.reading() as uow:
            assert len(uow.galleries.all()) == 1


class TestPing:
    def test_an_open_database_answers(self, store):
        store.ping()


@contextmanager
def a_lock_that_writers_wait_for(url):
    """Held by another process until the block ends."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
        return
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE galleries IN SHARE ROW EXCLUSIVE MODE")
        yield
    engine.dispose()


class TestBlockedWriters:
    def test_readers_are_served_meanwhile_and_the_writers_afterwards(self, engine, database_url):
        store, executor = SqlStore(engine, step_aside), BoundedExecutor(1)
        with store.writing() as uow:
            uow.galleries.add(GALLERY)

        def write():
            with store.writing() as uow:
                uow.changes.record(GALLERY.uuid, [])

        def read():
            with store.reading() as uow:
                return uow.galleries.revision(GALLERY.uuid)

        async def serve():
            with a_lock_that_writers_wait_for(database_url):
                writers = [asyncio.create_task(executor.run(write)) for _ in range(MAX_WRITERS + 4)]
                await asyncio.sleep(0.3)
                found = [await executor.run(read) for _ in range(20)]
                waiting = not any(writer.done() for writer in writers)
            await asyncio.gather(*writers)
            return found, waiting, await executor.run(read)

        assert asyncio.run(serve()) == ([0] * 20, True, MAX_WRITERS + 4)
        executor.close()
