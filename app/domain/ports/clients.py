"""API clients in the database."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from app.domain.subjects import ApiClient


class ClientRepository(Protocol):
    def add(self, client: ApiClient) -> None: ...

    def by_id(self, client_id: str) -> ApiClient | None: ...

    def all(self) -> list[ApiClient]: ...

    def revoke(self, client_id: str, at: datetime) -> bool: ...
