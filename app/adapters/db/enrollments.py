"""What an enrollment asks and files, in as few statements as each database can: it waits for every one.

PostgreSQL answers each statement in a round trip of its own, so what can go together goes in one. SQLite
has no round trips, and knows neither UPDATE nor INSERT inside WITH.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import FromClause, Join, bindparam, insert, select, update

from app.adapters.db.changes import SqlChangeFeed
from app.adapters.db.galleries import GALLERY_COLUMNS, to_gallery
from app.adapters.db.references import reference_row
from app.adapters.db.statements import Statement, Transaction
from app.adapters.db.subjects import SUBJECT_COLUMNS, subject_row, to_subject
from app.adapters.db.tables import (
    biometric_references,
    galleries,
    gallery_transforms,
    reference_changes,
    subjects,
)
from app.adapters.db.transforms import TRANSFORM_COLUMNS, SqlTransforms
from app.domain.ports import Claim
from app.domain.references import Reference
from app.domain.subjects import Gallery, Subject

_WANTED = galleries.c.name == bindparam("wanted")
_SUBJECT_AT = len(GALLERY_COLUMNS)
_TRANSFORMS_AT = _SUBJECT_AT + len(SUBJECT_COLUMNS)
_SEEN_AT = _TRANSFORMS_AT + len(TRANSFORM_COLUMNS)


def _with_what_it_holds(gallery: FromClause) -> Join:
    """A row per transform, or one without; the subject of the wanted name in each, if there is one."""
    named = (subjects.c.gallery_uuid == galleries.c.uuid) & (subjects.c.subject_id == bindparam("named"))
    return gallery.outerjoin(subjects, named).outerjoin(
        gallery_transforms, gallery_transforms.c.gallery_uuid == galleries.c.uuid
    )


_LOOK = Statement(
    select(*GALLERY_COLUMNS, *SUBJECT_COLUMNS, *TRANSFORM_COLUMNS)
    .select_from(_with_what_it_holds(galleries))
    .where(_WANTED)
    .order_by(gallery_transforms.c.version)
)

_claimed = (
    update(galleries)
    .where(_WANTED)
    .values(revision=galleries.c.revision + 1)
    .returning(*GALLERY_COLUMNS)
    .cte("claimed")
)
_filed = (
    insert(reference_changes)
    .from_select(
        ["gallery_uuid", "revision", "subject_uuid", "changed_at"],
        select(
            _claimed.c.uuid,
            _claimed.c.revision,
            bindparam("changed_subject", type_=reference_changes.c.subject_uuid.type),
            bindparam("now", type_=reference_changes.c.changed_at.type),
        ),
    )
    .cte("filed")
)
_as_committed = [column - 1 if column is _claimed.c.revision else column for column in _claimed.c]
_CLAIM_AND_LOOK = Statement(
    select(*_as_committed, *SUBJECT_COLUMNS, *TRANSFORM_COLUMNS, galleries.c.revision)
    .select_from(_with_what_it_holds(_claimed.join(galleries, galleries.c.uuid == _claimed.c.uuid)))
    .order_by(gallery_transforms.c.version)
    .add_cte(_filed)
)

_NEW = "new_"  # Before the names of a new subject's values: a reference has some of the same.
_new_subject = (
    insert(subjects)
    .values({column: bindparam(_NEW + column.name, type_=column.type) for column in subjects.c})
    .cte("new_subject")
)
_ADD_SUBJECT_AND_REFERENCE = Statement(insert(biometric_references).add_cte(_new_subject))
_ADD_SUBJECT = Statement(insert(subjects))
_ADD_REFERENCES = Statement(insert(biometric_references))


class SqlEnrollments:
    def __init__(self, within: Transaction, transforms: SqlTransforms, changes: SqlChangeFeed) -> None:
        self._within = within
        self._transforms = transforms
        self._changes = changes
        self._merges = within.dialect.name == "postgresql"

    def claim(self, gallery: str, subject_id: str, subject_uuid: UUID) -> Claim | None:
        names = {"wanted": gallery, "named": subject_id}
        if self._merges:
            return self._claim_and_look(names, subject_uuid)
        rows = _LOOK.rows(self._within, names)
        if not rows:
            return None
        found = to_gallery(rows[0][:_SUBJECT_AT])
        return self._to_claim(found, self._changes.record(found.uuid, [subject_uuid]), rows)

    def _claim_and_look(self, names: dict[str, Any], subject_uuid: UUID) -> Claim | None:
        """All in one statement, which sees the database as it was before it waited for the lock.

        Subjects and transforms change under a revision only. So they are still what it saw, if the gallery
        was then at the revision that the lock found it at; else somebody came first, and it looks again.
        """
        values = {**names, "changed_subject": subject_uuid, "now": datetime.now(UTC)}
        rows = _CLAIM_AND_LOOK.rows(self._within, values)
        if not rows:
            return None
        found, seen_revision = to_gallery(rows[0][:_SUBJECT_AT]), rows[0][_SEEN_AT]
        if seen_revision != found.revision:
            rows = _LOOK.rows(self._within, names)
        return self._to_claim(found, found.revision + 1, rows)

    def _to_claim(self, gallery: Gallery, revision: int, rows: Sequence[Sequence[Any]]) -> Claim:
        subject = rows[0][_SUBJECT_AT:_TRANSFORMS_AT]
        transforms = [row[_TRANSFORMS_AT:_SEEN_AT] for row in rows]
        newest = [
            self._transforms.to_transform(gallery.uuid, row) for row in transforms if row[0] is not None
        ]
        return Claim(
            gallery=gallery,
            revision=revision,
            subject=None if subject[0] is None else to_subject(subject),
            transforms={(transform.modality, transform.encoder): transform for transform in newest},
        )

    def add(self, subject: Subject, references: Sequence[Reference]) -> None:
        new, rows = subject_row(subject), [reference_row(reference) for reference in references]
        if self._merges and rows:
            named = {_NEW + name: value for name, value in new.items()}
            _ADD_SUBJECT_AND_REFERENCE.run(self._within, named | rows.pop())
        else:
            _ADD_SUBJECT.run(self._within, new)
        if rows:
            _ADD_REFERENCES.run_many(self._within, rows)
