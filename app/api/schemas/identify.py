"""`POST /identify`."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from app.api.schemas.base import GALLERY, Name, OrAbsent, RequestSchema, ResponseSchema, decibans, described
from app.api.schemas.decisions import DecisionAnswer, ModalityAnswer, decision_fields
from app.api.schemas.example_strips import EXAMPLE_PROBE
from app.api.schemas.policies import Rate
from app.api.schemas.recordings import Recordings, to_domain
from app.domain.scores import Fusion, IdentificationOutcome
from app.services.identification import IdentificationRequest


class IdentifyBody(RequestSchema):
    """A probe to be searched for."""

    gallery: OrAbsent[Name] = Field(None, description=f"Gallery to search. {GALLERY}", examples=["default"])
    recordings: Recordings = Field(examples=[[EXAMPLE_PROBE]])
    fpir: OrAbsent[Rate] = Field(
        None,
        description="False positive identification rate, equal or stricter than the gallery's.",
        examples=[0.005],
    )
    max_candidates: int = Field(10, ge=1, le=100, description="Length of the candidate list.", examples=[10])
    fusion: Fusion = Field(Fusion.SCORE, description="How to combine modalities.", examples=["score"])

    def to_domain(self, home_gallery: str) -> IdentificationRequest:
        return IdentificationRequest(
            gallery=self.gallery or home_gallery,
            recordings=to_domain(self.recordings),
            fpir=self.fpir,
            max_candidates=self.max_candidates,
            fusion=self.fusion,
        )


class CandidateAnswer(ResponseSchema):
    """One line of the candidate list."""

    rank: int = described("1 is best.", example=1)
    subject_id: str = described("The subject.", example="operator-17")
    score: float = described("Decibans.", example=31.0)
    modalities: list[ModalityAnswer] = described("Each modality's part.", example=[])


class IdentifyAnswer(DecisionAnswer):
    """The decision on the first candidate, and the list, best first.

    Candidates below their own threshold are listed only to callers with both `read` and `read:scores`.
    """

    gallery_size: int = described("Subjects that were searched.", example=250)
    fpir: float | None = described("What the search was made at; null under distances.", example=0.01)
    candidates: list[CandidateAnswer] = described(
        "Best first: those who match; with `read` and `read:scores` the others too.", example=[]
    )
    processing_ms: float = described("From the complete request to this answer.", example=9.8)
    transaction_id: str = described(
        "Names this request in the log.", example="01932f3a-7c1e-7b7a-9d5e-0f6c2f9d7a10"
    )


def candidate_answers(outcome: IdentificationOutcome) -> list[CandidateAnswer]:
    """The candidates as they are reported."""
    return [
        CandidateAnswer(
            rank=candidate.rank,
            subject_id=candidate.subject_id,
            score=decibans(candidate.score),
            modalities=[ModalityAnswer.of(part) for part in candidate.modalities],
        )
        for candidate in outcome.candidates
    ]


def identify_fields(outcome: IdentificationOutcome) -> dict[str, Any]:
    """All fields but those of the transaction."""
    return decision_fields(outcome.decision) | {
        "gallery_size": outcome.gallery_size,
        "fpir": outcome.fpir,
        "candidates": candidate_answers(outcome),
    }
