"""Where a page of a list begins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class PageCursor:
    """Keyset position: strictly after (created_at, id)."""

    created_at: datetime
    id: UUID
