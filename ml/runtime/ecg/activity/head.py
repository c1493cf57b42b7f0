"""The head: features of a window, and of the wearer at rest where known → logits of activities.

Linear, after each feature was brought to a usual size: ten people are too few for more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Share of what was learned from that lies beyond the limits on either side. Further out, an input says no
# more than that it is far out: of ten people nobody can tell how a line goes on.
OUTER_SHARE = 0.05


@dataclass(frozen=True, eq=False)
class Standardisation:
    """How inputs are brought to a usual size; all float64, shape (n_inputs,).

    Args:
        fill: Stands in for what is not known (NaN).
        mean, scale: Taken away, divided by.
        low, high: Limits of the quotient.
    """

    fill: FloatArray
    mean: FloatArray
    scale: FloatArray
    low: FloatArray
    high: FloatArray

    @classmethod
    def of(cls, inputs: FloatArray) -> Standardisation:
        """Fit to inputs, float64, shape (n, n_inputs); one that is never known, or constant, will be 0."""
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
        """Return inputs in their usual size, same shape."""
        filled = np.where(np.isfinite(inputs), inputs, self.fill)
        return np.asarray(np.clip((filled - self.mean) / self.scale, self.low, self.high))


@dataclass(frozen=True, eq=False)
class LinearHead:
    """A fitted head.

    Args:
        standardization: Of the inputs.
        weights: float64, shape (n_inputs, n_classes).
        bias: float64, shape (n_classes,).
        contamination: Share of windows that say nothing, whatever their scores.
    """

    standardisation: Standardisation
    weights: FloatArray
    bias: FloatArray
    contamination: float = 0.0

    def scores(self, inputs: FloatArray) -> FloatArray:
        """Score activities; float64, (n, n_inputs) → (n, n_classes)."""
        return np.asarray(self.standardisation.apply(inputs) @ self.weights + self.bias)

    def logits(self, inputs: FloatArray) -> FloatArray:
        """Return log probabilities of activities; float64, (n, n_inputs) → (n, n_classes)."""
        return contaminated(self.scores(inputs), self.contamination)

    def calibrated(self, temperature: float, contamination: float) -> LinearHead:
        """Return the head whose scores are these divided by a temperature, of which a share says nothing."""
        return LinearHead(
            self.standardisation, self.weights / temperature, self.bias / temperature, contamination
        )


class View(NamedTuple):
    """Inputs of one kind.

    Args:
        columns: Ascending, int64.
        share: By which log probabilities of this view are multiplied before those of all views add up.
    """

    columns: IntArray
    share: float


@dataclass(frozen=True, eq=False)
class FusedHead:
    """A head of several views: their log probabilities, weighted, added up and calibrated again.

    What a view says is bounded by the share of its windows that say nothing, so that one that is sure and
    wrong does not outvote the others; sums of scores as they are know no such bound.

    Args:
        parts: A calibrated head of each view.
        views: What each of them reads.
        temperature: Divides the sum.
        contamination: Share of windows that say nothing even so.

    Source:
        Genest and Zidek 1986, Combining probability distributions, section 3: the logarithmic opinion pool.
    """

    parts: tuple[LinearHead, ...]
    views: tuple[View, ...]
    temperature: float = 1.0
    contamination: float = 0.0

    def logits(self, inputs: FloatArray) -> FloatArray:
        """Return log probabilities of activities; float64, (n, n_inputs) → (n, n_classes)."""
        told = [
            part.logits(inputs[:, view.columns]) for part, view in zip(self.parts, self.views, strict=True)
        ]
        return contaminated(added_up(told, self.views), self.contamination, self.temperature)


def added_up(logits: Sequence[FloatArray], views: Sequence[View]) -> FloatArray:
    """Weigh log probabilities by the shares of their views and add them up, float64, (n, n_classes)."""
    return np.tensordot([view.share for view in views], np.stack(logits), axes=1)


def contaminated(scores: FloatArray, contamination: float, temperature: float = 1.0) -> FloatArray:
    """Return log probabilities if a share of all windows says nothing, however sure the scores sound.

    The probability of a class is (1 − share) · softmax + share ÷ n_classes. A temperature has to make every
    window less sure for the sake of a few that are sure and wrong; a share takes from the sure ones.

    Args:
        scores: float64, shape (n, n_classes).
        contamination: The share, from 0 to 1.
        temperature: Divides the scores.

    Returns:
        float64, same shape; the order of classes stays.

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
