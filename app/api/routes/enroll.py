"""`POST /enroll`: store references of a subject."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from app.api.bodies import WITH_RECORDINGS, JsonBody
from app.api.deps import TheServices
from app.api.idempotency import Idempotent, response_of
from app.api.openapi import CAPTURE_CODES, WITH_BODY, WITH_SCOPE, problems
from app.api.schemas.enroll import EnrollAnswer, EnrollBody
from app.api.security import Caller, allowed
from app.domain.subjects import Scope
from app.services.enrollment import EnrollmentOutcome
from app.services.idempotency import Rendered

router = APIRouter(tags=["recognition"])


@router.post(
    "/enroll",
    summary="Enroll a subject, or add references to one",
    status_code=201,
    response_model=EnrollAnswer,
    dependencies=allowed(Scope.ENROLL),
    responses=problems(
        *WITH_SCOPE,
        *WITH_BODY,
        *CAPTURE_CODES,
        "gallery_not_found",
        "too_many_references",
        "reference_mismatch",
        "fingerprint_mirrored",
        "modality_unavailable",
        "index_not_ready",
        "idempotency_key_reused",
    ),
)
async def enroll(
    body: Annotated[EnrollBody, Depends(JsonBody(EnrollBody, WITH_RECORDINGS))],
    idempotent: Idempotent,
    caller: Caller,
    services: TheServices,
) -> Response:
    """Recordings of one request make references of one session. 422 only if none could be used."""
    answer = await services.executor.run(
        lambda: services.enrollment.enroll(
            caller, body.to_domain(caller.home_gallery), idempotent=idempotent, render=_render
        )
    )
    return response_of(answer)


def _render(outcome: EnrollmentOutcome) -> Rendered:
    """Bytes, because they are stored in the transaction of the references."""
    return Rendered(201, EnrollAnswer.of(outcome).to_bytes())
