"""What an enrollment looks up and files, under the lock of its gallery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Connection, bindparam, update

from app.adapters.db.changes import SqlChangeFeed
from app.adapters.db.galleries import to_gallery
from app.adapters.db.references import SqlReferences
from app.adapters.db.row_binding import UNBOUND, RowBinding
from app.adapters.db.subjects import SqlSubjects
from app.adapters.db.tables import galleries
from app.adapters.db.transforms import SqlTransforms
from app.domain.ports.enrollments import Claim
from app.domain.references import Reference
from app.domain.subjects import Subject

_CLAIM = (
    update(galleries)
    .where(galleries.c.name == bindparam("gallery"))
    .values(revision=galleries.c.revision + 1)
    .returning(*galleries.c)
)


class SqlEnrollments:
    def __init__(
        self,
        connection: Connection,
        *,
        changes: SqlChangeFeed,
        subjects: SqlSubjects,
        references: SqlReferences,
        transforms: SqlTransforms,
        binding: RowBinding = UNBOUND,
    ) -> None:
        self._binding = binding
        self._connection = connection
        self._changes = changes
        self._subjects = subjects
        self._references = references
        self._transforms = transforms

    def claim(self, gallery: str, subject_id: str, subject_uuid: UUID) -> Claim | None:
        row = self._connection.execute(_CLAIM, {"gallery": gallery}).first()
        if row is None:
            return None
        claimed = to_gallery(row, self._binding)
        self._changes.file(claimed.uuid, claimed.revision, [subject_uuid])
        # From here on nobody else changes the gallery: what is read now stays so until the commit.
        return Claim(
            gallery=replace(claimed, revision=claimed.revision - 1),
            revision=claimed.revision,
            subject=self._subjects.by_name(claimed.uuid, subject_id),
            transforms={
                (transform.modality, transform.encoder): transform
                for transform in self._transforms.of_gallery(claimed.uuid)
            },
        )

    def add(self, subject: Subject, references: Sequence[Reference]) -> None:
        self._subjects.add(subject)
        self._references.add_all(references)
