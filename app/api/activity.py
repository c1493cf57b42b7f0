"""``POST /activity``: what is the wearer doing?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter

from app.api.calls import Call, DirectRoute, answer, endpoint
from app.api.openapi import SIGNAL_CODES, operation
from app.api.schemas.activity import ActivityAnswer, ActivityBody
from app.domain.subjects import Scope

if TYPE_CHECKING:
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
@endpoint(Scope.ACTIVITY, reads_body=True)
def activity(call: Call) -> Rendered:
    """One strip of up to an hour; ``modality_unavailable`` until an activity bundle is installed."""
    recording = call.body(ActivityBody).recording.to_domain()
    return answer(ActivityAnswer.of(call.services.activity.recognise(call.caller, recording)))
