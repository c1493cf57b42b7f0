"""``/galleries``: the units of isolation."""

from __future__ import annotations

from fastapi import APIRouter

from app.api.calls import Call, DirectRoute, answer, endpoint
from app.api.cursors import decode_cursor, encode_cursor
from app.api.openapi import operation
from app.api.schemas.galleries import GalleryAnswer, GalleryBody, GalleryListAnswer, GalleryPolicyBody
from app.api.schemas.lists import NoQuery, PageQuery
from app.domain.errors import GalleryNotFoundError
from app.domain.subjects import Scope
from app.services.idempotency import Rendered

router = APIRouter(tags=["galleries"], route_class=DirectRoute)

NO_GALLERY = "There is no such gallery."


@router.get(
    "/galleries",
    **operation(
        summary="List the galleries that the caller may see",
        query=PageQuery,
        answer=GalleryListAnswer,
        scope=Scope.READ,
    ),
)
@endpoint(Scope.READ)
def list_galleries(call: Call) -> Rendered:
    """In order of their making."""
    query = call.query(PageQuery)
    after = decode_cursor(query.cursor, path="/galleries", gallery="")
    page = call.services.galleries.page(call.caller, after, query.limit)
    items = [GalleryAnswer.of(view) for view in page.items]
    following = encode_cursor(page.next, path="/galleries", gallery="")
    return answer(GalleryListAnswer(items=items, next_cursor=following))


@router.post(
    "/galleries",
    **operation(
        summary="Create a gallery",
        body=GalleryBody,
        answer=GalleryAnswer,
        status=201,
        scope=Scope.ADMIN,
        codes=("gallery_exists",),
    ),
)
@endpoint(Scope.ADMIN, reads_body=True)
def create_gallery(call: Call) -> Rendered:
    """Needs a key that is granted all galleries."""
    body = call.body(GalleryBody)
    policy = body.policy.to_domain() if body.policy else None
    return answer(GalleryAnswer.of(call.services.galleries.create(call.caller, body.name, policy)), 201)


@router.get(
    "/galleries/{name}",
    **operation(
        summary="Describe a gallery and its correction",
        path=("name",),
        answer=GalleryAnswer,
        scope=Scope.READ,
        codes=("gallery_not_found",),
    ),
)
@endpoint(Scope.READ)
def get_gallery(call: Call) -> Rendered:
    """Map, pairs and measured over nominal rate; possible duplicates for admins."""
    name = _checked_name(call)
    return answer(GalleryAnswer.of(call.services.galleries.get(call.caller, name)))


@router.put(
    "/galleries/{name}",
    **operation(
        summary="Replace a gallery's policy",
        path=("name",),
        body=GalleryPolicyBody,
        answer=GalleryAnswer,
        scope=Scope.ADMIN,
        codes=("gallery_not_found",),
    ),
)
@endpoint(Scope.ADMIN, reads_body=True)
def set_policy(call: Call) -> Rendered:
    """Decisions made from now on follow it."""
    name = _checked_name(call)
    policy = call.body(GalleryPolicyBody).policy.to_domain()
    return answer(GalleryAnswer.of(call.services.galleries.set_policy(call.caller, name, policy)))


@router.post(
    "/galleries/{name}/renew",
    **operation(
        summary="Draw a new transform and renew all templates",
        path=("name",),
        answer=None,
        status=202,
        scope=Scope.ADMIN,
        codes=("gallery_not_found",),
    ),
)
@endpoint(Scope.ADMIN)
def renew(call: Call) -> Rendered:
    """Templates stolen before are worth nothing after; no new capture is needed."""
    name = _checked_name(call)
    call.services.galleries.renew(call.caller, name)
    return Rendered(202, b"")


@router.delete(
    "/galleries/{name}",
    **operation(
        summary="Delete a gallery and erase all in it",
        path=("name",),
        answer=None,
        status=204,
        scope=Scope.ADMIN,
        codes=("gallery_not_found",),
    ),
)
@endpoint(Scope.ADMIN)
def delete_gallery(call: Call) -> Rendered:
    """Needs a key that is granted all galleries."""
    name = _checked_name(call)
    call.services.galleries.delete(call.caller, name)
    return Rendered(204, b"")


def _checked_name(call: Call) -> str:
    """The gallery in the path; these calls know no query parameter."""
    name = call.path_name("name", GalleryNotFoundError, NO_GALLERY)
    call.query(NoQuery)
    return name
