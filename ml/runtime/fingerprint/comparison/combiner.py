"""From what a comparison finds to one number: how much likelier one finger is than two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.runtime.fingerprint.comparison.findings import Findings

FloatArray = NDArray[np.float64]

RELAXED_FLOOR: Final = 0.003
LEAST_OVERLAP: Final = 5.0
FEATURES: Final = ("log_relaxed", "log_minutiae", "root_met_share", "met_share")


@dataclass(frozen=True)
class Combiner:
    """A logistic regression over what relaxation and alignment find, and the squashing of its log odds.

    Where the relaxed score is hopeless, no alignment is sought, and its terms count as what strangers usually
    reach: most comparisons of a search end there.

    Args:
        bias: Log odds where everything is 0.
        log_relaxed: Weight of the logarithm of the relaxed score.
        log_minutiae: Weight of the logarithm of the number of minutiae on the poorer side.
        root_met_share: Weight of met / √overlap.
        met_share: Weight of met / overlap.
        hopeless_relaxed: Relaxed score below which no alignment is sought.
        strangers_root_met_share, strangers_met_share: What counts there.
        scale: Log odds that make a similarity of tanh(1).
    """

    bias: float = 0.0
    log_relaxed: float = 1.0
    log_minutiae: float = 0.0
    root_met_share: float = 1.0
    met_share: float = 1.0
    hopeless_relaxed: float = 0.0
    strangers_root_met_share: float = 0.0
    strangers_met_share: float = 0.0
    scale: float = 10.0

    def similarity(self, findings: Findings) -> FloatArray:
        """Return what comparisons amount to, within (−1, 1); shape (n_pairs,)."""
        return np.asarray(np.tanh(self.log_odds(findings) / self.scale))

    def log_odds(self, findings: Findings) -> FloatArray:
        """Return the same, not squashed."""
        values = features(findings)
        root = np.where(findings.aligned, values[2], self.strangers_root_met_share)
        share = np.where(findings.aligned, values[3], self.strangers_met_share)
        return np.asarray(
            self.bias
            + self.log_relaxed * values[0]
            + self.log_minutiae * values[1]
            + self.root_met_share * root
            + self.met_share * share
        )


def features(findings: Findings) -> FloatArray:
    """Return the terms of the regression, in the order of `FEATURES`; shape (4, n_pairs)."""
    shared = np.maximum(findings.overlap, LEAST_OVERLAP)
    return np.stack(
        [
            np.log(findings.relaxed + RELAXED_FLOOR),
            np.log1p(findings.minutiae.astype(np.float64)),
            findings.met / np.sqrt(shared),
            findings.met / shared,
        ]
    )
