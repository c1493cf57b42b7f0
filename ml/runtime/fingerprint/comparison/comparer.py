"""Two fingerprints → one similarity, for many pairs at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from ml.runtime.details import DetailComparer
from ml.runtime.fingerprint.comparison.alignment import align
from ml.runtime.fingerprint.comparison.combiner import Combiner
from ml.runtime.fingerprint.comparison.detail import open_detail
from ml.runtime.fingerprint.comparison.local_similarity import local_similarities
from ml.runtime.fingerprint.comparison.pair_batch import TemplatePair, stacked
from ml.runtime.fingerprint.comparison.pairing import best_pairs
from ml.runtime.fingerprint.comparison.relaxation import relax
from ml.runtime.fingerprint.comparison.template import FingerprintTemplate

FloatArray = NDArray[np.float64]

PAIRS_AT_ONCE: Final = 8
"""So that what is computed stays in the processor's cache."""


class FingerprintComparer(DetailComparer):
    """Compares fingerprints by their minutiae."""

    best: ClassVar[int] = 12

    def __init__(self, combiner: Combiner) -> None:
        """Take the weights of what a comparison finds."""
        self._combiner = combiner

    def shortlist_size(self, enrolled: int) -> int:
        """See `DetailComparer.shortlist_size`."""
        return min(enrolled, max(32, enrolled // 50))

    def open(self, detail: bytes) -> FingerprintTemplate:
        """See `DetailComparer.open`."""
        return open_detail(detail)

    def compare(
        self, probe: Sequence[FingerprintTemplate], enrolled: Sequence[Sequence[FingerprintTemplate]]
    ) -> FloatArray:
        """See `DetailComparer.compare`: the largest similarity of a recording and a reference counts."""
        pairs = [
            (recording, reference)
            for references in enrolled
            for recording in probe
            for reference in references
        ]
        if not pairs:
            return np.zeros(0)
        starts = np.cumsum([0, *(len(references) for references in enrolled[:-1])]) * len(probe)
        return np.maximum.reduceat(self.similarities(pairs), starts)

    def similarities(self, pairs: Sequence[TemplatePair]) -> FloatArray:
        """Compare single pairs; each alike in both orders and in any company. float64, shape (n_pairs,)."""
        found = np.ones(len(pairs))
        compared = [place for place, (one, other) in enumerate(pairs) if one.key != other.key]
        compared.sort(key=lambda place: len(pairs[place][0]) + len(pairs[place][1]))
        for start in range(0, len(compared), PAIRS_AT_ONCE):
            places = compared[start : start + PAIRS_AT_ONCE]
            found[places] = self._compared([pairs[place] for place in places])
        return found

    def _compared(self, pairs: Sequence[TemplatePair]) -> FloatArray:
        a, b = stacked(pairs)
        best = best_pairs(local_similarities(a, b))
        relaxed = relax(a, b, best)
        minutiae = np.minimum(a.count, b.count)
        similarity = self._combiner.without_alignment(relaxed.score, minutiae)
        kept = self._combiner.hopeful(relaxed.score)
        if kept.any():
            aligned = align(a.rows(kept), b.rows(kept), best.rows(kept), relaxed.rows(kept))
            similarity[kept] = self._combiner.with_alignment(
                relaxed.score[kept], minutiae[kept], aligned.met, aligned.overlap
            )
        return similarity
