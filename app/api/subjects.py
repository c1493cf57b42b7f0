"""``/subjects``: who is enrolled, and erasure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import APIRouter

from app.api.calls import Call, DirectRoute, answer, endpoint
from app.api.cursors import decode_cursor, encode_cursor
from app.api.openapi import operation
from app.api.schemas.lists import GalleryPageQuery, GalleryQuery
from app.api.schemas.subjects import (
    ReferenceAnswer,
    ReferenceListAnswer,
    SubjectAnswer,
    SubjectDetailAnswer,
    SubjectListAnswer,
)
from app.domain.errors import ReferenceNotFoundError, SubjectNotFoundError
from app.domain.subjects import Scope

if TYPE_CHECKING:
    from app.services.idempotency import Rendered

router = APIRouter(tags=["subjects"], route_class=DirectRoute)

NO_SUBJECT = "There is no such subject."
NO_REFERENCE = "There is no such reference."


@router.get(
    "/subjects",
    **operation(
        summary="List the subjects of a gallery",
        query=GalleryPageQuery,
        answer=SubjectListAnswer,
        scope=Scope.READ,
        codes=("gallery_not_found",),
    ),
)
@endpoint(Scope.READ)
def list_subjects(call: Call) -> Rendered:
    """In order of enrollment."""
    query = call.query(GalleryPageQuery)
    after = decode_cursor(query.cursor, path="/subjects", gallery=query.gallery)
    page = call.services.directory.subjects(call.caller, query.gallery, after, query.limit)
    items = [SubjectAnswer.of(subject, query.gallery) for subject in page.items]
    following = encode_cursor(page.next, path="/subjects", gallery=query.gallery)
    return answer(SubjectListAnswer(items=items, next_cursor=following))


@router.get(
    "/subjects/{subject_id}",
    **operation(
        summary="Describe a subject",
        path=("subject_id",),
        query=GalleryQuery,
        answer=SubjectDetailAnswer,
        scope=Scope.READ,
        codes=("gallery_not_found", "subject_not_found"),
    ),
)
@endpoint(Scope.READ)
def get_subject(call: Call) -> Rendered:
    """Metadata only, never a vector."""
    subject_id = call.path_name("subject_id", SubjectNotFoundError, NO_SUBJECT)
    gallery = call.query(GalleryQuery).gallery
    view = call.services.directory.subject(call.caller, gallery, subject_id)
    return answer(SubjectDetailAnswer.of_view(view, gallery))


@router.delete(
    "/subjects/{subject_id}",
    **operation(
        summary="Erase a subject",
        path=("subject_id",),
        query=GalleryQuery,
        answer=None,
        status=204,
        scope=Scope.ERASE,
        codes=("gallery_not_found", "subject_not_found"),
        idempotent=True,
    ),
)
@endpoint(Scope.ERASE)
def erase_subject(call: Call) -> Rendered:
    """Rows, index entries, stored answers and the data key: nothing of the subject stays."""
    subject_id = call.path_name("subject_id", SubjectNotFoundError, NO_SUBJECT)
    gallery = call.query(GalleryQuery).gallery
    return call.services.erasure.erase_subject(call.caller, gallery, subject_id, idempotent=call.idempotent())


@router.get(
    "/subjects/{subject_id}/references",
    **operation(
        summary="List the references of a subject",
        path=("subject_id",),
        query=GalleryPageQuery,
        answer=ReferenceListAnswer,
        scope=Scope.READ,
        codes=("gallery_not_found", "subject_not_found"),
    ),
)
@endpoint(Scope.READ)
def list_references(call: Call) -> Rendered:
    """In order of enrollment; metadata only."""
    subject_id = call.path_name("subject_id", SubjectNotFoundError, NO_SUBJECT)
    query = call.query(GalleryPageQuery)
    path = f"/subjects/{subject_id}/references"
    after = decode_cursor(query.cursor, path=path, gallery=query.gallery)
    page = call.services.directory.references(call.caller, query.gallery, subject_id, after, query.limit)
    items = [ReferenceAnswer.of(reference) for reference in page.items]
    following = encode_cursor(page.next, path=path, gallery=query.gallery)
    return answer(ReferenceListAnswer(items=items, next_cursor=following))


@router.delete(
    "/subjects/{subject_id}/references/{reference_id}",
    **operation(
        summary="Erase one reference",
        path=("subject_id", "reference_id"),
        query=GalleryQuery,
        answer=None,
        status=204,
        scope=Scope.ERASE,
        codes=("gallery_not_found", "subject_not_found", "reference_not_found"),
        idempotent=True,
    ),
)
@endpoint(Scope.ERASE)
def erase_reference(call: Call) -> Rendered:
    """The subject's template is pooled anew from the references that stay."""
    subject_id = call.path_name("subject_id", SubjectNotFoundError, NO_SUBJECT)
    gallery = call.query(GalleryQuery).gallery
    return call.services.erasure.erase_reference(
        call.caller, gallery, subject_id, _reference_id(call), idempotent=call.idempotent()
    )


def _reference_id(call: Call) -> UUID:
    """Raises ``ReferenceNotFoundError`` for what cannot be the id of one."""
    text: str = call.request.path_params["reference_id"]
    try:
        reference_id = UUID(text)
    except ValueError:
        raise ReferenceNotFoundError(NO_REFERENCE) from None
    if str(reference_id) != text.lower():
        raise ReferenceNotFoundError(NO_REFERENCE)
    return reference_id
