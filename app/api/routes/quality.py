"""`POST /quality`: would this recording do?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from app.api.bodies import JsonBody
from app.api.deps import TheServices
from app.api.openapi import WITH_BODY, WITH_KEY, problems
from app.api.schemas.quality import QualityAnswer, QualityBody
from app.api.security import allowed

router = APIRouter(tags=["recognition"])


@router.post(
    "/quality",
    summary="Judge recordings without storing anything",
    dependencies=allowed(),
    responses=problems(
        *WITH_KEY,
        *WITH_BODY,
        "signal_too_long",
        "signal_not_finite",
        "sampling_rate_unsupported",
        "image_too_large",
        "modality_unavailable",
    ),
)
async def assess_quality(
    body: Annotated[QualityBody, Depends(JsonBody(QualityBody))], services: TheServices
) -> QualityAnswer:
    """One report per recording; an unusable recording is a report, not an error."""
    return QualityAnswer.of(await services.executor.run(lambda: services.quality.assess(body.to_domain())))
