"""Galleries, their policies and defaults."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from app.adapters.db.erasure import note_erasure
from app.adapters.db.faults import is_unique_violation
from app.adapters.db.row_binding import UNBOUND, RowBinding, gallery_values
from app.adapters.db.tables import biometric_references, galleries, idempotency_keys, subjects
from app.domain.errors import ConflictError
from app.domain.policies import CalibratedPolicy
from app.domain.ports.pages import PageCursor
from app.domain.subjects import Gallery

_ORDER = (galleries.c.created_at, galleries.c.uuid)
_IN_ORDER = select(galleries).order_by(*_ORDER)
_BY_NAME = select(galleries).where(galleries.c.name == bindparam("gallery"))
_REVISIONS = select(galleries.c.uuid, galleries.c.revision)
_COUNT_UP_TO = select(func.count()).select_from(
    select(subjects.c.uuid)
    .where(subjects.c.gallery_uuid == bindparam("gallery"))
    .limit(bindparam("enough"))
    .subquery()
)


class SqlGalleries:
    def __init__(self, connection: Connection, binding: RowBinding = UNBOUND) -> None:
        self._connection = connection
        self._binding = binding

    def add(self, gallery: Gallery) -> None:
        added = insert(galleries).values(
            uuid=gallery.uuid,
            name=gallery.name,
            policy=gallery.policy,
            revision=gallery.revision,
            pruned_revision=0,
            wrapped_key=gallery.wrapped_key,
            created_at=gallery.created_at,
            fingerprint_dpi=gallery.fingerprint_dpi,
            binding=self._binding.made("galleries", _values(gallery)),
        )
        try:
            self._connection.execute(added)
        except IntegrityError as error:
            if not is_unique_violation(error):
                raise
            raise ConflictError("A gallery of this name exists.", code="gallery_exists") from None

    def by_name(self, name: str) -> Gallery | None:
        row = self._connection.execute(_BY_NAME, {"gallery": name}).first()
        return None if row is None else to_gallery(row, self._binding)

    def by_uuid(self, gallery_uuid: UUID) -> Gallery | None:
        row = self._connection.execute(select(galleries).filter_by(uuid=gallery_uuid)).first()
        return None if row is None else to_gallery(row, self._binding)

    def page(self, names: frozenset[str] | None, after: PageCursor | None, limit: int) -> list[Gallery]:
        query = _IN_ORDER.limit(limit)
        if names is not None:
            query = query.where(galleries.c.name.in_(sorted(names)))
        if after is not None:
            query = query.where(tuple_(*_ORDER) > (after.created_at, after.id))
        return [to_gallery(row, self._binding) for row in self._connection.execute(query)]

    def all(self) -> list[Gallery]:
        return [to_gallery(row, self._binding) for row in self._connection.execute(_IN_ORDER)]

    def configure(self, gallery: Gallery) -> None:
        changed = update(galleries).filter_by(uuid=gallery.uuid)
        self._connection.execute(
            changed.values(
                policy=gallery.policy,
                fingerprint_dpi=gallery.fingerprint_dpi,
                binding=self._binding.made("galleries", _values(gallery)),
            )
        )

    def set_wrapped_key(self, gallery_uuid: UUID, wrapped_key: bytes) -> None:
        self._connection.execute(
            update(galleries).filter_by(uuid=gallery_uuid).values(wrapped_key=wrapped_key)
        )

    def remove(self, gallery_uuid: UUID) -> None:
        note_erasure(self._connection)
        # This lock lets enrollments under way commit first, so that their answers are among those that go.
        locked = update(galleries).filter_by(uuid=gallery_uuid).values(revision=galleries.c.revision)
        in_it = select(subjects.c.uuid).where(subjects.c.gallery_uuid == gallery_uuid)
        self._connection.execute(locked)
        self._connection.execute(delete(idempotency_keys).where(idempotency_keys.c.subject_uuid.in_(in_it)))
        self._connection.execute(delete(galleries).filter_by(uuid=gallery_uuid))

    def revision(self, gallery_uuid: UUID) -> int | None:
        return self._connection.scalar(select(galleries.c.revision).filter_by(uuid=gallery_uuid))

    def revisions(self) -> dict[UUID, int]:
        rows = self._connection.execute(_REVISIONS)
        return {row.uuid: row.revision for row in rows}

    def counts(self, gallery_uuid: UUID) -> tuple[int, int]:
        subjects_in = select(func.count()).select_from(subjects).filter_by(gallery_uuid=gallery_uuid)
        references_in = (
            select(func.count())
            .select_from(biometric_references.join(subjects))
            .where(subjects.c.gallery_uuid == gallery_uuid)
        )
        return self._connection.scalar(subjects_in) or 0, self._connection.scalar(references_in) or 0

    def has_more_subjects_than(self, gallery_uuid: UUID, limit: int) -> bool:
        wanted = {"gallery": gallery_uuid, "enough": limit + 1}
        return bool(self._connection.execute(_COUNT_UP_TO, wanted).scalar_one() > limit)


def to_gallery(row: Row[Any], binding: RowBinding) -> Gallery:
    """A gallery; under another policy than it had if what is stored is none, and then not intact."""
    said = gallery_values(row.uuid, row.name, row.policy, row.fingerprint_dpi, row.created_at)
    intact = binding.checked("galleries", row.name, said, row.binding)
    return Gallery(
        uuid=row.uuid,
        name=row.name,
        policy=row.policy or CalibratedPolicy(),
        revision=row.revision,
        wrapped_key=row.wrapped_key,
        created_at=row.created_at,
        fingerprint_dpi=row.fingerprint_dpi,
        intact=intact and row.policy is not None,
    )


def _values(gallery: Gallery) -> tuple[Any, ...]:
    return gallery_values(
        gallery.uuid, gallery.name, gallery.policy, gallery.fingerprint_dpi, gallery.created_at
    )
