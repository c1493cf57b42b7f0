"""The head: features of a window, and of the wearer at rest where known → logits of activities.

It is linear in standardized, clipped features: ten people are too few to fit more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Share of training values beyond the limits on either side. Inputs are clipped there: ten people do not show
# how a line continues further out.
OUTER_SHARE = 0.05


@dataclass(frozen=True, eq=False)
class Standardization:
    """Standardization of inputs; all float64, shape (n_inputs,).

    Args:
        fill: Replaces unknown inputs (NaN).
        mean, scale: Subtracted, then divided by.
        low, high: Limits of the quotient.
    """

    fill: FloatArray
    mean: FloatArray
    scale: FloatArray
    low: FloatArray
    high: FloatArray

    @classmethod
    def of(cls, inputs: FloatArray) -> Standardization:
        """Fit to inputs, float64, shape (n, n_inputs); an input that is always NaN or constant becomes 0."""
        known = np.isfinite(inputs)
        shares = (OUTER_SHARE, 0.5, 1.0 - OUTER_SHARE)
        low, fill, high = np.array(
            [
                np.quantile(x[k], shares) if k.any() else np.zeros(3)
                for x, k in zip(inputs.T, known.T, strict=True)
            ]
        ).T
        within = np.clip(np.where(known, inputs, fill), low, high)
        mean, deviation = within.mean(axis=0), within.std(axis=0)
        scale = np.where(deviation > 1e-9, deviation, 1.0)
        return cls(fill, mean, scale, (low - mean) / scale, (high - mean) / scale)

    def apply(self, inputs: FloatArray) -> FloatArray:
        """Return standardized inputs, same shape."""
        filled = np.where(np.isfinite(inputs), inputs, self.fill)
        return np.asarray(np.clip((filled - self.mean) / self.scale, self.low, self.high))


@dataclass(frozen=True, eq=False)
class LinearHead:
    """A fitted head.

    Args:
        standardization: Of the inputs.
        weights: float64, shape (n_inputs, n_classes).
        bias: float64, shape (n_classes,).
        contamination: Share of windows that are uninformative, whatever their scores.
    """

    standardization: Standardization
    weights: FloatArray
    bias: FloatArray
    contamination: float = 0.0

    def scores(self, inputs: FloatArray) -> FloatArray:
        """Score activities; float64, (n, n_inputs) → (n, n_classes)."""
        return np.asarray(self.standardization.apply(inputs) @ self.weights + self.bias)

    def logits(self, inputs: FloatArray) -> FloatArray:
        """Return log probabilities of activities; float64, (n, n_inputs) → (n, n_classes)."""
        return contaminated(self.scores(inputs), self.contamination)

    def calibrated(self, temperature: float, contamination: float) -> LinearHead:
        """Return this head with its scores divided by a temperature, and with a contamination."""
        return LinearHead(
            self.standardization, self.weights / temperature, self.bias / temperature, contamination
        )


class View(NamedTuple):
    """Inputs of one kind.

    Args:
        columns: Ascending, int64.
        share: Weight of the log probabilities of this view in the sum over all views.
    """

    columns: IntArray
    share: float


@dataclass(frozen=True, eq=False)
class FusedHead:
    """A head of several views: their log probabilities are weighted, summed and calibrated again.

    The contamination of each view bounds its log probabilities, so that a view that is confident and wrong
    does not outvote the others. Sums of raw scores have no such bound.

    Args:
        parts: A calibrated head for each view.
        views: The inputs that each of them reads.
        temperature: Divides the sum.
        contamination: Share of windows for which the sum is uninformative.

    Source:
        Genest and Zidek 1986, Combining probability distributions, section 3: the logarithmic opinion pool.
    """

    parts: tuple[LinearHead, ...]
    views: tuple[View, ...]
    temperature: float = 1.0
    contamination: float = 0.0

    def logits(self, inputs: FloatArray) -> FloatArray:
        """Return log probabilities of activities; float64, (n, n_inputs) → (n, n_classes)."""
        logits = [
            part.logits(inputs[:, view.columns]) for part, view in zip(self.parts, self.views, strict=True)
        ]
        return contaminated(added_up(logits, self.views), self.contamination, self.temperature)


def added_up(logits: Sequence[FloatArray], views: Sequence[View]) -> FloatArray:
    """Sum the log probabilities of views, weighted by their shares, float64, (n, n_classes)."""
    return np.tensordot([view.share for view in views], np.stack(logits), axes=1)


def contaminated(scores: FloatArray, contamination: float, temperature: float = 1.0) -> FloatArray:
    """Return log probabilities under the assumption that a share of all windows is uninformative.

    The probability of a class is (1 − share) · softmax + share ÷ n_classes. A temperature makes every window
    less confident because of a few confident errors; a share caps only the confident ones.

    Args:
        scores: float64, shape (n, n_classes).
        contamination: The share, from 0 to 1.
        temperature: Divides the scores.

    Returns:
        float64, same shape; the order of classes does not change.

    Source:
        Huber 1964, Robust estimation of a location parameter, section 3: the contaminated distribution.
    """
    scaled = scores / temperature
    scaled = scaled - scaled.max(axis=1, keepdims=True)
    found = scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))
    if contamination == 0.0:
        return np.asarray(found)
    nothing = np.log(contamination / found.shape[1])
    return np.asarray(np.logaddexp(np.log1p(-contamination) + found, nothing))


def softmax(logits: FloatArray) -> FloatArray:
    """Return probabilities along the last axis, same shape."""
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True))
