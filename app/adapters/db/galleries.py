"""Galleries and their policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, func, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from app.adapters.db.faults import is_unique_violation
from app.adapters.db.rows import biometric_references, galleries, idempotency_keys, subjects
from app.domain.errors import ConflictError
from app.domain.policies import CalibratedPolicy, DistancePolicy, DistanceRule, Metric, Policy
from app.domain.ports import PageCursor
from app.domain.references import Modality
from app.domain.subjects import Gallery

_COLUMNS = (
    galleries.c.uuid,
    galleries.c.name,
    galleries.c.policy,
    galleries.c.revision,
    galleries.c.wrapped_key,
    galleries.c.created_at,
)
_INSERT = insert(galleries)
_BY_NAME = select(*_COLUMNS).where(galleries.c.name == bindparam("wanted"))
_BY_UUID = select(*_COLUMNS).where(galleries.c.uuid == bindparam("wanted"))
_IN_ORDER = select(*_COLUMNS).order_by(galleries.c.created_at, galleries.c.uuid)
_REVISION = select(galleries.c.revision).where(galleries.c.uuid == bindparam("wanted"))
_SUBJECTS = select(func.count()).select_from(subjects).where(subjects.c.gallery_uuid == bindparam("wanted"))
_REFERENCES = (
    select(func.count())
    .select_from(biometric_references.join(subjects))
    .where(subjects.c.gallery_uuid == bindparam("wanted"))
)


class SqlGalleries:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, gallery: Gallery) -> None:
        row = {
            "uuid": gallery.uuid,
            "name": gallery.name,
            "policy": policy_to_json(gallery.policy),
            "revision": gallery.revision,
            "pruned_revision": 0,
            "wrapped_key": gallery.wrapped_key,
            "created_at": gallery.created_at,
        }
        try:
            self._connection.execute(_INSERT, row)
        except IntegrityError as error:
            if not is_unique_violation(error):
                raise
            raise ConflictError("A gallery of this name exists.", code="gallery_exists") from None

    def by_name(self, name: str) -> Gallery | None:
        return _gallery(self._connection.execute(_BY_NAME, {"wanted": name}).one_or_none())

    def by_uuid(self, gallery_uuid: UUID) -> Gallery | None:
        return _gallery(self._connection.execute(_BY_UUID, {"wanted": gallery_uuid}).one_or_none())

    def page(self, names: frozenset[str] | None, after: PageCursor | None, limit: int) -> list[Gallery]:
        query = _IN_ORDER.limit(limit)
        if names is not None:
            query = query.where(galleries.c.name.in_(sorted(names)))
        if after is not None:
            query = query.where(
                tuple_(galleries.c.created_at, galleries.c.uuid) > tuple_(after.created_at, after.id)
            )
        return [_to_gallery(row) for row in self._connection.execute(query)]

    def all(self) -> list[Gallery]:
        return [_to_gallery(row) for row in self._connection.execute(_IN_ORDER)]

    def set_policy(self, gallery_uuid: UUID, policy: Policy) -> None:
        self._update(gallery_uuid, policy=policy_to_json(policy))

    def set_wrapped_key(self, gallery_uuid: UUID, wrapped_key: bytes) -> None:
        self._update(gallery_uuid, wrapped_key=wrapped_key)

    def remove(self, gallery_uuid: UUID) -> None:
        of_gallery = select(subjects.c.uuid).where(subjects.c.gallery_uuid == gallery_uuid)
        self._connection.execute(
            delete(idempotency_keys).where(idempotency_keys.c.subject_uuid.in_(of_gallery))
        )
        self._connection.execute(delete(galleries).where(galleries.c.uuid == gallery_uuid))

    def revision(self, gallery_uuid: UUID) -> int | None:
        revision: int | None = self._connection.scalar(_REVISION, {"wanted": gallery_uuid})
        return revision

    def counts(self, gallery_uuid: UUID) -> tuple[int, int]:
        wanted = {"wanted": gallery_uuid}
        return (
            self._connection.execute(_SUBJECTS, wanted).scalar_one(),
            self._connection.execute(_REFERENCES, wanted).scalar_one(),
        )

    def _update(self, gallery_uuid: UUID, **values: object) -> None:
        self._connection.execute(update(galleries).where(galleries.c.uuid == gallery_uuid).values(**values))


def _gallery(row: Sequence[Any] | None) -> Gallery | None:
    return None if row is None else _to_gallery(row)


def _to_gallery(row: Sequence[Any]) -> Gallery:
    uuid, name, policy, revision, wrapped_key, created_at = row
    return Gallery(
        uuid=uuid,
        name=name,
        policy=policy_from_json(policy),
        revision=revision,
        wrapped_key=wrapped_key,
        created_at=created_at,
    )


def policy_to_json(policy: Policy) -> dict[str, Any]:
    """The policy as the column ``policy`` holds it."""
    if isinstance(policy, DistancePolicy):
        rules = {
            str(modality): {"metric": str(rule.metric), "max_distance": rule.max_distance}
            for modality, rule in policy.rules.items()
        }
        return {"kind": "distance", "rules": rules}
    return {
        "kind": "calibrated",
        "fmr": policy.fmr,
        "fpir": policy.fpir,
        "required": sorted(str(modality) for modality in policy.required),
        "min_quality": policy.min_quality,
    }


def policy_from_json(stored: Mapping[str, Any]) -> Policy:
    """Inverse of ``policy_to_json``."""
    if stored["kind"] == "distance":
        return DistancePolicy(
            rules={
                Modality(modality): DistanceRule(Metric(rule["metric"]), rule["max_distance"])
                for modality, rule in stored["rules"].items()
            }
        )
    return CalibratedPolicy(
        fmr=stored["fmr"],
        fpir=stored["fpir"],
        required=frozenset(Modality(modality) for modality in stored["required"]),
        min_quality=stored["min_quality"],
    )
