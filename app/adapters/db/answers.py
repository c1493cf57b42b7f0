"""Stored answers to idempotent requests."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from app.adapters.db.faults import is_unique_violation
from app.adapters.db.tables import idempotency_keys
from app.domain.errors import ConflictError
from app.domain.ports.answers import StoredAnswer


class SqlAnswers:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, client_id: str, method: str, path: str, key: str) -> StoredAnswer | None:
        stored = select(idempotency_keys).filter_by(client_id=client_id, method=method, path=path, key=key)
        row = self._connection.execute(stored).first()
        return None if row is None else StoredAnswer(**row._asdict())

    def add(self, answer: StoredAnswer) -> None:
        try:
            self._connection.execute(insert(idempotency_keys), asdict(answer))
        except IntegrityError as error:
            if not is_unique_violation(error):
                raise
            raise ConflictError(
                "A concurrent request with this Idempotency-Key was answered first."
            ) from None

    def prune(self, older_than: datetime) -> int:
        old = delete(idempotency_keys).where(idempotency_keys.c.created_at < older_than)
        return self._connection.execute(old).rowcount
