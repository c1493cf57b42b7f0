"""Galleries and their policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import String, bindparam, delete, func, insert, select, tuple_, update

from app.adapters.db.faults import DRIVER_INTEGRITY_ERRORS, is_unique_violation
from app.adapters.db.statements import Statement, Transaction
from app.adapters.db.tables import biometric_references, galleries, idempotency_keys, subjects
from app.domain.errors import ConflictError
from app.domain.policies import CalibratedPolicy, DistancePolicy, DistanceRule, Metric, Policy
from app.domain.ports import PageCursor
from app.domain.references import Modality
from app.domain.subjects import Gallery

GALLERY_COLUMNS = (
    galleries.c.uuid,
    galleries.c.name,
    galleries.c.policy,
    galleries.c.revision,
    galleries.c.wrapped_key,
    galleries.c.created_at,
)
_WANTED = galleries.c.uuid == bindparam("wanted")
_IN_ORDER = select(*GALLERY_COLUMNS).order_by(galleries.c.created_at, galleries.c.uuid)
_AFTER = tuple_(galleries.c.created_at, galleries.c.uuid) > tuple_(
    bindparam("after_time", type_=galleries.c.created_at.type),
    bindparam("after_uuid", type_=galleries.c.uuid.type),
)
_SUBJECTS_OF = select(subjects.c.uuid).where(subjects.c.gallery_uuid == bindparam("wanted"))

_INSERT = Statement(insert(galleries))
_BY_NAME = Statement(select(*GALLERY_COLUMNS).where(galleries.c.name == bindparam("wanted")))
_BY_UUID = Statement(select(*GALLERY_COLUMNS).where(_WANTED))
_ALL = Statement(_IN_ORDER)
_SET_POLICY = Statement(update(galleries).where(_WANTED).values(policy=bindparam("new")))
_SET_KEY = Statement(update(galleries).where(_WANTED).values(wrapped_key=bindparam("new")))
# Enrollments under way commit first, so that their answers are among those that go.
_LOCK = Statement(update(galleries).where(_WANTED).values(revision=galleries.c.revision))
_REMOVE_ANSWERS = Statement(delete(idempotency_keys).where(idempotency_keys.c.subject_uuid.in_(_SUBJECTS_OF)))
_REMOVE = Statement(delete(galleries).where(_WANTED))
_REVISION = Statement(select(galleries.c.revision).where(_WANTED))
_SUBJECTS = Statement(
    select(func.count()).select_from(subjects).where(subjects.c.gallery_uuid == bindparam("wanted"))
)
_SUBJECTS_UP_TO = Statement(
    select(func.count()).select_from(
        select(subjects.c.uuid)
        .where(subjects.c.gallery_uuid == bindparam("wanted"))
        .limit(bindparam("enough"))
        .subquery()
    )
)
_REFERENCES = Statement(
    select(func.count())
    .select_from(biometric_references.join(subjects))
    .where(subjects.c.gallery_uuid == bindparam("wanted"))
)


class SqlGalleries:
    def __init__(self, within: Transaction) -> None:
        self._within = within

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
            _INSERT.run(self._within, row)
        except DRIVER_INTEGRITY_ERRORS as error:
            if not is_unique_violation(error):
                raise
            raise ConflictError("A gallery of this name exists.", code="gallery_exists") from None

    def by_name(self, name: str) -> Gallery | None:
        return _gallery(_BY_NAME.first(self._within, {"wanted": name}))

    def by_uuid(self, gallery_uuid: UUID) -> Gallery | None:
        return _gallery(_BY_UUID.first(self._within, {"wanted": gallery_uuid}))

    def page(self, names: frozenset[str] | None, after: PageCursor | None, limit: int) -> list[Gallery]:
        query, values = _IN_ORDER.limit(limit), {}
        if names is not None:
            if not names:
                return []
            some = [bindparam(f"name_{n}", name, String) for n, name in enumerate(sorted(names))]
            query = query.where(galleries.c.name.in_(some))
        if after is not None:
            query = query.where(_AFTER)
            values = {"after_time": after.created_at, "after_uuid": after.id}
        return [to_gallery(row) for row in Statement(query).rows(self._within, values)]

    def all(self) -> list[Gallery]:
        return [to_gallery(row) for row in _ALL.rows(self._within)]

    def set_policy(self, gallery_uuid: UUID, policy: Policy) -> None:
        _SET_POLICY.run(self._within, {"wanted": gallery_uuid, "new": policy_to_json(policy)})

    def set_wrapped_key(self, gallery_uuid: UUID, wrapped_key: bytes) -> None:
        _SET_KEY.run(self._within, {"wanted": gallery_uuid, "new": wrapped_key})

    def remove(self, gallery_uuid: UUID) -> None:
        self._within.erases = True
        _LOCK.run(self._within, {"wanted": gallery_uuid})
        _REMOVE_ANSWERS.run(self._within, {"wanted": gallery_uuid})
        _REMOVE.run(self._within, {"wanted": gallery_uuid})

    def revision(self, gallery_uuid: UUID) -> int | None:
        row = _REVISION.first(self._within, {"wanted": gallery_uuid})
        return None if row is None else row[0]

    def counts(self, gallery_uuid: UUID) -> tuple[int, int]:
        counted = [
            statement.rows(self._within, {"wanted": gallery_uuid})[0][0]
            for statement in (_SUBJECTS, _REFERENCES)
        ]
        return counted[0], counted[1]

    def has_more_subjects_than(self, gallery_uuid: UUID, limit: int) -> bool:
        found = _SUBJECTS_UP_TO.rows(self._within, {"wanted": gallery_uuid, "enough": limit + 1})
        return bool(found[0][0] > limit)


def _gallery(row: Sequence[Any] | None) -> Gallery | None:
    return None if row is None else to_gallery(row)


def to_gallery(row: Sequence[Any]) -> Gallery:
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
