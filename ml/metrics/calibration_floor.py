"""The calibration error that true probabilities have: with few predictions per bin, it is not zero."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.metrics.confidence import expected_calibration_error

FloatArray = NDArray[np.float64]
DRAWS = 200


def ece_if_true(probabilities: FloatArray, draws: int = DRAWS, seed: int = 0) -> float:
    """Return the expected calibration error that these predictions would have with true confidences.

    Each prediction's correctness is drawn independently by its confidence. Real errors cluster by person,
    which makes the error larger still. A measured error about as large as this one is consistent with true
    probabilities.

    Args:
        probabilities: Rows sum to 1, float64, shape (n, n_classes).
        draws: Number of draws, whose mean is returned.
        seed: Of the draws.

    Source:
        Kumar, Liang and Ma, 2019, Verified uncertainty calibration, section 4, on the bias of the estimate.
    """
    random = np.random.default_rng(seed)
    log_p = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
    called, n_classes = probabilities.argmax(axis=1), probabilities.shape[1]
    confidence = probabilities.max(axis=1)
    errors = []
    for _ in range(draws):
        wrong = random.random(called.size) >= confidence
        labels = np.where(wrong, (called + 1) % n_classes, called)
        errors.append(expected_calibration_error(log_p, labels, equal_mass=False))
    return float(np.mean(errors))
