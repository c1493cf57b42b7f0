"""Mean beat → identity vector: a polarity functional, then discriminant axes with unit within-class scatter.

The fit uses eigenvectors and weighted least squares only. There is no network and no randomness: the same
data give the same weights.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.models.beat_views import BeatView, apply_views

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class BeatLdaConfig:
    """Args:
    dimensions: Length of the vector.
    shrinkage: Share of the within-class scatter replaced by its mean variance.
    reliability_power: Axes are scaled by (between / (between + within)) to this power; 0 is plain WCCN.
    polarity_ridge: Share of the mean variance added to the diagonal when fitting the polarity.
    """

    dimensions: int = 40
    shrinkage: float = 0.01
    reliability_power: float = 0.0
    polarity_ridge: float = 0.01


@dataclass(frozen=True)
class BeatLda:
    """A fitted encoder: vector = unit(projectionᵀ · (views(sign(polarity·x)·x) − mean)).

    Args:
        views: Views of a beat, see `ml.models.beat_views`.
        polarity: float64, shape (n_samples,).
        mean: float64, shape (n_features,), the views side by side.
        projection: float64, shape (n_features, dimensions).
    """

    views: tuple[BeatView, ...]
    polarity: FloatArray
    mean: FloatArray
    projection: FloatArray

    def vectors(self, shapes: NDArray[np.floating]) -> FloatArray:
        """Encode standardized beats; float, shape (n, n_samples) → unit vectors, (n, dimensions)."""
        features = apply_views(turn_upright(shapes, self.polarity), self.views)
        projected = (features - self.mean) @ self.projection
        return np.asarray(projected / np.linalg.norm(projected, axis=1, keepdims=True))


def turn_upright(shapes: NDArray[np.floating], polarity: FloatArray) -> FloatArray:
    """Negate the beats on which the polarity functional is negative; shape (n, n_samples) stays."""
    negative = shapes @ polarity < 0.0  # (n,)
    return np.asarray(np.where(negative[:, None], -shapes, shapes), dtype=np.float64)


POLARITY_ROUNDS = 50
# Beats with a margin below this share of the median margin have the most influence on the functional.
MARGIN_OFFSET = 2.0
MARGIN_STEEPNESS = 4.0
LEAST_WEIGHT = 0.02


def fit_polarity(shapes: FloatArray, ridge: float) -> FloatArray:
    """Find a linear functional that is far from zero on every beat, whichever its sign.

    It need not be known which recordings are inverted: it is enough that all recordings of a person fall on
    one side. The fit starts from the direction of the largest energy and is repeated on its own signs, with
    the most weight on beats near zero (a maximum-margin clustering).

    Args:
        shapes: Standardized beats, float64, shape (n, n_samples).
        ridge: Share of the mean variance added to the diagonal.

    Returns:
        Unit norm, its largest coefficient positive; float64, shape (n_samples,).
    """
    second_moment = shapes.T @ shapes / len(shapes)
    penalty = ridge * np.trace(second_moment) / len(second_moment) * np.eye(len(second_moment))
    functional = np.linalg.eigh(second_moment)[1][:, -1]
    for _ in range(POLARITY_ROUNDS):
        value = shapes @ functional
        sign = np.sign(value)
        margin = np.abs(value) / np.median(np.abs(value))
        weight = (
            1.0 / (1.0 + np.exp(np.minimum(MARGIN_STEEPNESS * margin - MARGIN_OFFSET, 50.0))) + LEAST_WEIGHT
        )
        weight /= weight.sum()
        moment = (shapes.T * weight) @ shapes
        functional = np.linalg.solve(moment + penalty, shapes.T @ (weight * sign))
        if np.array_equal(np.sign(shapes @ functional), sign):
            break
    functional = functional / np.linalg.norm(functional)
    return np.asarray(functional * np.sign(functional[np.argmax(np.abs(functional))]))


def fit_beat_lda(
    shapes: FloatArray,
    people: NDArray[np.int64],
    views: tuple[BeatView, ...],
    config: BeatLdaConfig,
    polarity: FloatArray | None = None,
) -> BeatLda:
    """Fit polarity, mean and discriminant axes.

    Args:
        shapes: Standardized beats, several per person, float64, shape (n, n_samples).
        people: Person of each beat, int64, shape (n,).
        views: Views of a beat that the axes read.
        config: Dimensions and regularization.
        polarity: Use this functional instead of fitting one.

    Raises:
        ValueError: Nobody has two beats, or there are fewer people than dimensions.

    Source:
        Fisher 1936; Hatch et al. 2006 (WCCN): the axes have unit within-class scatter.
    """
    if polarity is None:
        polarity = fit_polarity(shapes, config.polarity_ridge)
    upright = apply_views(turn_upright(shapes, polarity), views)
    mean = upright.mean(axis=0)
    within, between = _scatters(upright - mean, people)
    if len(np.unique(people)) <= config.dimensions:
        raise ValueError(f"{config.dimensions} dimensions need more people, found {len(np.unique(people))}")
    axes, ratio = _discriminant_axes(within, between, config)
    reliability = (ratio / (ratio + 1.0)) ** config.reliability_power
    return BeatLda(views=views, polarity=polarity, mean=mean, projection=axes * reliability)


def _scatters(centered: FloatArray, people: NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    _, row_person, beats = np.unique(people, return_inverse=True, return_counts=True)
    means = np.zeros((len(beats), centered.shape[1]))
    np.add.at(means, row_person, centered)
    means /= beats[:, None]
    freedom = int((beats - 1).sum())
    if freedom < 1:
        raise ValueError("within-class scatter needs people with two beats or more")
    residuals = centered - means[row_person]
    within = residuals.T @ residuals / freedom
    # Means of few beats scatter more than people do.
    between = np.cov(means.T) - within * np.mean(1.0 / beats)
    return np.asarray(within), np.asarray(between)


def _discriminant_axes(
    within: FloatArray, between: FloatArray, config: BeatLdaConfig
) -> tuple[FloatArray, FloatArray]:
    from scipy.linalg import eigh  # Only fitting needs it; serving stays quick to import.

    size = len(within)
    shrunk = (1.0 - config.shrinkage) * within + config.shrinkage * np.trace(within) / size * np.eye(size)
    ratio, axes = eigh(between, shrunk)
    order = np.argsort(ratio, kind="stable")[::-1][: config.dimensions]
    axes = axes[:, order]
    signs = np.sign(axes[np.argmax(np.abs(axes), axis=0), np.arange(axes.shape[1])])
    return axes * signs, np.maximum(ratio[order], 0.0)
