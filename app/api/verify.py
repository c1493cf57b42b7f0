"""``POST /verify``: is this who they claim to be?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter

from app.api.calls import Call, DirectRoute, answer, endpoint
from app.api.openapi import CAPTURE_CODES, operation
from app.api.schemas.decisions import VerifyAnswer, decision_fields
from app.api.schemas.verify import VerifyBody
from app.domain.subjects import Scope

if TYPE_CHECKING:
    from app.services.idempotency import Rendered

router = APIRouter(tags=["recognition"], route_class=DirectRoute)

COMPARISON_CODES = (
    *CAPTURE_CODES,
    "gallery_not_found",
    "not_comparable",
    "policy_looser",
    "policy_incomplete",
    "modality_unavailable",
    "fusion_unavailable",
    "index_not_ready",
)


@router.post(
    "/verify",
    **operation(
        summary="Compare a probe with one claimed subject",
        body=VerifyBody,
        answer=VerifyAnswer,
        scope=Scope.VERIFY,
        codes=(*COMPARISON_CODES, "subject_not_found"),
    ),
)
@endpoint(Scope.VERIFY, reads_body=True)
def verify(call: Call) -> Rendered:
    """A non-match is an answer with status 200."""
    decision = call.services.verification.verify(call.caller, call.body(VerifyBody).to_domain())
    call.decided("verify", decision.decision)
    return answer(
        VerifyAnswer(
            **decision_fields(decision),
            processing_ms=call.processing_ms(),
            transaction_id=call.transaction_id,
        )
    )
