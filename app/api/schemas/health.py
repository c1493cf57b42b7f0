"""`/healthz` and `/readyz`."""

from __future__ import annotations

from app.api.schemas.base import ResponseSchema, described


class LivenessAnswer(ResponseSchema):
    """The process answers."""

    status: str = described("Always ok.", example="ok")


class ReadinessAnswer(ResponseSchema):
    """The service may be sent requests."""

    status: str = described("Always ready; else the answer is a problem.", example="ready")
    galleries: int = described("Galleries in the index.", example=2)
    templates: int = described("Templates in the index.", example=250)
    quarantined: int = described(
        "Stored references and galleries that are passed over, because they do not open or were changed"
        " outside of the service.",
        example=0,
    )
