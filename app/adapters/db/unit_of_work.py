"""The store: one transaction per unit of work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from sqlalchemy import Engine, text

from app.adapters.db.answers import SqlAnswers
from app.adapters.db.changes import SqlChangeFeed
from app.adapters.db.clients import SqlClients
from app.adapters.db.engine import BUSY_TIMEOUT_MS, for_reading, for_writing, forget_erased
from app.adapters.db.faults import translated_faults
from app.adapters.db.galleries import SqlGalleries
from app.adapters.db.references import SqlReferences
from app.adapters.db.statements import Transaction
from app.adapters.db.subjects import SqlSubjects
from app.adapters.db.transforms import SqlTransforms
from app.adapters.db.write_turn import WriteTurn
from app.domain import ports


class SqlUnitOfWork(ports.UnitOfWork):
    """The repositories of one open transaction."""

    def __init__(self, within: Transaction) -> None:
        self.galleries = SqlGalleries(within)
        self.transforms = SqlTransforms(within)
        self.subjects = SqlSubjects(within)
        self.references = SqlReferences(within)
        self.changes = SqlChangeFeed(within)
        self.answers = SqlAnswers(within)
        self.clients = SqlClients(within)


class SqlStore(ports.Store):
    """Opens units of work on SQLite or PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._reader = for_reading(engine)
        self._writer = for_writing(engine)
        self._turn = WriteTurn() if engine.dialect.name == "sqlite" else None

    @contextmanager
    def reading(self) -> Iterator[SqlUnitOfWork]:
        with translated_faults(), self._reader.connect() as connection, connection.begin():
            yield SqlUnitOfWork(Transaction(connection))

    @contextmanager
    def writing(self) -> Iterator[SqlUnitOfWork]:
        turn = nullcontext() if self._turn is None else self._turn.taken(BUSY_TIMEOUT_MS / 1000)
        with turn, translated_faults(), self._writer.connect() as connection:
            with connection.begin():
                within = Transaction(connection)
                yield SqlUnitOfWork(within)
            if within.erases:
                forget_erased(connection)

    def ping(self) -> None:
        """Raises ``TemporaryError`` unless the database answers."""
        with translated_faults(), self._reader.connect() as connection:
            connection.execute(text("SELECT 1"))
