"""The head: features of a window, and of the wearer at rest where known → logits of activities.

Linear, after each feature was brought to a usual size: ten people are too few for more. What a wearer's rest
adds is by how much the first features (those of the rhythm) differ from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Standardised features further out than this say no more than that they are far out.
CLIP = 4.0


@dataclass(frozen=True, eq=False)
class Standardisation:
    """How inputs are brought to a usual size; all float64, shape (n_inputs,).

    Args:
        fill: Stands in for what is not known (NaN).
        mean, scale: Taken away, divided by.
    """

    fill: FloatArray
    mean: FloatArray
    scale: FloatArray

    @classmethod
    def of(cls, inputs: FloatArray) -> Standardisation:
        """Fit to inputs, float64, shape (n, n_inputs); one that is never known, or constant, will be 0."""
        known = np.isfinite(inputs)
        fill = np.array([np.median(x[k]) if k.any() else 0.0 for x, k in zip(inputs.T, known.T, strict=True)])
        filled = np.where(known, inputs, fill)
        deviation = filled.std(axis=0)
        return cls(fill, filled.mean(axis=0), np.where(deviation > 1e-9, deviation, 1.0))

    def apply(self, inputs: FloatArray) -> FloatArray:
        """Give inputs in their usual size, same shape."""
        filled = np.where(np.isfinite(inputs), inputs, self.fill)
        return np.asarray(np.clip((filled - self.mean) / self.scale, -CLIP, CLIP))


@dataclass(frozen=True, eq=False)
class LinearHead:
    """A fitted head.

    Args:
        standardisation: Of the inputs.
        weights: float64, shape (n_inputs, n_classes).
        bias: float64, shape (n_classes,).
    """

    standardisation: Standardisation
    weights: FloatArray
    bias: FloatArray

    def logits(self, inputs: FloatArray) -> FloatArray:
        """Score activities; float64, (n, n_inputs) → (n, n_classes)."""
        return np.asarray(self.standardisation.apply(inputs) @ self.weights + self.bias)

    def tempered(self, temperature: float) -> LinearHead:
        """Give the head whose logits are these divided by a temperature."""
        return LinearHead(self.standardisation, self.weights / temperature, self.bias / temperature)


def head_inputs(features: FloatArray, rest: FloatArray | None) -> FloatArray:
    """Put together what a head reads.

    Args:
        features: Of windows, float64, shape (n, n_features).
        rest: The first features of the same wearers at rest, shape (n, n_rest) or (n_rest,); None if not
            known.

    Returns:
        float64, shape (n, n_features) without rest, (n, n_features + n_rest) with it.
    """
    if rest is None:
        return features
    return np.hstack([features, features[:, : rest.shape[-1]] - rest])


def softmax(logits: FloatArray) -> FloatArray:
    """Give probabilities along the last axis, same shape."""
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True))
