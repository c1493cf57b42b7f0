"""`/galleries`: the units of isolation."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import AfterValidator

from app.api.bodies import JsonBody
from app.api.cursors import decode_cursor, encode_cursor
from app.api.deps import TheServices
from app.api.openapi import WITH_BODY, WITH_SCOPE, problems
from app.api.schemas.base import NAME_PATTERN
from app.api.schemas.galleries import GalleryAnswer, GalleryBody, GalleryListAnswer, GalleryPolicyBody
from app.api.schemas.lists import PageQuery
from app.api.security import Caller, allowed
from app.domain.errors import GalleryNotFoundError
from app.domain.subjects import Scope, is_name

router = APIRouter(tags=["galleries"])


def _gallery_name(text: str) -> str:
    """What cannot be a name cannot be found either."""
    if not is_name(text):
        raise GalleryNotFoundError("There is no such gallery.")
    return text


GalleryName = Annotated[
    str,
    AfterValidator(_gallery_name),
    Path(description="The gallery.", json_schema_extra={"pattern": NAME_PATTERN, "examples": ["plant-3"]}),
]


@router.get(
    "/galleries",
    summary="List the galleries that the caller may see",
    dependencies=allowed(Scope.READ),
    responses=problems(*WITH_SCOPE),
)
async def list_galleries(
    query: Annotated[PageQuery, Query()], caller: Caller, services: TheServices
) -> GalleryListAnswer:
    """In order of their making."""
    after = decode_cursor(query.cursor, path="/galleries", gallery="")
    page = await services.executor.run(lambda: services.galleries.page(caller, after, query.limit))
    items = [GalleryAnswer.of(view) for view in page.items]
    following = encode_cursor(page.next, path="/galleries", gallery="")
    return GalleryListAnswer(items=items, next_cursor=following)


@router.post(
    "/galleries",
    summary="Create a gallery",
    status_code=201,
    dependencies=allowed(Scope.ADMIN),
    responses=problems(*WITH_SCOPE, *WITH_BODY, "gallery_exists"),
)
async def create_gallery(
    body: Annotated[GalleryBody, Depends(JsonBody(GalleryBody))], caller: Caller, services: TheServices
) -> GalleryAnswer:
    """Needs a key that is granted all galleries."""
    policy = body.policy.to_domain() if body.policy else None
    made = await services.executor.run(
        lambda: services.galleries.create(caller, body.name, policy, fingerprint_dpi=body.fingerprint_dpi)
    )
    return GalleryAnswer.of(made)


@router.get(
    "/galleries/{name}",
    summary="Describe a gallery and its correction",
    dependencies=allowed(Scope.READ),
    responses=problems(*WITH_SCOPE, "gallery_not_found"),
)
async def get_gallery(name: GalleryName, caller: Caller, services: TheServices) -> GalleryAnswer:
    """Map, pairs and measured over nominal rate; possible duplicates for admins."""
    return GalleryAnswer.of(await services.executor.run(lambda: services.galleries.get(caller, name)))


@router.put(
    "/galleries/{name}",
    summary="Replace a gallery's policy and defaults",
    dependencies=allowed(Scope.ADMIN),
    responses=problems(*WITH_SCOPE, *WITH_BODY, "gallery_not_found"),
)
async def set_gallery_policy(
    name: GalleryName,
    body: Annotated[GalleryPolicyBody, Depends(JsonBody(GalleryPolicyBody))],
    caller: Caller,
    services: TheServices,
) -> GalleryAnswer:
    """Decisions made from now on follow it."""
    policy = body.policy.to_domain()
    changed = await services.executor.run(
        lambda: services.galleries.configure(caller, name, policy, fingerprint_dpi=body.fingerprint_dpi)
    )
    return GalleryAnswer.of(changed)


@router.post(
    "/galleries/{name}/renew",
    summary="Draw a new transform and renew all templates",
    status_code=202,
    response_class=Response,
    dependencies=allowed(Scope.ADMIN),
    responses=problems(*WITH_SCOPE, "gallery_not_found"),
)
async def renew_gallery(name: GalleryName, caller: Caller, services: TheServices) -> Response:
    """New templates cannot be compared with those of before; no new capture is needed."""
    await services.executor.run(lambda: services.galleries.renew(caller, name))
    return Response(status_code=202)


@router.delete(
    "/galleries/{name}",
    summary="Delete a gallery and erase all in it",
    status_code=204,
    dependencies=allowed(Scope.ADMIN),
    responses=problems(*WITH_SCOPE, "gallery_not_found"),
)
async def delete_gallery(name: GalleryName, caller: Caller, services: TheServices) -> None:
    """Needs a key that is granted all galleries."""
    await services.executor.run(lambda: services.galleries.delete(caller, name))
