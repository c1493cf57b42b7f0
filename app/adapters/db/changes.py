"""The revision feed: which subjects changed, in the order of commits (DESIGN §6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, select, update

from app.adapters.db.tables import galleries, reference_changes
from app.domain.errors import GalleryNotFoundError

_OF_GALLERY = galleries.c.uuid == bindparam("gallery")
_NEXT_REVISION = (
    update(galleries)
    .where(_OF_GALLERY)
    .values(revision=galleries.c.revision + 1)
    .returning(galleries.c.revision)
)
_INSERT = insert(reference_changes)
_SINCE = (
    select(
        galleries.c.pruned_revision,
        galleries.c.revision.label("newest_revision"),
        reference_changes.c.revision,
        reference_changes.c.subject_uuid,
    )
    .outerjoin_from(
        galleries,
        reference_changes,
        and_(
            reference_changes.c.gallery_uuid == galleries.c.uuid,
            reference_changes.c.revision > bindparam("seen"),
        ),
    )
    .where(_OF_GALLERY)
    .order_by(reference_changes.c.revision, reference_changes.c.subject_uuid)
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
        revision: int | None = self._connection.scalar(_NEXT_REVISION, {"gallery": gallery_uuid})
        if revision is None:
            raise GalleryNotFoundError("The gallery does not exist.")
        self.file(gallery_uuid, revision, subject_uuids)
        return revision

    def file(self, gallery_uuid: UUID, revision: int, subject_uuids: Sequence[UUID]) -> None:
        """The changes of a revision that this transaction took."""
        now = datetime.now(UTC)
        rows = [
            {"gallery_uuid": gallery_uuid, "revision": revision, "subject_uuid": uuid, "changed_at": now}
            for uuid in dict.fromkeys(subject_uuids)
        ]
        if rows:
            self._connection.execute(_INSERT, rows)

    def since(self, gallery_uuid: UUID, revision: int) -> list[tuple[int, UUID]] | None:
        rows = self._connection.execute(_SINCE, {"gallery": gallery_uuid, "seen": revision}).all()
        # A follower ahead of the database follows one that was restored from a backup since.
        if not rows or not rows[0].pruned_revision <= revision <= rows[0].newest_revision:
            return None
        return [(row.revision, row.subject_uuid) for row in rows if row.revision is not None]

    def prune(self, older_than: datetime) -> int:
        changes = reference_changes.c
        last_old = (
            select(changes.gallery_uuid, func.max(changes.revision))
            .where(changes.changed_at < older_than)
            .group_by(changes.gallery_uuid)
            .order_by(changes.gallery_uuid)  # Two processes that prune lock galleries in one order.
        )
        return sum(self._prune(uuid, last) for uuid, last in self._connection.execute(last_old).all())

    def _prune(self, gallery_uuid: UUID, last: int) -> int:
        changes = reference_changes.c
        self._connection.execute(  # Never backwards: another process may have pruned further meanwhile.
            update(galleries)
            .where(galleries.c.uuid == gallery_uuid, galleries.c.pruned_revision < last)
            .values(pruned_revision=last)
        )
        pruned = delete(reference_changes).where(
            changes.gallery_uuid == gallery_uuid, changes.revision <= last
        )
        return self._connection.execute(pruned).rowcount
