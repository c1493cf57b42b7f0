"""Stored answers to idempotent requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True)
class StoredAnswer:
    """The answer to an idempotent request: written in the transaction of the data."""

    client_id: str
    method: str
    path: str
    key: str
    body_sha256: bytes
    status: int
    body: bytes = field(repr=False)
    subject_uuid: UUID | None
    created_at: datetime


class AnswerRepository(Protocol):
    """Idempotency keys."""

    def get(self, client_id: str, method: str, path: str, key: str) -> StoredAnswer | None: ...

    def add(self, answer: StoredAnswer) -> None:
        """Raises `ConflictError` if a concurrent request stored one first."""

    def prune(self, older_than: datetime) -> int: ...
