"""Answers kept for repeated requests: written in the transaction of the data they speak of."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from app.domain.errors import RequestError, UnprocessableError
from app.domain.ports.answers import StoredAnswer
from app.domain.ports.clock import Clock
from app.domain.ports.store import Store, UnitOfWork

KEPT_FOR = timedelta(hours=24)


@dataclass(frozen=True)
class Rendered:
    """An answer ready to be sent."""

    status: int
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class IdempotentRequest:
    """What makes two requests the same one."""

    client_id: str
    method: str
    path: str
    key: str
    body_sha256: bytes


class AnswerLog:
    """Replays stored answers for 24 hours."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def replay(self, request: IdempotentRequest) -> Rendered | None:
        """The stored answer, or None if this request is new.

        Raises:
            UnprocessableError: `idempotency_key_reused`: the key came with another body before.
        """
        with self._store.reading() as uow:
            stored = uow.answers.get(request.client_id, request.method, _digest(request.path), request.key)
        if stored is None or stored.created_at + KEPT_FOR < self._clock():
            return None
        if not hmac.compare_digest(stored.body_sha256, request.body_sha256):
            raise UnprocessableError(
                "This Idempotency-Key was used for another body before.", code="idempotency_key_reused"
            )
        return Rendered(stored.status, stored.body)

    def keep(
        self, uow: UnitOfWork, request: IdempotentRequest | None, answer: Rendered, subject: UUID | None
    ) -> None:
        """File the answer in the transaction that changes the data."""
        if request is None:
            return
        uow.answers.prune(self._clock() - KEPT_FOR)  # An expired answer would hold the key for ever.
        uow.answers.add(
            StoredAnswer(
                client_id=request.client_id,
                method=request.method,
                path=_digest(request.path),
                key=request.key,
                body_sha256=request.body_sha256,
                status=answer.status,
                body=answer.body,
                subject_uuid=subject,
                created_at=self._clock(),
            )
        )

    def once(self, request: IdempotentRequest | None, work: Callable[[], Rendered]) -> Rendered:
        """Do the work, unless it was done before: also when two equal requests run at the same time."""
        if request is None:
            return work()
        stored = self.replay(request)
        if stored is not None:
            return stored
        try:
            return work()
        except RequestError:  # The other one was first: its key, its subject or its erasure is in the way.
            stored = self.replay(request)
            if stored is None:
                raise
            return stored


def _digest(path: str) -> str:
    """Paths name subjects, and erased ones must not be named anywhere."""
    return hashlib.sha256(path.encode()).hexdigest()
