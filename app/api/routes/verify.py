"""`POST /verify`: is this who they claim to be?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from app.api.bodies import WITH_RECORDINGS, JsonBody
from app.api.deps import TheServices
from app.api.openapi import COMPARISON_CODES, WITH_BODY, WITH_SCOPE, problems
from app.api.schemas.decisions import VerifyAnswer, decision_fields
from app.api.schemas.verify import VerifyBody
from app.api.security import Caller, allowed
from app.api.transactions import ThisTransaction
from app.domain.subjects import Scope

router = APIRouter(tags=["recognition"])


@router.post(
    "/verify",
    summary="Compare a probe with one claimed subject",
    dependencies=allowed(Scope.VERIFY),
    responses=problems(
        *WITH_SCOPE, *WITH_BODY, *COMPARISON_CODES, "subject_not_found", "fingerprint_mirrored"
    ),
)
async def verify(
    body: Annotated[VerifyBody, Depends(JsonBody(VerifyBody, WITH_RECORDINGS))],
    caller: Caller,
    services: TheServices,
    transaction: ThisTransaction,
) -> VerifyAnswer:
    """A non-match is an answer with status 200."""
    decision = await services.executor.run(
        lambda: services.verification.verify(caller, body.to_domain(caller.home_gallery))
    )
    transaction.decided("verify", decision.decision)
    return VerifyAnswer(
        **decision_fields(decision),
        processing_ms=transaction.processing_ms(),
        transaction_id=transaction.id,
    )
