"""``GET /models``."""

from __future__ import annotations

from typing import Any

from app.api.schemas.base import ResponseSchema, described
from app.domain.ports import EncoderCard, Encoders
from app.domain.references import Modality


class ModelAnswer(ResponseSchema):
    """One bundle in use."""

    id: str = described("Name of the encoder.", example="ecg")
    version: str = described("Version of the bundle.", example="2026.11")
    modality: Modality = described("What it encodes.", example="ecg")
    default: bool = described("Whether new references of the modality are made with it.", example=True)
    sha256: str = described("Checksum of the weights.", example="0" * 64)
    vector_size: int = described("Length of its templates.", example=256)
    metric: str = described("How templates compare.", example="cosine")
    licence: str = described("Licence of the bundle.", example="Apache-2.0")
    training_data: list[str] = described("What it was made from.", example=["CinC 2017 (ODC-By 1.0)"])
    operating_points: list[dict[str, Any]] = described(
        "Measured error rates with intervals.", example=[{"seconds": 10.0, "fmr": 0.01, "fnmr": 0.0142}]
    )

    @classmethod
    def of(cls, card: EncoderCard, *, default: bool) -> ModelAnswer:
        return cls(
            id=card.id,
            version=card.version,
            modality=card.modality,
            default=default,
            sha256=card.sha256,
            vector_size=card.vector_size,
            metric=card.metric,
            licence=card.licence,
            training_data=list(card.training_data),
            operating_points=[dict(point) for point in card.operating_points],
        )


class ModelListAnswer(ResponseSchema):
    """Bundles in use."""

    items: list[ModelAnswer] = described("The bundles.", example=[])
    next_cursor: str | None = described("Always null: the list is short.", example=None)

    @classmethod
    def of(cls, encoders: Encoders) -> ModelListAnswer:
        items = [
            ModelAnswer.of(encoder.card, default=encoders.default(encoder.modality) is encoder)
            for encoder in encoders.all()
        ]
        return cls(items=items, next_cursor=None)
