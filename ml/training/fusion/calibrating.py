"""What cosines of fused vectors are worth, for every combination of modalities."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.metrics.error_rates import eer
from ml.runtime.calibration.llr import Calibration
from ml.runtime.evidence import IMAGES, EvidenceArray
from ml.training.calibration_fit import CohortScores, fit_calibration
from ml.training.fusion.people import Person

Fuse = Callable[[Mapping[str, NDArray[np.float32]]], NDArray[np.float32]]
"""Vectors of equally many people by modality → fused vectors, as `FusionBundle.fuse`."""


@dataclass(frozen=True)
class CombinationFigures:
    """How well people are told apart with a combination of modalities.

    Args:
        modalities: The combination.
        eer: Of fused vectors, on the calibration people.
        concatenated_eer: Of the same vectors side by side, without any network.
        mated, non_mated: Numbers of comparisons.
    """

    modalities: tuple[str, ...]
    eer: float
    concatenated_eer: float
    mated: int
    non_mated: int


def calibrate_combination(
    people: Sequence[Person], modalities: Sequence[str], fuse: Fuse
) -> tuple[Calibration, CombinationFigures]:
    """Compare the first capture of each person with the last of all, and fit a calibration to that."""
    cohort = _cohort(people, modalities, fuse)
    plain = _cohort(people, modalities, concatenated)
    calibration = fit_calibration([cohort])
    diagonal = np.eye(len(people), dtype=bool)
    figures = CombinationFigures(
        tuple(modalities),
        eer=eer(cohort.cosine[diagonal], cohort.cosine[~diagonal]),
        concatenated_eer=eer(plain.cosine[diagonal], plain.cosine[~diagonal]),
        mated=len(people),
        non_mated=len(people) * (len(people) - 1),
    )
    return calibration, figures


def concatenated(vectors: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Put vectors of unit norm side by side: the mean of their cosines is the cosine of these."""
    stacked = np.concatenate(list(vectors.values()), axis=1)
    return np.asarray(stacked / np.sqrt(len(vectors)), dtype=np.float32)


def _cohort(people: Sequence[Person], modalities: Sequence[str], fuse: Fuse) -> CohortScores:
    sides = [_side(people, modalities, row) for row in (0, -1)]
    references, probes = (fuse(vectors) for vectors, _ in sides)
    return CohortScores(
        cosine=references @ probes.T,
        references=sides[0][1],
        probes=sides[1][1],
        subjects=[person.name for person in people],
    )


def _side(
    people: Sequence[Person], modalities: Collection[str], row: int
) -> tuple[Mapping[str, NDArray[np.float32]], EvidenceArray]:
    vectors = {m: np.stack([person.vectors[m].rows[row] for person in people]) for m in modalities}
    quality = np.mean([[person.vectors[m].quality[row] for person in people] for m in modalities], axis=0)
    return vectors, EvidenceArray(np.full(len(people), float(len(modalities))), IMAGES, quality)
