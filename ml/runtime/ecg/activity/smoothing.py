"""Smoothing of activities over time by a hidden Markov model.

Activities change from one segment to the next with a small probability, to each other activity alike.
Smoothing forward and backward uses all segments; forward only uses the past, as in a live stream.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def stay_probability(step_s: float, dwell_s: float) -> float:
    """Return the probability of no change within a segment, for a mean duration of `dwell_s`."""
    return float(np.exp(-step_s / dwell_s))


def smooth(log_evidence: FloatArray, stay: float, *, forward_only: bool = False) -> FloatArray:
    """Return the probability of each activity in each segment.

    Args:
        log_evidence: log P(segment | activity), up to a constant per row; equal numbers are no evidence.
            float64, shape (n_segments, n_classes).
        stay: Probability of no change from one segment to the next, between 0 and 1.
        forward_only: Use past segments only.

    Returns:
        Rows sum to 1, float64, same shape.

    Raises:
        ValueError: Fewer than two activities, or a probability out of range.

    Source:
        Rabiner 1989, A tutorial on hidden Markov models, section III.B.
    """
    n_segments, n_classes = log_evidence.shape
    if n_classes < 2 or not 0.0 < stay <= 1.0:
        raise ValueError(f"expected two classes or more and 0 < stay <= 1, got {n_classes} and {stay}")
    evidence = np.exp(log_evidence - log_evidence.max(axis=1, keepdims=True))
    seen = np.empty((n_segments, n_classes))
    belief = np.full(n_classes, 1.0 / n_classes)
    for t in range(n_segments):
        belief = evidence[t] * (belief if t == 0 else _step(belief, stay))
        belief /= belief.sum()
        seen[t] = belief
    if forward_only:
        return seen
    ahead = np.ones(n_classes)
    for t in range(n_segments - 2, -1, -1):
        ahead = _step(evidence[t + 1] * ahead, stay)
        ahead /= ahead.max()
        seen[t] *= ahead
    return np.asarray(seen / seen.sum(axis=1, keepdims=True))


def temper(probabilities: FloatArray, temperature: float) -> FloatArray:
    """Soften probabilities, because errors persist over segments.

    Args:
        probabilities: Rows sum to 1, float64, shape (n_segments, n_classes).
        temperature: 1 changes nothing; larger values make activities more alike.

    Returns:
        Same shape; the order of activities does not change.
    """
    tempered = (probabilities / probabilities.max(axis=1, keepdims=True)) ** (1.0 / temperature)
    return np.asarray(tempered / tempered.sum(axis=1, keepdims=True))


def _step(belief: FloatArray, stay: float) -> FloatArray:
    """Advance by one segment; the same forward and backward, since changes are symmetric."""
    other = (1.0 - stay) / (belief.size - 1)
    return np.asarray((stay - other) * belief + other * belief.sum())
