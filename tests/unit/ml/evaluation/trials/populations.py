"""Template sets of a made-up population, and a calibration fitted to another one."""

from functools import lru_cache

import numpy as np

from ml.evaluation.trials.encodings import TemplateSet
from ml.evaluation.trials.scoring import Comparisons, compare
from ml.runtime.calibration.llr import Calibration
from ml.runtime.evidence import SECONDS, EvidenceArray
from ml.training.calibration_fit import CohortScores, fit_calibration

TRAITS = 14


class Population:
    """People whose templates are traits plus noise that shrinks with the length of evidence."""

    def __init__(self, n: int, seed: int, *, shift: float = 0.0) -> None:
        self._rng = np.random.default_rng(seed)
        self._traits = self._rng.normal(size=(n, TRAITS)) * self._rng.uniform(0.7, 1.3, size=(n, 1))
        self._shift = shift

    def templates(self, seconds: float = 12.0, *, failed: tuple[int, ...] = ()) -> TemplateSet:
        n = len(self._traits)
        noise = self._rng.normal(size=self._traits.shape) * 1.2 / np.sqrt(seconds)
        noisy = self._traits + noise + self._shift
        vectors = (noisy / np.linalg.norm(noisy, axis=1, keepdims=True)).astype(np.float32)
        vectors[list(failed)] = np.nan
        length = np.full(n, seconds)
        length[list(failed)] = 0.0
        evidence = EvidenceArray(length, SECONDS, np.full(n, 0.75))
        return TemplateSet(
            subject_ids=tuple(f"p{k:03d}" for k in range(n)),
            vectors=vectors,
            evidence=evidence,
            reference_vectors=vectors,
            reference_evidence=evidence,
            codes=tuple("no_heartbeat" if k in failed else "" for k in range(n)),
        )


@lru_cache(maxsize=1)
def fitted_calibration() -> Calibration:
    """Of 200 people nobody else meets."""
    people = Population(200, seed=1)
    cohorts = []
    for seconds in (3.0, 5.0, 10.0, 15.0):
        one, other = people.templates(seconds), people.templates(seconds)
        cohorts.append(CohortScores(one.vectors @ other.vectors.T, one.evidence, other.evidence))
    return fit_calibration(cohorts, replicates=40)


def all_against_all(probes: TemplateSet, gallery: TemplateSet) -> Comparisons:
    """Comparisons of the same people in the same order."""
    llr_db, classes = compare(fitted_calibration(), probes, gallery)
    people = np.arange(len(gallery.subject_ids))
    return Comparisons(llr_db, classes, np.eye(people.size, dtype=bool), people, people)
