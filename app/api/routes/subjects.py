"""`/subjects`: who is enrolled, and erasure."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import AfterValidator, BeforeValidator

from app.api.cursors import decode_cursor, encode_cursor
from app.api.deps import TheServices
from app.api.idempotency import Idempotent, response_of
from app.api.openapi import WITH_SCOPE, problems
from app.api.schemas.base import SUBJECT_ID_SCHEMA
from app.api.schemas.lists import GalleryPageQuery, GalleryQuery
from app.api.schemas.subjects import (
    ReferenceAnswer,
    ReferenceListAnswer,
    SubjectAnswer,
    SubjectDetailAnswer,
    SubjectListAnswer,
)
from app.api.security import Caller, allowed
from app.domain.errors import ReferenceNotFoundError, SubjectNotFoundError
from app.domain.subjects import Scope, is_subject_id

router = APIRouter(tags=["subjects"])


def _subject_name(text: str) -> str:
    """What cannot be a name cannot be found either."""
    if not is_subject_id(text):
        raise SubjectNotFoundError("There is no such subject.")
    return text


def _reference_id(text: str) -> UUID:
    """Raises `ReferenceNotFoundError` for what cannot be the id of one."""
    try:
        reference_id = UUID(text)
    except ValueError:
        reference_id = None
    if reference_id is None or str(reference_id) != text.lower():
        raise ReferenceNotFoundError("There is no such reference.")
    return reference_id


SubjectId = Annotated[
    str,
    AfterValidator(_subject_name),
    Path(
        description="The subject; what a URL reserves is percent-encoded.",
        json_schema_extra={**SUBJECT_ID_SCHEMA, "examples": ["operator-17"]},
    ),
]
ReferenceId = Annotated[
    UUID,
    BeforeValidator(_reference_id),
    Path(description="The reference.", examples=["01932f3a-7c1e-7b7a-9d5e-0f6c2f9d7a10"]),
]


@router.get(
    "/subjects",
    summary="List the subjects of a gallery",
    dependencies=allowed(Scope.READ),
    responses=problems(*WITH_SCOPE, "gallery_not_found"),
)
async def list_subjects(
    query: Annotated[GalleryPageQuery, Query()], caller: Caller, services: TheServices
) -> SubjectListAnswer:
    """In order of enrollment."""
    gallery = query.gallery or caller.home_gallery
    after = decode_cursor(query.cursor, path="/subjects", gallery=gallery)
    page = await services.executor.run(
        lambda: services.directory.subjects(caller, gallery, after, query.limit)
    )
    items = [SubjectAnswer.of(subject, gallery) for subject in page.items]
    following = encode_cursor(page.next, path="/subjects", gallery=gallery)
    return SubjectListAnswer(items=items, next_cursor=following)


@router.get(
    "/subjects/{subject_id}",
    summary="Describe a subject",
    dependencies=allowed(Scope.READ),
    responses=problems(*WITH_SCOPE, "gallery_not_found", "subject_not_found"),
)
async def get_subject(
    subject_id: SubjectId, query: Annotated[GalleryQuery, Query()], caller: Caller, services: TheServices
) -> SubjectDetailAnswer:
    """Metadata only, never a vector."""
    gallery = query.gallery or caller.home_gallery
    view = await services.executor.run(lambda: services.directory.subject(caller, gallery, subject_id))
    return SubjectDetailAnswer.of_view(view, gallery)


@router.delete(
    "/subjects/{subject_id}",
    summary="Erase a subject",
    status_code=204,
    dependencies=allowed(Scope.ERASE),
    responses=problems(*WITH_SCOPE, "gallery_not_found", "subject_not_found", "idempotency_key_reused"),
)
async def erase_subject(
    subject_id: SubjectId,
    query: Annotated[GalleryQuery, Query()],
    idempotent: Idempotent,
    caller: Caller,
    services: TheServices,
) -> Response:
    """Deletes rows, index entries, stored answers and the data key; backups keep theirs."""
    gallery = query.gallery or caller.home_gallery
    answer = await services.executor.run(
        lambda: services.erasure.erase_subject(caller, gallery, subject_id, idempotent=idempotent)
    )
    return response_of(answer)


@router.get(
    "/subjects/{subject_id}/references",
    summary="List the references of a subject",
    dependencies=allowed(Scope.READ),
    responses=problems(*WITH_SCOPE, "gallery_not_found", "subject_not_found"),
)
async def list_references(
    subject_id: SubjectId, query: Annotated[GalleryPageQuery, Query()], caller: Caller, services: TheServices
) -> ReferenceListAnswer:
    """In order of enrollment; metadata only."""
    gallery = query.gallery or caller.home_gallery
    path = f"/subjects/{subject_id}/references"
    after = decode_cursor(query.cursor, path=path, gallery=gallery)
    page = await services.executor.run(
        lambda: services.directory.references(caller, gallery, subject_id, after, query.limit)
    )
    items = [ReferenceAnswer.of(reference) for reference in page.items]
    following = encode_cursor(page.next, path=path, gallery=gallery)
    return ReferenceListAnswer(items=items, next_cursor=following)


@router.delete(
    "/subjects/{subject_id}/references/{reference_id}",
    summary="Erase one reference",
    status_code=204,
    dependencies=allowed(Scope.ERASE),
    responses=problems(
        *WITH_SCOPE, "gallery_not_found", "subject_not_found", "reference_not_found", "idempotency_key_reused"
    ),
)
async def erase_reference(
    *,
    subject_id: SubjectId,
    reference_id: ReferenceId,
    query: Annotated[GalleryQuery, Query()],
    idempotent: Idempotent,
    caller: Caller,
    services: TheServices,
) -> Response:
    """The subject's template is pooled anew from the references that stay."""
    gallery = query.gallery or caller.home_gallery
    answer = await services.executor.run(
        lambda: services.erasure.erase_reference(
            caller, gallery, subject_id, reference_id, idempotent=idempotent
        )
    )
    return response_of(answer)
