"""Fingers as the people of random galleries: one impression enrolled, the others as probes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.protocols.random_galleries import People
from ml.evaluation.trials.scoring import Comparisons
from ml.runtime.calibration.llr import Calibration
from ml.runtime.evidence import IMAGES, EvidenceArray
from ml.runtime.fingerprint.comparison.comparer import FingerprintComparer
from ml.runtime.matching.comparisons import llr_where_compared
from ml.training.fingerprint.calibrate import compared_people
from ml.training.fingerprint.impressions import TrainingPrint


def people_of_prints(
    prints: list[TrainingPrint], calibration: Calibration, comparer: FingerprintComparer
) -> People:
    """Enroll the first usable impression of every finger; all others are probes.

    Args:
        prints: Of at least two fingers; refused ones are left out.
        calibration, comparer: Of the bundle.
    """
    found = compared_people([one for one in prints if one.written is not None], comparer)
    fingers, impressions = found.quality.shape
    there = np.isfinite(found.quality)
    first = np.argmax(there, axis=1)
    enrolled = np.ravel_multi_index((np.arange(fingers), first), there.shape)
    probes = np.setdiff1d(np.flatnonzero(there), enrolled)
    similarity = found.similarity.reshape(fingers * impressions, -1)
    quality = found.quality.ravel()

    def llr_of(rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        sides = (_evidence(quality[rows])[:, None], _evidence(quality[enrolled]))
        return llr_where_compared(calibration, similarity[np.ix_(rows, enrolled)], *sides)

    people = np.repeat(np.arange(fingers), impressions)
    mated = people[probes][:, None] == people[enrolled]
    comparisons = Comparisons(*llr_of(probes), mated, people[probes], people[enrolled])
    return People(calibration, *llr_of(enrolled), comparisons)


def _evidence(quality: NDArray[np.float64]) -> EvidenceArray:
    return EvidenceArray(np.ones(len(quality)), IMAGES, quality)
