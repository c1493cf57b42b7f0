"""F1 and F2: every impression of a set against every other, one comparison each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.data.fingerprints import DEVELOPMENT, F1, FCJ_TEST_PEOPLE, FingerprintFile, read_fcj, read_fvc
from ml.runtime.fingerprint.comparison.comparer import FingerprintComparer
from ml.training.fingerprint.impressions import TrainingPrint, extract_files
from ml.training.fingerprint.stages import opened

FloatArray = NDArray[np.float64]
Sets = Mapping[str, list[FingerprintFile]]


@dataclass(frozen=True)
class FingerprintProtocol:
    """A named list of sets.

    Args:
        summary: One line for the report.
        development: Whether the figures may be used to choose anything.
        read: Data folder → pictures by the name of their set.
    """

    summary: str
    development: bool
    read: Callable[[Path], Sets]


def _fvc(names: tuple[str, ...]) -> Callable[[Path], Sets]:
    return lambda data: {name: read_fvc(data, name) for name in names}


FINGERPRINT_PROTOCOLS: Final[Mapping[str, FingerprintProtocol]] = {
    "F0": FingerprintProtocol(
        "FVC2000 DB1 to DB3, which chose and fitted everything", True, _fvc(DEVELOPMENT)
    ),
    "F1": FingerprintProtocol("six real databases of FVC2002 and FVC2004, set B", False, _fvc(F1)),
    "F2": FingerprintProtocol(
        "FCJ2020, people 126–150", False, lambda data: {"fcj-test": read_fcj(data, FCJ_TEST_PEOPLE)}
    ),
}


@dataclass(frozen=True, eq=False)
class SetScores:
    """All comparisons of one set; a refused picture matches nothing (−inf).

    Args:
        mated, non_mated: Similarities.
        mated_person: Index of the finger of each mated pair.
        non_mated_people: Those of both fingers of each other pair, shape (2, n).
        pictures, refused: Counts.
    """

    mated: FloatArray
    mated_person: NDArray[np.int64]
    non_mated: FloatArray
    non_mated_people: NDArray[np.int64]
    pictures: int
    refused: int


def score_set(
    name: str, files: list[FingerprintFile], comparer: FingerprintComparer, cache: Path
) -> SetScores:
    """Compare every two impressions of a set, of different fingers too, whatever their number."""
    return scored(extract_files(name, files, cache), comparer)


def scored(prints: list[TrainingPrint], comparer: FingerprintComparer) -> SetScores:
    """Compare every two of some impressions."""
    names = sorted({one.finger for one in prints})
    finger = np.array([names.index(one.finger) for one in prints])
    first, second = np.triu_indices(len(prints), 1)
    usable = np.array([one.written is not None for one in prints])
    similarity = np.full(len(first), -np.inf)
    both = usable[first] & usable[second]
    templates = [opened(one) for one in prints if one.written is not None]
    similarity[both] = comparer.similarities(list(combinations(templates, 2)))
    mated = finger[first] == finger[second]
    return SetScores(
        mated=similarity[mated],
        mated_person=finger[first][mated],
        non_mated=similarity[~mated],
        non_mated_people=np.stack([finger[first], finger[second]])[:, ~mated],
        pictures=len(prints),
        refused=int((~usable).sum()),
    )
