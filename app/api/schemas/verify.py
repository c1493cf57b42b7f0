"""`POST /verify`; its answer is in decisions.py."""

from __future__ import annotations

from pydantic import Field

from app.api.schemas.base import GALLERY, Name, OrAbsent, RequestSchema, SubjectName
from app.api.schemas.example_strips import EXAMPLE_PROBE
from app.api.schemas.policies import Rate
from app.api.schemas.recordings import Recordings, to_domain
from app.domain.scores import Fusion
from app.services.verification import VerificationRequest


class VerifyBody(RequestSchema):
    """A probe and the subject it is claimed to be of."""

    subject_id: SubjectName = Field(description="The claimed subject.", examples=["operator-17"])
    gallery: OrAbsent[Name] = Field(
        None, description=f"The subject's gallery. {GALLERY}", examples=["default"]
    )
    recordings: Recordings = Field(examples=[[EXAMPLE_PROBE]])
    fmr: OrAbsent[Rate] = Field(
        None, description="False match rate, equal or stricter than the gallery's.", examples=[0.0001]
    )
    fusion: Fusion = Field(Fusion.SCORE, description="How to combine modalities.", examples=["score"])

    def to_domain(self, home_gallery: str) -> VerificationRequest:
        return VerificationRequest(
            gallery=self.gallery or home_gallery,
            subject_id=self.subject_id,
            recordings=to_domain(self.recordings),
            fmr=self.fmr,
            fusion=self.fusion,
        )
