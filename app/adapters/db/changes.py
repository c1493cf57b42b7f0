"""The revision feed: which subjects changed, in the order of commits (DESIGN §6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, insert, select, update

from app.adapters.db.statements import Statement, Transaction
from app.adapters.db.tables import galleries, reference_changes
from app.domain.errors import GalleryNotFoundError

_TABLE = reference_changes.c
_OF_GALLERY = _TABLE.gallery_uuid == bindparam("wanted")

_NEXT_REVISION = Statement(
    update(galleries)
    .where(galleries.c.uuid == bindparam("wanted"))
    .values(revision=galleries.c.revision + 1)
    .returning(galleries.c.revision)
)
_INSERT = Statement(insert(reference_changes))
_next = (
    update(galleries)
    .where(galleries.c.uuid == bindparam("wanted"))
    .values(revision=galleries.c.revision + 1)
    .returning(galleries.c.uuid, galleries.c.revision)
    .cte("next_revision")
)
_RECORD_ONE = (
    Statement(  # Both in one round trip; SQLite knows no UPDATE inside WITH, and has no round trips.
        insert(reference_changes)
        .from_select(
            ["gallery_uuid", "revision", "subject_uuid", "changed_at"],
            select(
                _next.c.uuid,
                _next.c.revision,
                bindparam("changed_subject", type_=_TABLE.subject_uuid.type),
                bindparam("now", type_=_TABLE.changed_at.type),
            ),
        )
        .returning(_TABLE.revision)
    )
)
_BOUNDS = Statement(
    select(galleries.c.pruned_revision, galleries.c.revision).where(galleries.c.uuid == bindparam("wanted"))
)
_SINCE = Statement(
    select(_TABLE.revision, _TABLE.subject_uuid)
    .where(_OF_GALLERY, _TABLE.revision > bindparam("seen"))
    .order_by(_TABLE.revision, _TABLE.subject_uuid)
)
_LAST_OLD = Statement(
    select(_TABLE.gallery_uuid, func.max(_TABLE.revision))
    .where(_TABLE.changed_at < bindparam("older_than"))
    .group_by(_TABLE.gallery_uuid)
    .order_by(_TABLE.gallery_uuid)  # Two processes that prune lock galleries in one order.
)
_SET_PRUNED = Statement(  # Never backwards: another process may have pruned further meanwhile.
    update(galleries)
    .where(galleries.c.uuid == bindparam("wanted"), galleries.c.pruned_revision < bindparam("last_pruned"))
    .values(pruned_revision=bindparam("last_pruned"))
)
_PRUNE = Statement(delete(reference_changes).where(_OF_GALLERY, _TABLE.revision <= bindparam("last_pruned")))


class SqlChangeFeed:
    def __init__(self, within: Transaction) -> None:
        self._within = within

    def record(self, gallery_uuid: UUID, subject_uuids: Sequence[UUID]) -> int:
        """Take the next revision and file the changes under it.

        The UPDATE locks the gallery's row until commit, so that revisions are committed in their order. A
        sequence or max(id) has no such lock: a later number may be visible before an earlier one, and a
        follower that has seen the later one never asks for the earlier again.

        Raises:
            GalleryNotFoundError: The gallery was deleted meanwhile.
        """
        now = datetime.now(UTC)
        if len(subject_uuids) == 1 and self._within.dialect.name == "postgresql":
            values = {"wanted": gallery_uuid, "changed_subject": subject_uuids[0], "now": now}
            return _revision(_RECORD_ONE.first(self._within, values))
        revision = _revision(_NEXT_REVISION.first(self._within, {"wanted": gallery_uuid}))
        rows = [
            {"gallery_uuid": gallery_uuid, "revision": revision, "subject_uuid": uuid, "changed_at": now}
            for uuid in dict.fromkeys(subject_uuids)
        ]
        if rows:
            _INSERT.run_many(self._within, rows)
        return revision

    def since(self, gallery_uuid: UUID, revision: int) -> list[tuple[int, UUID]] | None:
        bounds = _BOUNDS.first(self._within, {"wanted": gallery_uuid})
        # A follower ahead of the database follows one that was restored from a backup since.
        if bounds is None or not bounds[0] <= revision <= bounds[1]:
            return None
        rows = _SINCE.rows(self._within, {"wanted": gallery_uuid, "seen": revision})
        return [(number, subject_uuid) for number, subject_uuid in rows]

    def prune(self, older_than: datetime) -> int:
        pruned = 0
        for gallery_uuid, last in _LAST_OLD.rows(self._within, {"older_than": older_than}):
            bounds = {"wanted": gallery_uuid, "last_pruned": last}
            _SET_PRUNED.run(self._within, bounds)
            pruned += _PRUNE.run(self._within, bounds)
        return pruned


def _revision(row: Sequence[Any] | None) -> int:
    if row is None:
        raise GalleryNotFoundError("The gallery does not exist.")
    revision: int = row[0]
    return revision
