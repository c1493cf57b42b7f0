"""People of CinC 2017 who are probably one: it has a subject per recording, but patients came again.

Two encoders with different inputs, windows and mean beats, must both find two recordings at least as alike as
most pairs of strips of one recording. Such pairs are left out of each other's negatives.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.losses.ignored_pairs import IgnoredPairs

FloatArray = NDArray[np.float64]
PAIRS_FILE = Path(__file__).with_name("cinc_repeat_patients.json")
# A pair counts if it is more alike than this share of mated comparisons, in both views.
MATED_QUANTILE = 0.25


def likely_repeats(
    halves: Sequence[tuple[FloatArray, FloatArray]], names: Sequence[str], quantile: float = MATED_QUANTILE
) -> list[tuple[str, str]]:
    """Find pairs of people who are one person to both views.

    Args:
        halves: Per view, vectors of the first and of the last part of each person's recording, unit norm,
            float64, shape (n, d) each.
        names: Of the people, in the order of the rows.
        quantile: Of the mated cosines, that a pair must exceed in every view.

    Returns:
        Pairs of names, each and all sorted.
    """
    alike = np.ones((len(names), len(names)), dtype=np.bool_)
    for first, last in halves:
        cosine = first @ last.T
        least = np.quantile(np.diag(cosine), quantile)
        # In either order: the first half of one against the last half of the other.
        alike &= np.minimum(cosine, cosine.T) >= least
    found = np.argwhere(np.triu(alike, k=1)).tolist()
    return sorted((min(names[i], names[j]), max(names[i], names[j])) for i, j in found)


def ignored_repeats(names: Sequence[str], pairs_file: Path = PAIRS_FILE) -> IgnoredPairs:
    """Return pairs found earlier, as labels of these people; pairs of others are ignored."""
    number = {name: label for label, name in enumerate(names)}
    pairs = json.loads(pairs_file.read_text(encoding="utf-8"))["pairs"]
    known = [(number[a], number[b]) for a, b in pairs if a in number and b in number]
    return IgnoredPairs(len(names), known)
