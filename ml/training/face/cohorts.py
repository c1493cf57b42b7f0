"""The calibration people of AR and ORL, encoded and compared as they would be in service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.data.face_splits import ar_split, orl_split
from ml.data.faces import AR_IMAGES, AR_SECOND_SESSION, FaceRecord, read_ar, read_orl
from ml.runtime.errors import CaptureError
from ml.runtime.evidence import IMAGES, Evidence, EvidenceArray
from ml.runtime.face.raw_face import RawFace
from ml.runtime.vector_network import VectorNetwork
from ml.training.calibration_fit import CohortScores

ORL_IMAGES: Final = 10
_NOTHING: Final = Evidence(1.0, IMAGES, 0.0)


@dataclass(frozen=True)
class EncodedPicture:
    """One picture as a vector, NaN where it was refused.

    Args:
        vector: Unit norm, float32, shape (d,).
        evidence: Behind it.
        code: Why it was refused, else "".
    """

    vector: NDArray[np.float32]
    evidence: Evidence
    code: str = ""


Pictures = Mapping[tuple[str, int], EncodedPicture]
"""By person and number."""


def encode_calibration_people(data: Path, network: VectorNetwork) -> dict[str, Pictures]:
    """Encode every picture of the calibration people, by set.

    Args:
        data: Folder that holds `face/`.
        network: With its preparation, detection included.
    """
    ar = [r for r in read_ar(data / "face" / "ar_99") if r.subject_id in ar_split()["calibration"]]
    orl = [r for r in read_orl(data / "face" / "orl") if r.subject_id in orl_split()["calibration"]]
    return {"AR": _encoded(ar, network), "ORL": _encoded(orl, network)}


def cohorts_of(pictures: Mapping[str, Pictures]) -> list[CohortScores]:
    """Compare one picture of each person with one of the others: a cohort for each pair of numbers.

    In AR the two are of different sessions, two weeks apart; in ORL the first and the sixth meet all others.
    """
    second = range(AR_SECOND_SESSION, AR_IMAGES + 1)
    first = range(1, AR_SECOND_SESSION)
    ar = [(1, probe) for probe in second] + [(AR_SECOND_SESSION, probe) for probe in first]
    orl = [(enrolled, k) for enrolled in (1, 6) for k in range(1, ORL_IMAGES + 1) if k != enrolled]
    found = [_cohort("AR", pictures["AR"], pair) for pair in ar]
    return found + [_cohort("ORL", pictures["ORL"], pair) for pair in orl]


def _encoded(records: Sequence[FaceRecord], network: VectorNetwork) -> Pictures:
    return {(r.subject_id, int(r.labels["number"])): _encode(r, network) for r in records}


def _encode(record: FaceRecord, network: VectorNetwork) -> EncodedPicture:
    try:
        found = network.encode(RawFace(record.image))
    except CaptureError as error:
        return EncodedPicture(np.full(network.vector_size, np.nan, dtype=np.float32), _NOTHING, error.code)
    return EncodedPicture(found.vector, found.evidence)


def _cohort(name: str, pictures: Pictures, numbers: tuple[int, int]) -> CohortScores:
    people = sorted({person for person, _ in pictures})
    sides = [[pictures[person, number] for person in people] for number in numbers]
    vectors = [np.stack([picture.vector for picture in side]) for side in sides]
    evidence = [EvidenceArray.of([picture.evidence for picture in side]) for side in sides]
    return CohortScores(
        cosine=vectors[0] @ vectors[1].T,
        references=evidence[0],
        probes=evidence[1],
        subjects=[f"{name}/{person}" for person in people],
        enrolled=vectors[0] @ vectors[0].T,
    )
