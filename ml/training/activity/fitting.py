"""Fit a head to windows of people, and choose its settings by leave-one-person-out cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ml.metrics.confidence import fit_temperature, negative_log_likelihood, smoothed_loss
from ml.runtime.ecg.activity.head import (
    FloatArray,
    FusedHead,
    IntArray,
    LinearHead,
    Standardization,
    View,
    added_up,
    contaminated,
)

# Scores and classes of windows → temperature and contamination.
Calibrate = Callable[[FloatArray, IntArray], tuple[float, float]]

# Share of the within-class covariance that is replaced by a sphere of the same trace.
SHRINKAGES = (0.05, 0.1, 0.2, 0.35, 0.5, 0.7)
# Weight of the variance between the two sensors: so large that inputs along that direction hardly matter,
# whatever the covariance within classes.
OTHER_SENSOR_WEIGHT = 10.0
# Limits of the contamination: never 0, since no errors among n windows prove nothing.
CONTAMINATIONS = (1e-3, 0.3)


@dataclass(frozen=True, eq=False)
class Examples:
    """Windows to fit a head to; one row each.

    Args:
        inputs: As in `ml.training.activity.inputs.head_inputs`, float64, shape (n, n_inputs).
        classes: Indices, int64, shape (n,).
        people: Person of each window, any numbers, int64, shape (n,).
        evaluated: Whether a window counts when choices are evaluated, bool, shape (n,).
        other_sensor: The first inputs of other people in class 0, with another sensor, float64, shape
            (n_windows, n_known); None without them. They show which differences come from the sensor.
        views: Inputs of different kinds, each fitted by itself; empty if all are of one kind.
    """

    inputs: FloatArray
    classes: IntArray
    people: IntArray
    evaluated: NDArray[np.bool_]
    other_sensor: FloatArray | None = None
    views: tuple[View, ...] = ()

    @property
    def parts(self) -> tuple[View, ...]:
        """The views, or one view of all inputs."""
        return self.views or (View(np.arange(self.inputs.shape[1]), 1.0),)

    def seen(self, view: View) -> Examples:
        """Return the examples with the inputs of one view only."""
        columns, other_sensor = view.columns, None
        if self.other_sensor is not None and (known := columns[columns < self.other_sensor.shape[1]]).size:
            other_sensor = self.other_sensor[:, known]
        return replace(self, inputs=self.inputs[:, columns], other_sensor=other_sensor, views=())

    def where(self, chosen: NDArray[np.bool_]) -> Examples:
        """Return a subset of the windows."""
        return replace(
            self,
            inputs=self.inputs[chosen],
            classes=self.classes[chosen],
            people=self.people[chosen],
            evaluated=self.evaluated[chosen],
        )


class ViewChoices(NamedTuple):
    """Settings of a view chosen on held-out people: shrinkage, temperature and contamination."""

    shrinkage: float
    temperature: float
    contamination: float


@dataclass(frozen=True)
class HeadChoices:
    """Settings of a head chosen on held-out people.

    Args:
        views: Of each view by itself.
        temperature, contamination: Of the sum of the views; 1 and 0 for a single view.
    """

    views: tuple[ViewChoices, ...]
    temperature: float = 1.0
    contamination: float = 0.0


@dataclass(frozen=True, eq=False)
class FittedHead:
    """A calibrated head, and how it was chosen.

    Args:
        head: Calibrated.
        choices: Made on held-out people.
        left_out_logits: Calibrated logits of the training windows, each by a head fitted without its person;
            float64, shape (n, n_classes).
    """

    head: FusedHead
    choices: HeadChoices
    left_out_logits: FloatArray


def fit_discriminants(examples: Examples, n_classes: int, shrinkages: Sequence[float]) -> list[LinearHead]:
    """Fit linear discriminants: normal distributions with one covariance and equal priors.

    The difference between people of class 0 with either sensor is added to the covariance within classes, so
    that the head ignores that direction, whatever the class.

    Args:
        examples: At least one of each class; all of them are used.
        n_classes: Their number.
        shrinkages: From 0 (covariance as estimated) to 1 (a sphere); one head for each.

    Source:
        Friedman 1989, Regularized discriminant analysis, equation 18 with λ = 1. For the added direction,
        Hatch et al. 2006, Within-class covariance normalization for SVM-based speaker recognition.
    """
    standardization, classes = Standardization.of(examples.inputs), examples.classes
    x = standardization.apply(examples.inputs)
    means = np.stack([x[classes == k].mean(axis=0) for k in range(n_classes)])
    within = x - means[classes]
    scatter = within.T @ within / len(x)
    sphere = np.eye(len(scatter)) * np.trace(scatter) / len(scatter)
    if examples.other_sensor is not None:
        away = _offset(standardization, means[0], examples.other_sensor)
        scatter = scatter + OTHER_SENSOR_WEIGHT * np.outer(away, away)
    heads = []
    for shrinkage in shrinkages:
        weights = np.linalg.solve((1.0 - shrinkage) * scatter + shrinkage * sphere, means.T)
        heads.append(LinearHead(standardization, weights, -0.5 * (means.T * weights).sum(axis=0)))
    return heads


def _offset(standardization: Standardization, here: FloatArray, other_sensor: FloatArray) -> FloatArray:
    """Difference of the means of the two sensors; 0 for inputs that the other sensor lacks."""
    n_known = other_sensor.shape[1]
    inputs = np.full((len(other_sensor), here.size), np.nan)
    inputs[:, :n_known] = other_sensor
    away = standardization.apply(inputs).mean(axis=0) - here
    return np.where(np.arange(here.size) < n_known, away, 0.0)


def fit_calibration(scores: FloatArray, classes: IntArray) -> tuple[float, float]:
    """Return the temperature and contamination with the least smoothed loss.

    Args:
        scores: Of windows, float64, shape (n, n_classes).
        classes: Their true classes, int64, shape (n,).

    Raises:
        ValueError: No windows.
    """
    from scipy.optimize import minimize

    def loss(found: FloatArray) -> float:
        return smoothed_loss(contaminated(scores, found[1], float(np.exp(found[0]))), classes)

    alone = np.log(fit_temperature(scores, classes))
    bounds = ((alone - 3.0, alone + 3.0), CONTAMINATIONS)
    found = minimize(loss, (alone, 0.02), method="L-BFGS-B", bounds=bounds)
    return float(np.exp(found.x[0])), float(found.x[1])


def fit_head(
    examples: Examples,
    n_classes: int,
    shrinkages: Sequence[float] = SHRINKAGES,
    calibrate: Calibrate = fit_calibration,
) -> FittedHead:
    """Fit a head to all people, with the settings that are best on held-out people.

    Each view is fitted by itself, and their log probabilities are summed. In one covariance, many inputs of
    one kind would drown the few of another.

    Args:
        examples: Training windows.
        n_classes: Number of classes.
        shrinkages: Candidates for each view.
        calibrate: Fits temperature and contamination.

    Raises:
        ValueError: Fewer than two people.
    """
    evaluated, truth = examples.evaluated, examples.classes[examples.evaluated]
    chosen = [choose_view(examples.seen(v), n_classes, shrinkages, calibrate) for v in examples.parts]
    choices = HeadChoices(tuple(found for found, _ in chosen))
    left_out = added_up([logits for _, logits in chosen], examples.parts)
    if len(chosen) > 1:
        choices = HeadChoices(choices.views, *calibrate(left_out[evaluated], truth))
        left_out = contaminated(left_out, choices.contamination, choices.temperature)
    return FittedHead(fit_chosen_head(examples, n_classes, choices), choices, left_out)


def fit_chosen_head(examples: Examples, n_classes: int, choices: HeadChoices) -> FusedHead:
    """Fit a head to all people with given settings."""
    parts = []
    for view, (shrinkage, temperature, contamination) in zip(examples.parts, choices.views, strict=True):
        [head] = fit_discriminants(examples.seen(view), n_classes, [shrinkage])
        parts.append(head.calibrated(temperature, contamination))
    return FusedHead(tuple(parts), examples.parts, choices.temperature, choices.contamination)


def choose_view(
    examples: Examples,
    n_classes: int,
    shrinkages: Sequence[float] = SHRINKAGES,
    calibrate: Calibrate = fit_calibration,
) -> tuple[ViewChoices, FloatArray]:
    """Choose the settings that are best on held-out people; arguments and errors as in `fit_head`.

    Returns:
        The choices, and with them the log probabilities of all windows, each by a head fitted without its
        person.
    """
    evaluated, truth = examples.evaluated, examples.classes[examples.evaluated]
    tried = []
    for shrinkage, scores in zip(shrinkages, left_out_scores(examples, n_classes, shrinkages), strict=True):
        choices = ViewChoices(shrinkage, *calibrate(scores[evaluated], truth))
        logits = contaminated(scores, choices.contamination, choices.temperature)
        tried.append((negative_log_likelihood(logits[evaluated], truth), choices, logits))
    _, choices, logits = min(tried, key=lambda one: one[0])
    return choices, logits


def left_out_scores(examples: Examples, n_classes: int, shrinkages: Sequence[float]) -> FloatArray:
    """Score each person's windows by heads fitted to all others.

    Returns:
        float64, shape (n_shrinkages, n, n_classes).

    Raises:
        ValueError: Fewer than two people.
    """
    people = np.unique(examples.people)
    if people.size < 2:
        raise ValueError(f"expected two people or more to leave one out, got {people.size}")
    scores = np.empty((len(shrinkages), len(examples.classes), n_classes))
    for person in people:
        own = examples.people == person
        others = examples.where(~own)
        for row, head in enumerate(fit_discriminants(others, n_classes, shrinkages)):
            scores[row, own] = head.scores(examples.inputs[own])
    return scores
