"""Erasure is real: row, references, data key, index entry and stored answers go."""

from __future__ import annotations

from uuid import UUID

from app.domain.errors import ReferenceNotFoundError, SubjectNotFoundError
from app.domain.ports.store import Store
from app.domain.subjects import ApiClient, Scope
from app.services.access import found_subject, granted_gallery
from app.services.idempotency import AnswerLog, IdempotentRequest, Rendered

_ERASED = Rendered(204, b"")


class ErasureService:
    """Erases subjects and single references; every index follows through the feed."""

    def __init__(self, store: Store, answers: AnswerLog) -> None:
        self._store = store
        self._answers = answers

    def erase_subject(
        self,
        caller: ApiClient,
        gallery: str,
        subject_id: str,
        *,
        idempotent: IdempotentRequest | None = None,
    ) -> Rendered:
        """Raises `GalleryNotFoundError`, `SubjectNotFoundError`."""

        def erase() -> Rendered:
            with self._store.writing() as uow:
                found = granted_gallery(uow, caller, gallery, damaged_too=True)
                subject = found_subject(uow, found, subject_id, damaged_too=True)
                uow.changes.record(found.uuid, [subject.uuid])
                uow.subjects.remove(subject.uuid)
                self._answers.keep(uow, idempotent, _ERASED, None)
            return _ERASED

        return self._answers.once(idempotent, erase)

    def erase_reference(
        self,
        caller: ApiClient,
        gallery: str,
        subject_id: str,
        reference_id: UUID,
        *,
        idempotent: IdempotentRequest | None = None,
    ) -> Rendered:
        """Erase it.

        Without the scope `read`, an unknown subject is as a known one without this reference.

        Raises:
            GalleryNotFoundError, SubjectNotFoundError, ReferenceNotFoundError: What is absent.
        """

        def erase() -> Rendered:
            with self._store.writing() as uow:
                found = granted_gallery(uow, caller, gallery, damaged_too=True)
                try:
                    subject = found_subject(uow, found, subject_id, damaged_too=True)
                except SubjectNotFoundError:
                    if Scope.READ in caller.scopes:
                        raise
                    raise _no_such_reference() from None
                if uow.references.get(subject.uuid, reference_id) is None:
                    raise _no_such_reference()
                uow.changes.record(found.uuid, [subject.uuid])
                uow.references.remove(reference_id)
                self._answers.keep(uow, idempotent, _ERASED, None)
            return _ERASED

        return self._answers.once(idempotent, erase)


def _no_such_reference() -> ReferenceNotFoundError:
    return ReferenceNotFoundError("There is no such reference of this subject.")
