"""Stored answers to idempotent requests."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select

from app.adapters.db.faults import DRIVER_INTEGRITY_ERRORS, is_unique_violation
from app.adapters.db.statements import Statement, Transaction
from app.adapters.db.tables import idempotency_keys
from app.domain.errors import ConflictError
from app.domain.ports import StoredAnswer

_TABLE = idempotency_keys.c
_INSERT = Statement(insert(idempotency_keys))
_GET = Statement(
    select(
        _TABLE.client_id,
        _TABLE.method,
        _TABLE.path,
        _TABLE.key,
        _TABLE.body_sha256,
        _TABLE.status,
        _TABLE.body,
        _TABLE.subject_uuid,
        _TABLE.created_at,
    ).where(
        _TABLE.client_id == bindparam("wanted_client"),
        _TABLE.method == bindparam("wanted_method"),
        _TABLE.path == bindparam("wanted_path"),
        _TABLE.key == bindparam("wanted_key"),
    )
)
_PRUNE = Statement(delete(idempotency_keys).where(_TABLE.created_at < bindparam("older_than")))


class SqlAnswers:
    def __init__(self, within: Transaction) -> None:
        self._within = within

    def get(self, client_id: str, method: str, path: str, key: str) -> StoredAnswer | None:
        row = _GET.first(
            self._within,
            {"wanted_client": client_id, "wanted_method": method, "wanted_path": path, "wanted_key": key},
        )
        return None if row is None else StoredAnswer(*row)

    def add(self, answer: StoredAnswer) -> None:
        row = {
            "client_id": answer.client_id,
            "method": answer.method,
            "path": answer.path,
            "key": answer.key,
            "body_sha256": answer.body_sha256,
            "status": answer.status,
            "body": answer.body,
            "subject_uuid": answer.subject_uuid,
            "created_at": answer.created_at,
        }
        try:
            _INSERT.run(self._within, row)
        except DRIVER_INTEGRITY_ERRORS as error:
            if not is_unique_violation(error):
                raise
            raise ConflictError(
                "A concurrent request with this Idempotency-Key was answered first."
            ) from None

    def prune(self, older_than: datetime) -> int:
        return _PRUNE.run(self._within, {"older_than": older_than})
