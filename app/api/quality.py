"""``POST /quality``: would this recording do?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter

from app.api.calls import Call, DirectRoute, answer, endpoint
from app.api.openapi import operation
from app.api.schemas.quality import QualityAnswer, QualityBody

if TYPE_CHECKING:
    from app.services.idempotency import Rendered

router = APIRouter(tags=["recordings"], route_class=DirectRoute)


@router.post(
    "/quality",
    **operation(
        summary="Judge recordings without storing anything",
        body=QualityBody,
        answer=QualityAnswer,
        codes=(
            "signal_too_long",
            "signal_not_finite",
            "sampling_rate_unsupported",
            "image_too_large",
            "modality_unavailable",
        ),
    ),
)
@endpoint(None, reads_body=True)
def quality(call: Call) -> Rendered:
    """One report per recording; an unusable recording is a report, not an error."""
    reports = call.services.quality.assess(call.body(QualityBody).to_domain())
    return answer(QualityAnswer.of(reports))
