"""`POST /identify`: who is this?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from app.api.bodies import WITH_RECORDINGS, JsonBody
from app.api.deps import TheServices
from app.api.openapi import COMPARISON_CODES, WITH_BODY, WITH_SCOPE, problems
from app.api.schemas.identify import IdentifyAnswer, IdentifyBody, identify_fields
from app.api.security import Caller, allowed
from app.api.transactions import ThisTransaction
from app.domain.subjects import Scope

router = APIRouter(tags=["recognition"])


@router.post(
    "/identify",
    summary="Search a gallery for a probe",
    dependencies=allowed(Scope.IDENTIFY),
    responses=problems(*WITH_SCOPE, *WITH_BODY, *COMPARISON_CODES),
)
async def identify(
    body: Annotated[IdentifyBody, Depends(JsonBody(IdentifyBody, WITH_RECORDINGS))],
    caller: Caller,
    services: TheServices,
    transaction: ThisTransaction,
) -> IdentifyAnswer:
    """The decision is on the first candidate; others are listed with `read` and `read:scores`."""
    outcome = await services.executor.run(
        lambda: services.identification.identify(caller, body.to_domain(caller.home_gallery))
    )
    transaction.decided("identify", outcome.decision.decision)
    return IdentifyAnswer(
        **identify_fields(outcome),
        processing_ms=transaction.processing_ms(),
        transaction_id=transaction.id,
    )
