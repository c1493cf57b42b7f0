"""Subjects as the database has them: references, opened, become templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from app.domain.details import Parts
from app.domain.ports.encoders import Encoder
from app.domain.ports.references import ReferenceRow
from app.domain.references import Modality, Template, TemplateKey, Vector
from app.matching.gallery_state import LoadedSubject
from ml.runtime.evidence import Evidence, EvidenceArray

_Opened = tuple[ReferenceRow, Vector]


def pooled_subject(
    subject_uuid: bytes,
    group: Sequence[_Opened],
    parts: Mapping[bytes, Parts],
    served: Mapping[str, Encoder],
) -> LoadedSubject:
    """One subject's templates.

    Args:
        subject_uuid: 16 bytes.
        group: Its references with their vectors, in the order of their making.
        parts: By reference id, of those whose encoder compares details.
        served: The encoders by id.
    """
    if len(group) == 1:  # The common case, and a rebuild has 100 000 of them.
        row, vector = group[0]
        modality = Modality(row.modality)
        only = Template(vector, _evidence(row, served[row.encoder]), parts.get(row.reference_id))
        return LoadedSubject(
            uuid_bytes=subject_uuid,
            subject_id=row.subject_id,
            templates={TemplateKey(modality, row.position, row.encoder): only},
            references={(modality, row.encoder): (row.position, only)},
        )
    by_key: dict[TemplateKey, list[_Opened]] = {}
    references: dict[tuple[Modality, str], tuple[str, Template]] = {}
    for row, vector in group:
        modality = Modality(row.modality)
        by_key.setdefault(TemplateKey(modality, row.position, row.encoder), []).append((row, vector))
        if (modality, row.encoder) not in references:
            single = Template(vector, _evidence(row, served[row.encoder]), parts.get(row.reference_id))
            references[modality, row.encoder] = (row.position, single)
    return LoadedSubject(
        uuid_bytes=subject_uuid,
        subject_id=group[0][0].subject_id,
        templates={key: _template(served[key.encoder], found, parts) for key, found in by_key.items()},
        references=references,
    )


def _template(encoder: Encoder, found: Sequence[_Opened], parts: Mapping[bytes, Parts]) -> Template:
    own = [parts[row.reference_id] for row, _ in found if row.reference_id in parts]
    joined = Parts.joined(own) if own else None
    if len(found) == 1:
        row, vector = found[0]
        return Template(vector, _evidence(row, encoder), joined)
    vectors = np.stack([vector for _, vector in found])
    return Template(
        vector=encoder.pool(vectors, [row.session for row, _ in found]),
        evidence=EvidenceArray.of([_evidence(row, encoder) for row, _ in found]).pooled(),
        parts=joined,
    )


def _evidence(row: ReferenceRow, encoder: Encoder) -> Evidence:
    return Evidence(row.amount, encoder.calibration.unit, row.quality)
