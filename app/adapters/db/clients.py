"""API clients."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from app.adapters.db.rows import api_clients
from app.domain.subjects import ApiClient, Scope

_TABLE = api_clients.c
_INSERT = insert(api_clients)
_ALL = select(
    _TABLE.id,
    _TABLE.name,
    _TABLE.secret_sha256,
    _TABLE.scopes,
    _TABLE.galleries,
    _TABLE.created_at,
    _TABLE.expires_at,
    _TABLE.revoked_at,
)
_BY_ID = _ALL.where(_TABLE.id == bindparam("wanted"))


class SqlClients:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, client: ApiClient) -> None:
        self._connection.execute(
            _INSERT,
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
        row = self._connection.execute(_BY_ID, {"wanted": client_id}).one_or_none()
        return None if row is None else _to_client(row)

    def all(self) -> list[ApiClient]:
        rows = self._connection.execute(_ALL.order_by(_TABLE.created_at, _TABLE.id))
        return [_to_client(row) for row in rows]

    def revoke(self, client_id: str, at: datetime) -> bool:
        """Whether there was such a client, not revoked before."""
        done = self._connection.execute(
            update(api_clients)
            .where(_TABLE.id == client_id, _TABLE.revoked_at.is_(None))
            .values(revoked_at=at)
        )
        return done.rowcount > 0


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
