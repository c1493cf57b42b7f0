"""`/galleries`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from app.api.schemas.base import Name, OrAbsent, RequestSchema, ResponseSchema, absentable, described
from app.api.schemas.policies import PolicyAnswer, PolicyBody, gallery_policy
from app.api.schemas.recordings import Dpi
from app.domain.references import Modality

if TYPE_CHECKING:
    from app.services.galleries import CorrectionView, GalleryView

_POLICY = {"kind": "calibrated", "fmr": 0.001, "fpir": 0.01, "required": [], "min_quality": 0.0}
_DPI = (
    "Resolution of fingerprints that come without one, in dots per inch; goes before what their files state."
)


class GalleryBody(RequestSchema):
    """A new gallery."""

    name: Name = Field(description="Name of the gallery.", examples=["plant-3"])
    policy: OrAbsent[PolicyBody] = Field(
        None, description="What it demands; calibrated with the defaults if absent.", examples=[_POLICY]
    )
    fingerprint_dpi: OrAbsent[Dpi] = Field(None, description=_DPI, examples=[500])


class GalleryPolicyBody(RequestSchema):
    """A new policy for a gallery, and its defaults; what is left out is gone."""

    policy: PolicyBody = Field(description="Replaces the old one as a whole.", examples=[_POLICY])
    fingerprint_dpi: OrAbsent[Dpi] = Field(None, description=_DPI, examples=[500])


class CorrectionAnswer(ResponseSchema):
    """What the gallery's own non-mated scores say about one encoder on its sensor."""

    modality: Modality = described("Which modality.", example="ecg")
    encoder: str = described("Which encoder.", example="ecg@2026.11")
    corrected: bool = described("False below 30 subjects.", example=True)
    slope: float = described("Of the affine map of the score; rounded without admin.", example=1.04)
    offset_db: float = described("Of the map, in decibans; rounded without admin.", example=-1.3)
    pairs: int = described("Non-mated comparisons behind it; without admin, of all subjects.", example=7832)
    subjects: int = described("Subjects behind it.", example=89)
    measured_over_nominal: float | None = described("Measured FMR over the nominal one.", example=1.1)
    limited: bool = described(
        "The enrolled people look more alike than any sensor makes them: the correction was held back, and"
        " false matches may exceed the policy's rate. Look for people enrolled under several names.",
        example=False,
    )
    possible_duplicates: list[list[str]] | SkipJsonSchema[None] = absentable(
        "Groups of names that may be one person (scope admin).", example=[["operator-17", "operator-71"]]
    )

    @classmethod
    def of(cls, view: CorrectionView) -> CorrectionAnswer:
        return cls(
            modality=view.modality,
            encoder=view.encoder,
            corrected=view.corrected,
            slope=round(view.slope, 6),
            offset_db=round(view.offset_db, 6) + 0.0,
            pairs=view.pairs,
            subjects=view.subjects,
            measured_over_nominal=(
                None if view.measured_over_nominal is None else round(view.measured_over_nominal, 4)
            ),
            limited=view.limited,
            possible_duplicates=(
                None
                if view.possible_duplicates is None
                else [list(group) for group in view.possible_duplicates]
            ),
        )


class GalleryAnswer(ResponseSchema):
    """One gallery."""

    name: str = described("Name of the gallery.", example="default")
    policy: PolicyAnswer = described("What it demands.", example=_POLICY)
    subjects: int = described("Enrolled subjects.", example=89)
    references: int = described("Stored references.", example=178)
    correction: list[CorrectionAnswer] = described("Own correction, per modality and encoder.", example=[])
    max_subjects: int | None = described(
        "Among how many subjects a search at this policy finds a person of usual scores (the median of the"
        " calibration's); null where nothing limits it.",
        example=370,
    )
    fingerprint_dpi: int | None = described(
        "Resolution of fingerprints that come without one; null leaves it to their files.", example=500
    )
    created_at: datetime = described("When the gallery was made.", example="2026-11-20T09:30:00Z")

    @classmethod
    def of(cls, view: GalleryView) -> GalleryAnswer:
        return cls(
            name=view.name,
            policy=gallery_policy(view.policy),
            subjects=view.subjects,
            references=view.references,
            correction=[CorrectionAnswer.of(one) for one in view.correction],
            max_subjects=view.max_subjects,
            fingerprint_dpi=view.fingerprint_dpi,
            created_at=view.created_at,
        )


class GalleryListAnswer(ResponseSchema):
    """Galleries that the caller may see, in order of their making."""

    items: list[GalleryAnswer] = described("The galleries.", example=[])
    next_cursor: str | None = described("Ask with it for what follows; null at the end.", example=None)
