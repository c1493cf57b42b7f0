"""API clients."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from app.adapters.db.statements import Statement, Transaction
from app.adapters.db.tables import api_clients
from app.domain.subjects import ApiClient, Scope

_TABLE = api_clients.c
_INSERT = Statement(insert(api_clients))
_COLUMNS = select(
    _TABLE.id,
    _TABLE.name,
    _TABLE.secret_sha256,
    _TABLE.scopes,
    _TABLE.galleries,
    _TABLE.created_at,
    _TABLE.expires_at,
    _TABLE.revoked_at,
)
_ALL = Statement(_COLUMNS.order_by(_TABLE.created_at, _TABLE.id))
_BY_ID = Statement(_COLUMNS.where(_TABLE.id == bindparam("wanted")))
_REVOKE = Statement(
    update(api_clients)
    .where(_TABLE.id == bindparam("wanted"), _TABLE.revoked_at.is_(None))
    .values(revoked_at=bindparam("at"))
)


class SqlClients:
    def __init__(self, within: Transaction) -> None:
        self._within = within

    def add(self, client: ApiClient) -> None:
        _INSERT.run(
            self._within,
            {
                "id": client.id,
                "name": client.name,
                "secret_sha256": client.secret_sha256,
                "scopes": sorted(str(scope) for scope in client.scopes),
                "galleries": sorted(client.galleries),
                "created_at": client.created_at,
                "expires_at": client.expires_at,
                "revoked_at": client.revoked_at,
            },
        )

    def by_id(self, client_id: str) -> ApiClient | None:
        row = _BY_ID.first(self._within, {"wanted": client_id})
        return None if row is None else _to_client(row)

    def all(self) -> list[ApiClient]:
        return [_to_client(row) for row in _ALL.rows(self._within)]

    def revoke(self, client_id: str, at: datetime) -> bool:
        """Whether there was such a client, not revoked before."""
        return _REVOKE.run(self._within, {"wanted": client_id, "at": at}) > 0


def _to_client(row: Sequence[Any]) -> ApiClient:
    client_id, name, secret_sha256, scopes, galleries, created_at, expires_at, revoked_at = row
    return ApiClient(
        id=client_id,
        name=name,
        secret_sha256=secret_sha256,
        scopes=frozenset(Scope(scope) for scope in scopes),
        galleries=frozenset(galleries),
        created_at=created_at,
        expires_at=expires_at,
        revoked_at=revoked_at,
    )
