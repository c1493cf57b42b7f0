"""What is compared: the captures of one time and one position, pooled into one template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from app.domain.details import Parts
from app.domain.ports.encoders import Encoder
from app.domain.references import Template
from app.matching.encoded_captures import Acquired, EncodedCaptures
from ml.runtime.evidence import EvidenceArray


def probe_templates(
    captures: EncodedCaptures, encoder: Encoder, min_quality: float
) -> Mapping[str, Template]:
    """Captures of one position pooled into one template, by position."""
    by_position: dict[str, list[Acquired]] = {}
    for acquired in captures.accepted(encoder, min_quality):
        by_position.setdefault(acquired.capture.position, []).append(acquired)
    return {position: pool_probe(encoder, found) for position, found in by_position.items()}


def pool_probe(encoder: Encoder, recordings: Sequence[Acquired]) -> Template:
    """One template of several recordings made at one time.

    What they have in common counts, and what differs averages out. Of one person that is noise. Of ten
    strangers it is all that tells people apart, and what is left resembles everybody of the same sensor. So
    a probe whose recordings agree less than one person's do is made shorter, and all its cosines smaller.
    Details are not pooled: each is compared.
    """
    vectors = np.stack([one.encoding.vector for one in recordings])
    evidence = EvidenceArray.of([one.encoding.evidence for one in recordings])
    pooled = encoder.pool(vectors, [""] * len(recordings))
    parts = [one.parts for one in recordings if one.parts is not None]
    if parts:
        return Template(pooled, evidence.pooled(), Parts.joined(parts))
    if len(recordings) > 1:
        agreement = float(np.linalg.norm(vectors.mean(axis=0, dtype=np.float64)))
        expected = encoder.calibration.expected_agreement(evidence.amount)
        pooled = pooled * np.float32(min(1.0, agreement / expected))
    return Template(pooled, evidence.pooled())
