"""Fit a head to windows of people, and choose how by leaving one of them out after another."""

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
    Standardisation,
    View,
    added_up,
    contaminated,
)

# Scores and classes of windows → temperature and contamination.
Calibrate = Callable[[FloatArray, IntArray], tuple[float, float]]

# Share of the within-class covariance that is replaced by a sphere of its size.
SHRINKAGES = (0.05, 0.1, 0.2, 0.35, 0.5, 0.7)
# How many times the variance between people here and elsewhere counts: so large that what lies along that
# direction hardly matters, whatever was found within classes.
ELSEWHERE_WEIGHT = 10.0
# Of all windows, how many may say nothing: never none, since none of n is no proof.
CONTAMINATIONS = (1e-3, 0.3)


@dataclass(frozen=True, eq=False)
class Examples:
    """Windows to learn from; one row each.

    Args:
        inputs: As in `ml.training.activity.inputs.head_inputs`, float64, shape (n, n_inputs).
        classes: Indices, int64, shape (n,).
        people: Whose windows, any numbers, int64, shape (n,).
        asked: Whether a window counts where figures are taken, bool, shape (n,).
        elsewhere: The first inputs of other people in class 0, with another sensor; they teach what of an
            input is a matter of sensor and people. float64, shape (n_elsewhere, n_told); None for nobody.
        views: Inputs of different kinds, which are fitted each by itself; empty if all are of one kind.
    """

    inputs: FloatArray
    classes: IntArray
    people: IntArray
    asked: NDArray[np.bool_]
    elsewhere: FloatArray | None = None
    views: tuple[View, ...] = ()

    @property
    def parts(self) -> tuple[View, ...]:
        """The views; one of everything where there are none."""
        return self.views or (View(np.arange(self.inputs.shape[1]), 1.0),)

    def seen(self, view: View) -> Examples:
        """Return the inputs of a view, as if there were no others."""
        columns, elsewhere = view.columns, None
        if self.elsewhere is not None and (told := columns[columns < self.elsewhere.shape[1]]).size:
            elsewhere = self.elsewhere[:, told]
        return replace(self, inputs=self.inputs[:, columns], elsewhere=elsewhere, views=())

    def where(self, chosen: NDArray[np.bool_]) -> Examples:
        """Return some of the windows."""
        return replace(
            self,
            inputs=self.inputs[chosen],
            classes=self.classes[chosen],
            people=self.people[chosen],
            asked=self.asked[chosen],
        )


class ViewChoices(NamedTuple):
    """What of a view is chosen on people left out: shrinkage, temperature and contamination."""

    shrinkage: float
    temperature: float
    contamination: float


@dataclass(frozen=True)
class HeadChoices:
    """What of a head is chosen on people left out.

    Args:
        views: Of each view by itself.
        temperature, contamination: Of what they say together; 1 and 0 of a single view.
    """

    views: tuple[ViewChoices, ...]
    temperature: float = 1.0
    contamination: float = 0.0


@dataclass(frozen=True, eq=False)
class FittedHead:
    """A head with true probabilities, and what made it so.

    Args:
        head: Calibrated.
        choices: Made on people left out.
        left_out_logits: Of the windows it was fitted to, each by a head that did not know the person,
            calibrated; float64, shape (n, n_classes).
    """

    head: FusedHead
    choices: HeadChoices
    left_out_logits: FloatArray


def fit_discriminants(examples: Examples, n_classes: int, shrinkages: Sequence[float]) -> list[LinearHead]:
    """Fit normal distributions of one covariance; every class is as likely as any other beforehand.

    How people of class 0 elsewhere differ from those here counts as one more way in which windows of a class
    differ, so that a difference along that direction says next to nothing, whatever the class.

    Args:
        examples: Each class at least once; all of them are learned from.
        n_classes: Their number.
        shrinkages: From 0 (covariance as found) to 1 (a sphere); a head for each.

    Source:
        Friedman 1989, Regularized discriminant analysis, equation 18 with λ = 1; for what is added, Hatch et
        al. 2006, Within-class covariance normalization for SVM-based speaker recognition.
    """
    standardisation, classes = Standardisation.of(examples.inputs), examples.classes
    x = standardisation.apply(examples.inputs)
    means = np.stack([x[classes == k].mean(axis=0) for k in range(n_classes)])
    within = x - means[classes]
    scatter = within.T @ within / len(x)
    sphere = np.eye(len(scatter)) * np.trace(scatter) / len(scatter)
    if examples.elsewhere is not None:
        away = _offset(standardisation, means[0], examples.elsewhere)
        scatter = scatter + ELSEWHERE_WEIGHT * np.outer(away, away)
    heads = []
    for shrinkage in shrinkages:
        weights = np.linalg.solve((1.0 - shrinkage) * scatter + shrinkage * sphere, means.T)
        heads.append(LinearHead(standardisation, weights, -0.5 * (means.T * weights).sum(axis=0)))
    return heads


def _offset(standardisation: Standardisation, here: FloatArray, elsewhere: FloatArray) -> FloatArray:
    """How far the mean of people elsewhere is from that of people here; 0 for inputs not told of them."""
    n_told = elsewhere.shape[1]
    inputs = np.full((len(elsewhere), here.size), np.nan)
    inputs[:, :n_told] = elsewhere
    away = standardisation.apply(inputs).mean(axis=0) - here
    return np.where(np.arange(here.size) < n_told, away, 0.0)


def fit_calibration(scores: FloatArray, classes: IntArray) -> tuple[float, float]:
    """Return the temperature and the contamination that together have the least smoothed loss.

    Args:
        scores: Of windows, float64, shape (n, n_classes).
        classes: What they are, int64, shape (n,).

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
    """Fit a head to all people, with the choices that suit people left out best.

    Each view is fitted by itself, and their log probabilities add up. In one covariance many inputs of one
    kind would drown few of another.

    Args:
        examples: To learn from.
        n_classes: Their number.
        shrinkages: To choose from, for each view.
        calibrate: Finds temperature and contamination.

    Raises:
        ValueError: Fewer than two people.
    """
    asked, truth = examples.asked, examples.classes[examples.asked]
    chosen = [choose_view(examples.seen(v), n_classes, shrinkages, calibrate) for v in examples.parts]
    choices = HeadChoices(tuple(found for found, _ in chosen))
    left_out = added_up([logits for _, logits in chosen], examples.parts)
    if len(chosen) > 1:
        choices = HeadChoices(choices.views, *calibrate(left_out[asked], truth))
        left_out = contaminated(left_out, choices.contamination, choices.temperature)
    return FittedHead(fit_chosen_head(examples, n_classes, choices), choices, left_out)


def fit_chosen_head(examples: Examples, n_classes: int, choices: HeadChoices) -> FusedHead:
    """Fit a head to all people, choosing nothing."""
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
    """Choose what suits people left out best; arguments and errors as in `fit_head`.

    Returns:
        The choices, and with them the log probabilities of all windows, each by a head that did not know the
        person.
    """
    asked, truth = examples.asked, examples.classes[examples.asked]
    tried = []
    for shrinkage, scores in zip(shrinkages, left_out_scores(examples, n_classes, shrinkages), strict=True):
        choices = ViewChoices(shrinkage, *calibrate(scores[asked], truth))
        logits = contaminated(scores, choices.contamination, choices.temperature)
        tried.append((negative_log_likelihood(logits[asked], truth), choices, logits))
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
        raise ValueError(f"expected two people or more to leave one of them out, got {people.size}")
    scores = np.empty((len(shrinkages), len(examples.classes), n_classes))
    for person in people:
        own = examples.people == person
        others = examples.where(~own)
        for row, head in enumerate(fit_discriminants(others, n_classes, shrinkages)):
            scores[row, own] = head.scores(examples.inputs[own])
    return scores
