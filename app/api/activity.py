"""``POST /activity``: what is the wearer doing?"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from fastapi import APIRouter

from app.api.calls import Call, DirectRoute, answer, endpoint
from app.api.openapi import SIGNAL_CODES, operation
from app.api.schemas.activity import ActivityAnswer, ActivityBody
from app.domain.subjects import Scope

if TYPE_CHECKING:
    from app.domain.activity import Pieces
    from app.services.idempotency import Rendered

router = APIRouter(tags=["recognition"], route_class=DirectRoute)


@router.post(
    "/activity",
    **operation(
        summary="Recognise activities in an ECG",
        body=ActivityBody,
        answer=ActivityAnswer,
        scope=Scope.ACTIVITY,
        codes=(*SIGNAL_CODES, "modality_unavailable"),
    ),
)
@endpoint(Scope.ACTIVITY, reads_body=True, max_body_bytes=attrgetter("max_activity_body_bytes"))
def activity(call: Call) -> Pieces[Rendered]:
    """A timeline of one strip of up to an hour: above 120 s in base64, and all within the largest body.

    Int16 at 500 Hz fits for an hour. Nothing is stored, of `rest` neither. Without an activity bundle the
    answer is `modality_unavailable`.
    """
    body = call.body(ActivityBody)
    timeline = yield from call.services.activity.recognise(*body.to_domain())
    return answer(ActivityAnswer.of(timeline))
