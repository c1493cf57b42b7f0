"""``POST /enroll``: store references of a subject."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from fastapi import APIRouter

from app.api.calls import Call, DirectRoute, answer, endpoint
from app.api.openapi import CAPTURE_CODES, operation
from app.api.schemas.enroll import EnrollAnswer, EnrollBody
from app.domain.subjects import Scope

if TYPE_CHECKING:
    from app.services.enrollment import EnrollmentOutcome
    from app.services.idempotency import Rendered

router = APIRouter(tags=["recognition"], route_class=DirectRoute)


@router.post(
    "/enroll",
    **operation(
        summary="Enroll a subject, or add references to one",
        body=EnrollBody,
        answer=EnrollAnswer,
        status=201,
        scope=Scope.ENROLL,
        codes=(
            *CAPTURE_CODES,
            "gallery_not_found",
            "too_many_references",
            "reference_mismatch",
            "modality_unavailable",
            "index_not_ready",
        ),
        idempotent=True,
    ),
)
@endpoint(Scope.ENROLL, reads_body=True, max_body_bytes=attrgetter("max_enroll_body_bytes"))
def enroll(call: Call) -> Rendered:
    """Recordings of one request make references of one session. 422 only if none could be used."""
    body = call.body(EnrollBody)

    def render(outcome: EnrollmentOutcome) -> Rendered:
        return answer(EnrollAnswer.of(outcome), 201)

    return call.services.enrollment.enroll(
        call.caller, body.to_domain(), idempotent=call.idempotent(), render=render
    )
