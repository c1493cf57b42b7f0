"""`GET /models`."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic.json_schema import SkipJsonSchema

from app.api.schemas.base import ResponseSchema, absentable, described
from app.domain.activity import ActivityCard, ActivityRecognizer
from app.domain.ports.encoders import Encoder, EncoderCard, Encoders
from app.domain.ports.fusion import FeatureFusion, FusionCard
from app.domain.references import Modality


class Purpose(StrEnum):
    """What a bundle is for."""

    IDENTITY = "identity"
    FUSION = "fusion"
    ACTIVITY = "activity"


class Compares(StrEnum):
    """What an encoder's calibration is of."""

    VECTORS = "vectors"
    DETAILS = "details"


class ModelAnswer(ResponseSchema):
    """One bundle in use."""

    id: str = described("Name of the bundle.", example="ecg")
    version: str = described("Its version.", example="2026.11")
    purpose: Purpose = described(
        "What it tells: who it is, by one modality or by several at once, or what the wearer does.",
        example="identity",
    )
    modality: Modality | SkipJsonSchema[None] = absentable(
        "What it reads; absent where it reads the vectors of several encoders.", example="ecg"
    )
    default: bool = described("Whether it is used first for its purpose and modality.", example=True)
    sha256: str = described("Checksum of the weights.", example="0" * 64)
    vector_size: int | SkipJsonSchema[None] = absentable("Length of its templates.", example=256)
    metric: str | SkipJsonSchema[None] = absentable(
        "How vectors compare: always for a distance policy, otherwise where `compares` is `vectors`.",
        example="cosine",
    )
    compares: Compares | SkipJsonSchema[None] = absentable(
        "What calibrated decisions compare: `vectors`, or `details` kept beside them, such as minutiae."
        " A distance policy reads vectors in either case.",
        example="vectors",
    )
    one_to_one_only: bool | SkipJsonSchema[None] = absentable(
        "Whether it verifies and never identifies; absent otherwise.", example=True
    )
    encoders: dict[str, str] | SkipJsonSchema[None] = absentable(
        "Of a fusion: the encoder whose vectors it reads, by modality.", example={"ecg": "ecg@2026.11.1"}
    )
    classes: list[str] | SkipJsonSchema[None] = absentable(
        "Activities it tells apart.", example=["rest", "walk", "run"]
    )
    groups: dict[str, list[str]] | SkipJsonSchema[None] = absentable(
        "Coarser activities and what each holds.", example={"rest": ["rest"], "moving": ["walk", "run"]}
    )
    licence: str = described("Licence of the bundle.", example="Apache-2.0")
    training_data: list[str] = described("What it was made from.", example=["CinC 2017 (ODC-By 1.0)"])
    operating_points: list[dict[str, Any]] = described(
        "Measured error rates with intervals.", example=[{"seconds": 10.0, "fmr": 0.01, "fnmr": 0.0142}]
    )

    @classmethod
    def of_encoder(cls, encoder: Encoder, *, default: bool) -> ModelAnswer:
        card = encoder.card
        return cls(
            **_common(card),
            purpose=Purpose.IDENTITY,
            modality=card.modality,
            default=default,
            vector_size=card.vector_size,
            metric=card.metric,
            compares=Compares.VECTORS if encoder.comparer is None else Compares.DETAILS,
            one_to_one_only=card.one_to_one_only or None,
        )

    @classmethod
    def of_recognizer(cls, card: ActivityCard) -> ModelAnswer:
        return cls(
            **_common(card),
            purpose=Purpose.ACTIVITY,
            modality=Modality.ECG,
            default=True,
            classes=list(card.classes),
            groups={group: list(names) for group, names in card.groups.items()},
        )

    @classmethod
    def of_fusion(cls, fusion: FeatureFusion) -> ModelAnswer:
        card = fusion.card
        return cls(
            **_common(card),
            purpose=Purpose.FUSION,
            default=True,
            vector_size=card.vector_size,
            metric=card.metric,
            encoders={str(modality): encoder for modality, encoder in fusion.encoders.items()},
        )


class ModelListAnswer(ResponseSchema):
    """Bundles in use."""

    items: list[ModelAnswer] = described("The bundles.", example=[])
    next_cursor: str | None = described("Always null: the list is short.", example=None)

    @classmethod
    def of(
        cls, encoders: Encoders, recognizer: ActivityRecognizer | None, fusion: FeatureFusion | None
    ) -> ModelListAnswer:
        items = [
            ModelAnswer.of_encoder(encoder, default=encoders.default(encoder.modality) is encoder)
            for encoder in encoders.all()
        ]
        if fusion is not None:
            items.append(ModelAnswer.of_fusion(fusion))
        if recognizer is not None:
            items.append(ModelAnswer.of_recognizer(recognizer.card))
        return cls(items=items, next_cursor=None)


def _common(card: EncoderCard | ActivityCard | FusionCard) -> dict[str, Any]:
    return {
        "id": card.id,
        "version": card.version,
        "sha256": card.sha256,
        "licence": card.licence,
        "training_data": list(card.training_data),
        "operating_points": [dict(point) for point in card.operating_points],
    }
