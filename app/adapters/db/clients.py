"""API clients."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from app.adapters.db.tables import api_clients
from app.domain.subjects import ApiClient, Scope

_BY_ID = select(api_clients).where(api_clients.c.id == bindparam("client"))


class SqlClients:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, client: ApiClient) -> None:
        self._connection.execute(
            insert(api_clients).values(
                id=client.id,
                name=client.name,
                secret_sha256=client.secret_sha256,
                scopes=sorted(str(scope) for scope in client.scopes),
                galleries=sorted(client.galleries),
                created_at=client.created_at,
                expires_at=client.expires_at,
                revoked_at=client.revoked_at,
            )
        )

    def by_id(self, client_id: str) -> ApiClient | None:
        row = self._connection.execute(_BY_ID, {"client": client_id}).first()
        return None if row is None else _to_client(row)

    def all(self) -> list[ApiClient]:
        in_order = select(api_clients).order_by(api_clients.c.created_at, api_clients.c.id)
        return [_to_client(row) for row in self._connection.execute(in_order)]

    def revoke(self, client_id: str, at: datetime) -> bool:
        """Whether there was such a client, not revoked before."""
        revoked = (
            update(api_clients)
            .where(api_clients.c.id == client_id, api_clients.c.revoked_at.is_(None))
            .values(revoked_at=at)
        )
        return self._connection.execute(revoked).rowcount > 0


def _to_client(row: Row[Any]) -> ApiClient:
    return ApiClient(
        id=row.id,
        name=row.name,
        secret_sha256=row.secret_sha256,
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        galleries=frozenset(row.galleries),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
