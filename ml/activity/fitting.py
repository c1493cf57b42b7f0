"""Fit a head to windows of people, and choose how by leaving one of them out after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.activity.head import FloatArray, LinearHead, Standardisation
from ml.evaluation.confidence import fit_temperature, negative_log_likelihood

IntArray = NDArray[np.int64]

# Share of the within-class covariance that is replaced by a sphere of its size.
SHRINKAGES = (0.05, 0.1, 0.2, 0.35, 0.5, 0.7)


@dataclass(frozen=True, eq=False)
class Examples:
    """Windows to learn from; one row each.

    Args:
        inputs: As of `ml.activity.head.head_inputs`, float64, shape (n, n_inputs).
        classes: Indices, int64, shape (n,).
        people: Whose windows, any numbers, int64, shape (n,).
        asked: Whether a window counts where figures are taken, bool, shape (n,).
    """

    inputs: FloatArray
    classes: IntArray
    people: IntArray
    asked: NDArray[np.bool_]

    def where(self, chosen: NDArray[np.bool_]) -> Examples:
        """Give some of the windows."""
        return Examples(self.inputs[chosen], self.classes[chosen], self.people[chosen], self.asked[chosen])


@dataclass(frozen=True, eq=False)
class FittedHead:
    """A head with true probabilities, and what made it so.

    Args:
        head: Its logits are already divided by the temperature.
        shrinkage, temperature: Chosen on people left out.
        left_out_logits: Of the windows it was fitted to, each by a head that did not know the person, at
            the temperature; float64, shape (n, n_classes).
    """

    head: LinearHead
    shrinkage: float
    temperature: float
    left_out_logits: FloatArray


def fit_discriminants(
    inputs: FloatArray, classes: IntArray, n_classes: int, shrinkages: Sequence[float]
) -> list[LinearHead]:
    """Fit normal distributions of one covariance; every class is as likely as any other beforehand.

    Args:
        inputs: float64, shape (n, n_inputs); NaN is not known.
        classes: Indices, int64, shape (n,), each class at least once.
        n_classes: Their number.
        shrinkages: From 0 (covariance as found) to 1 (a sphere); a head for each.

    Source:
        Friedman 1989, Regularized discriminant analysis, equation 18 with λ = 1.
    """
    standardisation = Standardisation.of(inputs)
    x = standardisation.apply(inputs)
    means = np.stack([x[classes == k].mean(axis=0) for k in range(n_classes)])
    within = x - means[classes]
    scatter = within.T @ within / len(x)
    sphere = np.eye(len(scatter)) * np.trace(scatter) / len(scatter)
    heads = []
    for shrinkage in shrinkages:
        weights = np.linalg.solve((1.0 - shrinkage) * scatter + shrinkage * sphere, means.T)
        heads.append(LinearHead(standardisation, weights, -0.5 * (means.T * weights).sum(axis=0)))
    return heads


def fit_head(examples: Examples, n_classes: int, shrinkages: Sequence[float] = SHRINKAGES) -> FittedHead:
    """Fit a head to all people, with the shrinkage and temperature that suit people left out best.

    Raises:
        ValueError: Fewer than two people.
    """
    asked, truth = examples.asked, examples.classes[examples.asked]
    left_out = left_out_logits(examples, n_classes, shrinkages)
    temperatures = [fit_temperature(logits[asked], truth) for logits in left_out]
    loss = [
        negative_log_likelihood(logits[asked], truth, temperature)
        for logits, temperature in zip(left_out, temperatures, strict=True)
    ]
    best = int(np.argmin(loss))
    shrinkage, temperature = shrinkages[best], temperatures[best]
    [head] = fit_discriminants(examples.inputs, examples.classes, n_classes, [shrinkage])
    return FittedHead(head.tempered(temperature), shrinkage, temperature, left_out[best] / temperature)


def left_out_logits(examples: Examples, n_classes: int, shrinkages: Sequence[float]) -> FloatArray:
    """Score each person's windows by heads fitted to all others.

    Returns:
        float64, shape (n_shrinkages, n, n_classes).

    Raises:
        ValueError: Fewer than two people.
    """
    people = np.unique(examples.people)
    if people.size < 2:
        raise ValueError(f"expected two people or more to leave one of them out, got {people.size}")
    logits = np.empty((len(shrinkages), len(examples.classes), n_classes))
    for person in people:
        own = examples.people == person
        others = examples.where(~own)
        for row, head in enumerate(fit_discriminants(others.inputs, others.classes, n_classes, shrinkages)):
            logits[row, own] = head.logits(examples.inputs[own])
    return logits
