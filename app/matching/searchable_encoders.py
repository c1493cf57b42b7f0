"""Which encoders a search may rest on."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.ports.encoders import Encoder, Encoders
from app.domain.references import Modality


class SearchableEncoders(Encoders):
    """The bundles to search by: all but those that compare one to one only."""

    def __init__(self, encoders: Encoders) -> None:
        self._all = encoders

    def default(self, modality: Modality) -> Encoder | None:
        return next(iter(self.of(modality)), None)

    def absence(self, modality: Modality) -> str:
        weak = self._all.default(modality)
        if weak is None:
            return self._all.absence(modality)
        return f"{weak.encoder_id} compares one to one only: verify, or fetch an encoder to search by."

    def get(self, encoder_id: str) -> Encoder | None:
        found = self._all.get(encoder_id)
        return None if found is None or found.card.one_to_one_only else found

    def of(self, modality: Modality) -> Sequence[Encoder]:
        return [encoder for encoder in self._all.of(modality) if not encoder.card.one_to_one_only]

    def all(self) -> Sequence[Encoder]:
        return [encoder for encoder in self._all.all() if not encoder.card.one_to_one_only]
