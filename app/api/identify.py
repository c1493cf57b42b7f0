"""``POST /identify``: who is this?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter

from app.api.calls import Call, DirectRoute, answer, endpoint
from app.api.openapi import operation
from app.api.schemas.identify import IdentifyAnswer, IdentifyBody, identify_fields
from app.api.verify import COMPARISON_CODES
from app.domain.subjects import Scope

if TYPE_CHECKING:
    from app.services.idempotency import Rendered

router = APIRouter(tags=["recognition"], route_class=DirectRoute)


@router.post(
    "/identify",
    **operation(
        summary="Search a gallery for a probe",
        body=IdentifyBody,
        answer=IdentifyAnswer,
        scope=Scope.IDENTIFY,
        codes=COMPARISON_CODES,
    ),
)
@endpoint(Scope.IDENTIFY, reads_body=True)
def identify(call: Call) -> Rendered:
    """The decision is on the first candidate; others are listed with `read` and `read:scores`."""
    outcome = call.services.identification.identify(call.caller, call.body(IdentifyBody).to_domain())
    call.decided("identify", outcome.decision.decision)
    return answer(
        IdentifyAnswer(
            **identify_fields(outcome),
            processing_ms=call.processing_ms(),
            transaction_id=call.transaction_id,
        )
    )
