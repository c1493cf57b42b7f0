"""API clients."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from app.adapters.db.row_binding import UNBOUND, RowBinding, client_values
from app.adapters.db.tables import api_clients
from app.domain.subjects import ApiClient, Scope

_BY_ID = select(api_clients).where(api_clients.c.id == bindparam("client"))


class SqlClients:
    def __init__(self, connection: Connection, binding: RowBinding = UNBOUND) -> None:
        self._connection = connection
        self._binding = binding

    def add(self, client: ApiClient) -> None:
        values = _to_row(client)
        bound = self._binding.made("api_clients", client_values(SimpleNamespace(**values)))
        self._connection.execute(insert(api_clients).values(**values, binding=bound))

    def by_id(self, client_id: str) -> ApiClient | None:
        row = self._connection.execute(_BY_ID, {"client": client_id}).first()
        return None if row is None else self._to_client(row)

    def all(self) -> list[ApiClient]:
        in_order = select(api_clients).order_by(api_clients.c.created_at, api_clients.c.id)
        return [self._to_client(row) for row in self._connection.execute(in_order)]

    def revoke(self, client_id: str, at: datetime) -> bool:
        """Whether there was such a client, not revoked before; a damaged one stays damaged."""
        valid = api_clients.c.id == client_id, api_clients.c.revoked_at.is_(None)
        row = self._connection.execute(select(api_clients).where(*valid)).first()
        if row is None:
            return False
        bound = row.binding
        if self._to_client(row).intact:
            values = SimpleNamespace(**row._asdict() | {"revoked_at": at})
            bound = self._binding.made("api_clients", client_values(values))
        revoked = update(api_clients).where(*valid).values(revoked_at=at, binding=bound)
        return self._connection.execute(revoked).rowcount > 0

    def _to_client(self, row: Row[Any]) -> ApiClient:
        """What is not ours in damaged lists is left out."""
        known = set(Scope)
        return ApiClient(
            id=row.id,
            name=row.name,
            secret_sha256=row.secret_sha256,
            scopes=frozenset(Scope(scope) for scope in _strings(row.scopes) if scope in known),
            galleries=frozenset(_strings(row.galleries)),
            created_at=row.created_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
            intact=self._binding.checked("api_clients", row.id, client_values(row), row.binding),
        )


def _to_row(client: ApiClient) -> dict[str, Any]:
    return {
        "id": client.id,
        "name": client.name,
        "secret_sha256": client.secret_sha256,
        "scopes": sorted(str(scope) for scope in client.scopes),
        "galleries": sorted(client.galleries),
        "created_at": client.created_at,
        "expires_at": client.expires_at,
        "revoked_at": client.revoked_at,
    }


def _strings(stored: object) -> list[str]:
    return [one for one in stored if isinstance(one, str)] if isinstance(stored, list) else []
