"""The store: one transaction per unit of work."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from threading import BoundedSemaphore
from typing import cast

import structlog
from sqlalchemy import Connection, Engine, text

from app.adapters.db.answers import SqlAnswers
from app.adapters.db.changes import SqlChangeFeed
from app.adapters.db.clients import SqlClients
from app.adapters.db.engine import for_reading
from app.adapters.db.enrollments import SqlEnrollments
from app.adapters.db.erasure import has_erasure_note, take_erasure_note
from app.adapters.db.faults import translated_faults
from app.adapters.db.galleries import SqlGalleries
from app.adapters.db.references import SqlReferences
from app.adapters.db.row_binding import UNBOUND, RowBinding
from app.adapters.db.sqlite_files.log_cleaner import LogCleaner
from app.adapters.db.sqlite_files.opening import (
    BUSY_TIMEOUT_MS,
    empty_log,
    note_stale_bytes,
    rewrite_if_stale,
)
from app.adapters.db.sqlite_files.write_turn import WriteTurn
from app.adapters.db.subjects import SqlSubjects
from app.adapters.db.transforms import SqlTransforms, WrappedMatrices
from app.domain.errors import TemporaryError
from app.domain.ports.store import Store, UnitOfWork

log = structlog.get_logger(__name__)

_PATIENCE_MS = 250
MAX_WRITERS = 12
"""Of the connections of the pool; the others are left to readers."""


class SqlUnitOfWork(UnitOfWork):
    """The repositories of one open transaction."""

    def __init__(self, connection: Connection, matrices: WrappedMatrices, binding: RowBinding) -> None:
        self.galleries = SqlGalleries(connection, binding)
        self.transforms = SqlTransforms(connection, matrices)
        self.subjects = SqlSubjects(connection, binding)
        self.references = SqlReferences(connection, binding)
        self.changes = SqlChangeFeed(connection)
        self.enrollments = SqlEnrollments(
            connection,
            changes=self.changes,
            subjects=self.subjects,
            references=self.references,
            transforms=self.transforms,
            binding=binding,
        )
        self.answers = SqlAnswers(connection)
        self.clients = SqlClients(connection, binding)


class SqlStore(Store):
    """Opens units of work on SQLite or PostgreSQL.

    Args:
        engine: Of the database.
        before_writing: Called before a writer waits for its turn, which may take seconds.
    """

    def __init__(self, engine: Engine, before_writing: Callable[[], None] = lambda: None) -> None:
        self._before_writing = before_writing
        self._writing = engine
        self._reading = for_reading(engine)
        self._matrices = WrappedMatrices()
        self._binding = UNBOUND
        self._turn = WriteTurn() if engine.dialect.name == "sqlite" else None
        self._places = BoundedSemaphore(MAX_WRITERS)
        # A process that was killed may have left erased pages; the first writer finds out.
        self._cleaner = LogCleaner(engine) if engine.dialect.name == "sqlite" else None
        self._log_is_clean = False

    def bind_rows(self, binding: RowBinding) -> None:
        """From now on what is written is bound, and what is read is compared with what it was bound to."""
        self._binding = binding

    @contextmanager
    def reading(self) -> Iterator[SqlUnitOfWork]:
        with translated_faults(), self._reading.begin() as connection:
            yield SqlUnitOfWork(connection, self._matrices, self._binding)

    @contextmanager
    def writing(self) -> Iterator[SqlUnitOfWork]:
        self._before_writing()
        with self._turn_to_write(), translated_faults(), self._writing.connect() as connection:
            with connection.begin():
                yield SqlUnitOfWork(connection, self._matrices, self._binding)
                if self._cleaner is not None and has_erasure_note(connection):
                    note_stale_bytes(_driver_of(connection))
            if self._cleaner is not None:
                self._forget(connection, self._cleaner)

    @contextmanager
    def _turn_to_write(self) -> Iterator[None]:
        """One writer at a time on SQLite; on PostgreSQL few enough that readers keep connections."""
        if self._turn is not None:
            with self._turn.taken(BUSY_TIMEOUT_MS / 1000):
                yield
            return
        if not self._places.acquire(timeout=BUSY_TIMEOUT_MS / 1000):
            raise TemporaryError("Too many requests are waiting to write.", code="store_unavailable")
        try:
            yield
        finally:
            self._places.release()

    def _forget(self, connection: Connection, cleaner: LogCleaner) -> None:
        """What was erased must not linger in SQLite's log; while somebody reads, the cleaner tries again.

        PostgreSQL has no such call: dead rows go with its vacuum, its log with the backups' retention.
        """
        erased = take_erasure_note(connection)
        if not erased and self._log_is_clean:
            return
        self._log_is_clean = empty_log(_driver_of(connection), wait_ms=_PATIENCE_MS if erased else 0)
        if not self._log_is_clean:
            cleaner.clean_later()

    def tidy(self) -> None:
        """Rewrite SQLite's file after erasures; PostgreSQL's vacuum does so by itself."""
        if self._turn is None or self._cleaner is None:
            return
        with (
            self._turn.taken(BUSY_TIMEOUT_MS / 1000),
            translated_faults(),
            closing(self._writing.raw_connection()) as connection,
        ):
            try:
                if not rewrite_if_stale(cast(sqlite3.Connection, connection.driver_connection)):
                    return
            except sqlite3.Error as error:
                log.warning("store.not_rewritten", fault=error.sqlite_errorname)
                return
        self._cleaner.clean_later()

    def close(self) -> None:
        """Try to empty SQLite's log a last time; the engine is still open."""
        if self._cleaner is not None:
            self._cleaner.close()

    def ping(self) -> None:
        """Raises `TemporaryError` unless the database answers."""
        with translated_faults(), self._reading.connect() as connection:
            connection.execute(text("SELECT 1"))


def _driver_of(connection: Connection) -> sqlite3.Connection:
    return cast(sqlite3.Connection, connection.connection.driver_connection)
