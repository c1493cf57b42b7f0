"""Calibration of class probabilities: expected calibration error, log loss and temperature scaling.

Functions of logits, float64, shape (n, n_classes), and labels, int64, shape (n,). A failure to acquire enters
as a row of equal logits, that is, a uniform distribution.
"""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

BINS = 15
_LOG_TEMPERATURE_RANGE = (-7.0, 7.0)


def log_probabilities(logits: FloatArray, temperature: float = 1.0) -> FloatArray:
    """Return the logarithm of the softmax of logits ÷ temperature; same shape."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    scaled = scaled - scaled.max(axis=1, keepdims=True)
    return np.asarray(scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True)))


def negative_log_likelihood(logits: FloatArray, labels: IntArray, temperature: float = 1.0) -> float:
    """Return the mean of −log p(true class), in nats; a uniform prediction costs log(n_classes)."""
    found = log_probabilities(logits, temperature)
    return float(-np.mean(found[np.arange(labels.size), labels]))


def expected_calibration_error(
    logits: FloatArray, labels: IntArray, temperature: float = 1.0, *, equal_mass: bool, bins: int = BINS
) -> float:
    """Return the mean gap between the confidence of the predicted class and its accuracy.

    Args:
        logits, labels: See the module.
        temperature: Divides the logits.
        equal_mass: Bins of equally many predictions; else of equal width in [0, 1], empty ones skipped.
        bins: Number of bins.

    Source:
        Naeini et al., 2015, Obtaining well calibrated probabilities using Bayesian binning (equal width);
        Nguyen and O'Connor, 2015, Posterior calibration and exploratory analysis (equal mass).
    """
    found = log_probabilities(logits, temperature)
    # Rounding must not lift a certain prediction above one and so into its own bin.
    confidence = np.minimum(np.exp(found.max(axis=1)), 1.0)
    right = (found.argmax(axis=1) == labels).astype(np.float64)
    if equal_mass:
        order = np.argsort(confidence, kind="stable")
        parts = [part for part in np.array_split(order, bins) if part.size]
    else:
        edges = np.linspace(0.0, 1.0, bins + 1)
        # A confidence on an edge belongs to the bin below it, as in the source.
        bin_of = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
        parts = [np.flatnonzero(bin_of == k) for k in np.unique(bin_of)]
    gaps = [part.size * abs(float(confidence[part].mean() - right[part].mean())) for part in parts]
    return float(np.sum(gaps) / labels.size)


def smoothed_loss(logits: FloatArray, labels: IntArray, temperature: float = 1.0) -> float:
    """Return the mean cross entropy, in nats, with one unseen error in n + 2 expected of n predictions.

    The target of the true class is 1 − 1/(n + 2), and that of all other classes together is the rest: the
    posterior of a uniform prior after n right predictions in n. Without it, a head without errors on n
    predictions would be fitted to infinite confidence, at an infinite cost of its first test error.

    Source:
        Platt, 1999, Probabilistic outputs for support vector machines, section 2.2.
    """
    found = log_probabilities(logits, temperature)
    rows = np.arange(labels.size)
    others = found.copy()
    others[rows, labels] = -np.inf
    unseen = 1.0 / (labels.size + 2)
    loss = -(1.0 - unseen) * found[rows, labels] - unseen * np.logaddexp.reduce(others, axis=1)
    return float(np.mean(loss))


def fit_temperature(logits: FloatArray, labels: IntArray) -> float:
    """Return the temperature with the least smoothed loss on these predictions, of two classes or more.

    Raises:
        ValueError: No predictions.

    Source:
        Guo et al., 2017, On calibration of modern neural networks, section 4.2; targets after Platt, 1999.
    """
    if not labels.size:
        raise ValueError("expected predictions to fit a temperature to")
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda log_t: smoothed_loss(logits, labels, float(np.exp(log_t))),
        bounds=_LOG_TEMPERATURE_RANGE,
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(found.x))
