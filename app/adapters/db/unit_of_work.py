"""The store: one transaction per unit of work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from sqlalchemy import Engine, text

from app.adapters.db.answers import SqlAnswers
from app.adapters.db.changes import SqlChangeFeed
from app.adapters.db.clients import SqlClients
from app.adapters.db.enrollments import SqlEnrollments
from app.adapters.db.faults import translated_faults
from app.adapters.db.galleries import SqlGalleries
from app.adapters.db.references import SqlReferences
from app.adapters.db.sqlite import BUSY_TIMEOUT_MS, empty_log
from app.adapters.db.statements import Transaction
from app.adapters.db.subjects import SqlSubjects
from app.adapters.db.transactions import transaction
from app.adapters.db.transforms import SqlTransforms, WrappedMatrices
from app.adapters.db.write_turn import WriteTurn
from app.domain import ports

_PATIENCE_MS = 250


class SqlUnitOfWork(ports.UnitOfWork):
    """The repositories of one open transaction."""

    def __init__(self, within: Transaction, matrices: WrappedMatrices) -> None:
        self.galleries = SqlGalleries(within)
        self.transforms = SqlTransforms(within, matrices)
        self.subjects = SqlSubjects(within)
        self.references = SqlReferences(within)
        self.changes = SqlChangeFeed(within)
        self.enrollments = SqlEnrollments(within, self.transforms, self.changes)
        self.answers = SqlAnswers(within)
        self.clients = SqlClients(within)


class SqlStore(ports.Store):
    """Opens units of work on SQLite or PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._matrices = WrappedMatrices()
        self._turn = WriteTurn() if engine.dialect.name == "sqlite" else None
        self._log_is_clean = False  # A process that was killed may have left erased pages.

    @contextmanager
    def reading(self) -> Iterator[SqlUnitOfWork]:
        with translated_faults(), transaction(self._engine, writes=False) as within:
            yield SqlUnitOfWork(within, self._matrices)

    @contextmanager
    def writing(self) -> Iterator[SqlUnitOfWork]:
        turn = nullcontext() if self._turn is None else self._turn.taken(BUSY_TIMEOUT_MS / 1000)
        with turn, translated_faults(), transaction(self._engine, writes=True) as within:
            yield SqlUnitOfWork(within, self._matrices)
            within.commit()
            if self._turn is not None:
                self._forget(within)

    def _forget(self, within: Transaction) -> None:
        """What was erased must not linger in SQLite's log; a reader may put that off to a later unit.

        PostgreSQL has no such call: dead rows go with its vacuum, its log with the backups' retention.
        """
        if within.erases:
            self._log_is_clean = empty_log(within.driver, wait_ms=_PATIENCE_MS)
        elif not self._log_is_clean:
            self._log_is_clean = empty_log(within.driver, wait_ms=0)

    def ping(self) -> None:
        """Raises ``TemporaryError`` unless the database answers."""
        with translated_faults(), self._engine.connect() as connection:
            connection.execute(text("SELECT 1"))
