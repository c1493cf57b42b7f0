"""The store: one transaction per unit of work."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import cast

from sqlalchemy import Connection, Engine, text

from app.adapters.db.answers import SqlAnswers
from app.adapters.db.changes import SqlChangeFeed
from app.adapters.db.clients import SqlClients
from app.adapters.db.engine import for_reading
from app.adapters.db.enrollments import SqlEnrollments
from app.adapters.db.erasure import take_erasure_note
from app.adapters.db.faults import translated_faults
from app.adapters.db.galleries import SqlGalleries
from app.adapters.db.references import SqlReferences
from app.adapters.db.sqlite import BUSY_TIMEOUT_MS, empty_log
from app.adapters.db.subjects import SqlSubjects
from app.adapters.db.transforms import SqlTransforms, WrappedMatrices
from app.adapters.db.write_turn import WriteTurn
from app.domain.errors import TemporaryError
from app.domain.ports.store import Store, UnitOfWork

_PATIENCE_MS = 250
MAX_WRITERS = 12
"""Of the connections of the pool; the others are left to readers."""


class SqlUnitOfWork(UnitOfWork):
    """The repositories of one open transaction."""

    def __init__(self, connection: Connection, matrices: WrappedMatrices) -> None:
        self.galleries = SqlGalleries(connection)
        self.transforms = SqlTransforms(connection, matrices)
        self.subjects = SqlSubjects(connection)
        self.references = SqlReferences(connection)
        self.changes = SqlChangeFeed(connection)
        self.enrollments = SqlEnrollments(
            connection, self.changes, self.subjects, self.references, self.transforms
        )
        self.answers = SqlAnswers(connection)
        self.clients = SqlClients(connection)


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
        self._turn = WriteTurn() if engine.dialect.name == "sqlite" else None
        self._places = BoundedSemaphore(MAX_WRITERS)
        self._log_is_clean = False  # A process that was killed may have left erased pages.

    @contextmanager
    def reading(self) -> Iterator[SqlUnitOfWork]:
        with translated_faults(), self._reading.begin() as connection:
            yield SqlUnitOfWork(connection, self._matrices)

    @contextmanager
    def writing(self) -> Iterator[SqlUnitOfWork]:
        self._before_writing()
        with self._turn_to_write(), translated_faults(), self._writing.connect() as connection:
            with connection.begin():
                yield SqlUnitOfWork(connection, self._matrices)
            if self._turn is not None:
                self._forget(connection)

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

    def _forget(self, connection: Connection) -> None:
        """What was erased must not linger in SQLite's log; a reader may put that off to a later unit.

        PostgreSQL has no such call: dead rows go with its vacuum, its log with the backups' retention.
        """
        driver = cast(sqlite3.Connection, connection.connection.driver_connection)
        if take_erasure_note(connection):
            self._log_is_clean = empty_log(driver, wait_ms=_PATIENCE_MS)
        elif not self._log_is_clean:
            self._log_is_clean = empty_log(driver, wait_ms=0)

    def ping(self) -> None:
        """Raises `TemporaryError` unless the database answers."""
        with translated_faults(), self._reading.connect() as connection:
            connection.execute(text("SELECT 1"))
