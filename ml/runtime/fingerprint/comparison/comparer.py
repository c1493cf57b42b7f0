"""Two fingerprints → one similarity, for many pairs at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from ml.runtime.details import DetailComparer
from ml.runtime.fingerprint.comparison.combiner import Combiner
from ml.runtime.fingerprint.comparison.detail import open_detail
from ml.runtime.fingerprint.comparison.findings import Findings, find, joined
from ml.runtime.fingerprint.comparison.mirror import mirrored
from ml.runtime.fingerprint.comparison.pair_batch import TemplatePair
from ml.runtime.fingerprint.comparison.template import FingerprintTemplate

FloatArray = NDArray[np.float64]

PAIRS_AT_ONCE: Final = 16


class FingerprintComparer(DetailComparer):
    """Compares fingerprints by their minutiae."""

    best: ClassVar[int] = 12
    """Chosen on FVC2000 among computed fingers. Of the mates that the comparer accepts at FMR 0.1 %, 99.1 %
    come first of 70; 98.9 % with 6 products."""

    def __init__(self, combiner: Combiner) -> None:
        """Take the weights of what a comparison finds."""
        self._combiner = combiner

    def shortlist_size(self, enrolled: int) -> int:
        """See `DetailComparer.shortlist_size`."""
        return min(enrolled, max(32, enrolled // 50))

    def open(self, detail: bytes) -> FingerprintTemplate:
        """See `DetailComparer.open`."""
        return open_detail(detail)

    def mirrored(self, template: FingerprintTemplate) -> FingerprintTemplate:
        """Return the template of the mirror image, to try where the plain one does not match.

        If it matches, the code is `fingerprint_mirrored`. Nobody can tell a mirrored picture at enrollment,
        where there is nothing to compare it with.
        """
        return mirrored(template)

    def compare(
        self, probe: Sequence[FingerprintTemplate], enrolled: Sequence[Sequence[FingerprintTemplate]]
    ) -> FloatArray:
        """See `DetailComparer.compare`: the largest similarity of a recording and a reference counts.

        On FVC2000 no mean of several does better: with three references FNMR at FMR 0.1 % is 1.1 %, with the
        mean of the best two 1.6 %, of the best three 2.8 %.
        """
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
        if compared:
            findings = find_in_batches([pairs[place] for place in compared], self._combiner.hopeless_relaxed)
            found[compared] = self._combiner.similarity(findings)
        return found


def find_in_batches(pairs: Sequence[TemplatePair], hopeless_relaxed: float) -> Findings:
    """Compare pairs of templates, at least one, those of similar size together.

    Batches are small, so that what is computed stays in the processor's cache.
    """
    if len(pairs) <= PAIRS_AT_ONCE:
        return find(pairs, hopeless_relaxed)
    order = np.argsort([len(one) + len(other) for one, other in pairs], kind="stable")
    batches = np.split(order, range(PAIRS_AT_ONCE, len(pairs), PAIRS_AT_ONCE))
    parts = [find([pairs[place] for place in batch], hopeless_relaxed) for batch in batches]
    return joined(parts).rows(np.argsort(order, kind="stable"))
