"""A probe as it is compared in one gallery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.ports.encoders import Encoder
from app.domain.references import Template
from ml.runtime.evidence import Evidence


@dataclass(frozen=True)
class TransformedProbe:
    """Probe templates of one encoder version, multiplied by the gallery's secret matrix."""

    encoder: Encoder
    templates: Mapping[str, Template]

    @property
    def evidence(self) -> Evidence:
        """Of the position that shows the most."""
        shown = [template.evidence for template in self.templates.values()]
        return max(shown, key=lambda evidence: evidence.amount)

    @property
    def comparisons(self) -> int:
        """How many it takes with one reference: one per position, or per recording where details are."""
        return sum(1 if t.parts is None else len(t.parts.details) for t in self.templates.values())
