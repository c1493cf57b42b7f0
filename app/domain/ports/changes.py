"""What replicas follow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID


class ChangeFeed(Protocol):
    """Which subjects changed at which revision of a gallery (DESIGN §6)."""

    def record(self, gallery_uuid: UUID, subject_uuids: Sequence[UUID]) -> int:
        """Take the next revision (locking the gallery's row until commit) and file the changes under it."""

    def since(self, gallery_uuid: UUID, revision: int) -> list[tuple[int, UUID]] | None:
        """Changes after `revision` in order; `None` if they were pruned and a rebuild is due."""

    def prune(self, older_than: datetime) -> int: ...
