"""What a comparison of two fingerprints finds, before it is made one number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.runtime.fingerprint.comparison.alignment import align
from ml.runtime.fingerprint.comparison.local_similarity import local_similarities
from ml.runtime.fingerprint.comparison.pair_batch import TemplatePair, stacked
from ml.runtime.fingerprint.comparison.pairing import best_pairs
from ml.runtime.fingerprint.comparison.relaxation import relax

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Findings:
    """Of some pairs of templates; each array has shape (n_pairs,).

    Args:
        minutiae: Of the poorer side.
        relaxed: See `relaxation.Relaxed.score`.
        aligned: Whether an alignment was sought.
        met, overlap: See `alignment.Aligned`; 0 where none was.
    """

    minutiae: NDArray[np.int64]
    relaxed: FloatArray
    aligned: NDArray[np.bool_]
    met: FloatArray
    overlap: FloatArray

    def rows(self, kept: NDArray[np.int64]) -> Findings:
        """Return those of some of the pairs, by place."""
        return Findings(
            self.minutiae[kept], self.relaxed[kept], self.aligned[kept], self.met[kept], self.overlap[kept]
        )


def find(pairs: Sequence[TemplatePair], hopeless_relaxed: float) -> Findings:
    """Compare pairs of templates, at least one.

    Args:
        pairs: The order within each does not matter.
        hopeless_relaxed: Relaxed score below which no alignment is sought.
    """
    a, b = stacked(pairs)
    best = best_pairs(local_similarities(a, b))
    relaxed = relax(a, b, best)
    hopeful = relaxed.score >= hopeless_relaxed
    met, overlap = np.zeros(len(pairs)), np.zeros(len(pairs))
    if hopeful.all():
        found = align(a, b, best, relaxed)
        met, overlap = found.met, found.overlap
    elif hopeful.any():
        found = align(a.rows(hopeful), b.rows(hopeful), best.rows(hopeful), relaxed.rows(hopeful))
        met[hopeful], overlap[hopeful] = found.met, found.overlap
    return Findings(np.minimum(a.count, b.count), relaxed.score, hopeful, met, overlap)


def joined(parts: Sequence[Findings]) -> Findings:
    """Put several one after the other, at least one."""
    return Findings(
        minutiae=np.concatenate([part.minutiae for part in parts]),
        relaxed=np.concatenate([part.relaxed for part in parts]),
        aligned=np.concatenate([part.aligned for part in parts]),
        met=np.concatenate([part.met for part in parts]),
        overlap=np.concatenate([part.overlap for part in parts]),
    )
