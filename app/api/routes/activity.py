"""`POST /activity`: what is the wearer doing?"""

from __future__ import annotations

from operator import attrgetter
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.requests import ClientDisconnect

from app.api.bodies import JsonBody
from app.api.deps import TheServices
from app.api.openapi import SIGNAL_CODES, WITH_BODY, WITH_SCOPE, problems
from app.api.schemas.activity import ActivityAnswer, ActivityBody
from app.api.security import allowed
from app.domain.subjects import Scope

router = APIRouter(tags=["recognition"])

_activity_body = JsonBody(ActivityBody, attrgetter("max_activity_body_bytes"))


@router.post(
    "/activity",
    summary="Recognize activities in an ECG",
    dependencies=allowed(Scope.ACTIVITY),
    responses=problems(*WITH_SCOPE, *WITH_BODY, *SIGNAL_CODES, "modality_unavailable"),
)
async def recognize_activities(
    request: Request, body: Annotated[ActivityBody, Depends(_activity_body)], services: TheServices
) -> ActivityAnswer:
    """A timeline of one strip of up to an hour: above 120 s in base64, and all within the largest body.

    Int16 at 500 Hz fits for an hour. Nothing is stored, of `rest` neither. Without an activity bundle the
    answer is `modality_unavailable`.
    """

    async def stop_if_client_left() -> None:
        if await request.is_disconnected():
            raise ClientDisconnect

    # May take seconds: in pieces, others get their turn between them.
    pieces = services.activity.recognize(*body.to_domain())
    return ActivityAnswer.of(await services.executor.run_in_pieces(pieces, stop_if_client_left))
