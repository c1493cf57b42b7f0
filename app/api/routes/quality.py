"""`POST /quality`: would this recording do?"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from starlette.responses import Response

from app.api.bodies import WITH_RECORDINGS, JsonBody
from app.api.deps import TheServices
from app.api.negotiation import Negotiated
from app.api.openapi import WITH_BODY, WITH_KEY, problems
from app.api.schemas.quality import EXAMPLE_PICTURE, QualityAnswer, QualityBody
from app.api.security import allowed
from app.pictures.picture import draw
from app.pictures.style import CONTENT_SECURITY_POLICY

router = APIRouter(tags=["recognition"])

JSON: Final = "application/json"
SVG: Final = "image/svg+xml"
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "One report for each recording; with `Accept: image/svg+xml` a picture of them.",
        "content": {SVG: {"schema": {"type": "string"}, "example": EXAMPLE_PICTURE}},
    }
}


@router.post(
    "/quality",
    summary="Judge recordings without storing anything",
    dependencies=allowed(),
    response_model=QualityAnswer,
    responses=_ANSWERS
    | problems(
        *WITH_KEY,
        *WITH_BODY,
        "not_acceptable",
        "signal_too_long",
        "signal_not_finite",
        "sampling_rate_unsupported",
        "image_too_large",
        "modality_unavailable",
    ),
)
async def assess_quality(
    media_type: Annotated[str, Depends(Negotiated(JSON, SVG))],
    body: Annotated[QualityBody, Depends(JsonBody(QualityBody, WITH_RECORDINGS))],
    services: TheServices,
    response: Response,
) -> QualityAnswer | Response:
    """One report per recording; an unusable recording is a report, not an error.

    With `Accept: image/svg+xml` the answer is a picture for people, with one card per recording. An ECG is
    shown as sent and as cleaned, with its R peaks, what of it is used and why the rest is not, and its
    beats. Of a fingerprint it shows minutiae and where ridges are clear, of a face where it lies: never the
    image itself. Treat a picture like the recording that it was made of.
    """
    captures = body.to_domain()
    if media_type == SVG:

        def picture() -> str:
            return draw(captures, services.quality.assess(captures, look_at_rejected=True))

        headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Vary": "Accept"}
        return Response(await services.executor.run(picture), media_type=SVG, headers=headers)
    response.headers["Vary"] = "Accept"
    return QualityAnswer.of(await services.executor.run(lambda: services.quality.assess(captures)))
