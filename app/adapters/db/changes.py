"""The revision feed: which subjects changed, in the order of commits (DESIGN §6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from app.adapters.db.rows import galleries, reference_changes
from app.domain.errors import GalleryNotFoundError

_TABLE = reference_changes.c
_NEXT_REVISION = (
    update(galleries)
    .where(galleries.c.uuid == bindparam("wanted"))
    .values(revision=galleries.c.revision + 1)
    .returning(galleries.c.revision)
)
_INSERT = insert(reference_changes)
_REVISIONS = select(galleries.c.revision, galleries.c.pruned_revision).where(
    galleries.c.uuid == bindparam("wanted")
)
_SINCE = (
    select(_TABLE.revision, _TABLE.subject_uuid)
    .where(_TABLE.gallery_uuid == bindparam("wanted"), _TABLE.revision > bindparam("seen"))
    .order_by(_TABLE.revision, _TABLE.subject_uuid)
)


class SqlChangeFeed:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def record(self, gallery_uuid: UUID, subject_uuids: Sequence[UUID]) -> int:
        """Take the next revision and file the changes under it.

        The UPDATE locks the gallery's row until commit, so that revisions are committed in their order. A
        sequence or max(id) has no such lock: a later number may be visible before an earlier one, and a
        follower that has seen the later one never asks for the earlier again.

        Raises:
            GalleryNotFoundError: The gallery was deleted meanwhile.
        """
        revision: int | None = self._connection.scalar(_NEXT_REVISION, {"wanted": gallery_uuid})
        if revision is None:
            raise GalleryNotFoundError("The gallery does not exist.")
        now = datetime.now(UTC)
        rows = [
            {"gallery_uuid": gallery_uuid, "revision": revision, "subject_uuid": uuid, "changed_at": now}
            for uuid in dict.fromkeys(subject_uuids)
        ]
        if rows:
            self._connection.execute(_INSERT, rows)
        return revision

    def since(self, gallery_uuid: UUID, revision: int) -> list[tuple[int, UUID]] | None:
        bounds = self._connection.execute(_REVISIONS, {"wanted": gallery_uuid}).one_or_none()
        # A follower ahead of the database follows one that was restored from a backup since.
        if bounds is None or not bounds.pruned_revision <= revision <= bounds.revision:
            return None
        rows = self._connection.execute(_SINCE, {"wanted": gallery_uuid, "seen": revision})
        return [(number, subject_uuid) for number, subject_uuid in rows]

    def prune(self, older_than: datetime) -> int:
        last_per_gallery = self._connection.execute(
            select(_TABLE.gallery_uuid, func.max(_TABLE.revision))
            .where(_TABLE.changed_at < older_than)
            .group_by(_TABLE.gallery_uuid)
        ).all()
        pruned = 0
        for gallery_uuid, last in last_per_gallery:
            self._connection.execute(
                update(galleries).where(galleries.c.uuid == gallery_uuid).values(pruned_revision=last)
            )
            pruned += self._connection.execute(
                delete(reference_changes).where(_TABLE.gallery_uuid == gallery_uuid, _TABLE.revision <= last)
            ).rowcount
        return pruned
