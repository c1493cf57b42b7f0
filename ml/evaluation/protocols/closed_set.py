"""E1: closed-set identification of 90 people. 3-s windows of ECG-ID, classified from frozen vectors.

The random split is leaky: windows of one recording fall into both parts. Its figures only compare with papers
that split like this. The same heads are also evaluated across recordings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.data.readers import read_ecg_id
from ml.evaluation.protocols.figures import Share, share_of_probes
from ml.evaluation.trials.trials import Cut, Presentation
from ml.metrics.confidence import (
    expected_calibration_error,
    fit_temperature,
    log_probabilities,
    negative_log_likelihood,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

WINDOW_S = 3.0
TRAINING_SHARE = 0.7
TEMPERATURE_SHARE = 0.2
COSINE_SCALE = 30.0
"""Multiplies the cosine before any temperature: the usual scale of margin-softmax heads."""
INVERSE_STRENGTH = 10.0
"""Weight of the logistic head's L2 penalty; set once, not tuned."""
_SEED = 20261120


@dataclass(frozen=True)
class Windows:
    """Vectors of windows, and their people.

    Args:
        vectors: Unit norm, NaN where a window could not be acquired; float, shape (n, d).
        labels: Index of the person, int64, shape (n,).
    """

    vectors: NDArray[np.floating]
    labels: IntArray

    def __getitem__(self, rows: IntArray) -> "Windows":
        return Windows(self.vectors[rows], self.labels[rows])

    @property
    def acquired(self) -> NDArray[np.bool_]:
        """Mask of windows with a vector; shape (n,)."""
        return np.asarray(np.isfinite(self.vectors).all(axis=1))


@dataclass(frozen=True)
class Split:
    """Rows for fitting a head, for its temperature, and for the test; disjoint."""

    name: str
    fit: IntArray
    temperature: IntArray
    test: IntArray


def ecg_id_windows(data: Path) -> list[Presentation]:
    """Return the consecutive 3-s windows of all 310 recordings, six of each."""
    return [
        Presentation.of(Cut(record, k * WINDOW_S, (k + 1) * WINDOW_S))
        for record in read_ecg_id(data / "ecg" / "ecg_id")
        for k in range(int(record.duration_s // WINDOW_S))
    ]


def random_split(labels: IntArray, *, seed: int = _SEED) -> Split:
    """Split the windows of each person 7 : 3, and take a fifth of the 7 for the temperature."""
    generator = np.random.default_rng(seed)
    parts: list[tuple[IntArray, IntArray, IntArray]] = []
    for person in np.unique(labels):
        rows = generator.permutation(np.flatnonzero(labels == person))
        training = round(TRAINING_SHARE * rows.size)
        held = round(TEMPERATURE_SHARE * training)
        parts.append((rows[held:training], rows[:held], rows[training:]))
    fit, temperature, test = (np.sort(np.concatenate([p[k] for p in parts])) for k in range(3))
    return Split("random windows 7:3 (leaky)", fit, temperature, test)


def recording_split(labels: IntArray, recordings: Sequence[str], *, seed: int = _SEED) -> Split:
    """Fit on rec_1 except one window, which sets the temperature; test on rec_2."""
    generator = np.random.default_rng(seed)
    names = np.array([name.rpartition("/")[2] for name in recordings])
    both = [p for p in np.unique(labels) if np.any((labels == p) & (names == "rec_2"))]
    first = [generator.permutation(np.flatnonzero((labels == p) & (names == "rec_1"))) for p in both]
    return Split(
        "rec_1 → rec_2",
        np.sort(np.concatenate([rows[1:] for rows in first])),
        np.sort(np.concatenate([rows[:1] for rows in first])),
        np.flatnonzero(np.isin(labels, both) & (names == "rec_2")),
    )


def template_logits(training: Windows, vectors: NDArray[np.floating], n_classes: int) -> FloatArray:
    """Cosine with the mean of each class's training vectors, times `COSINE_SCALE`; shape (n, n_classes)."""
    sums = np.zeros((n_classes, training.vectors.shape[1]))
    np.add.at(sums, training.labels, training.vectors.astype(np.float64))
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(COSINE_SCALE * vectors @ (sums / np.maximum(norms, 1e-12)).T)


def logistic_logits(training: Windows, vectors: NDArray[np.floating], n_classes: int) -> FloatArray:
    """Logits of a multinomial logistic regression with L2 penalty; shape (n, n_classes)."""
    from scipy.optimize import minimize

    features = _with_bias(training.vectors)
    targets = np.zeros((features.shape[0], n_classes))
    targets[np.arange(features.shape[0]), training.labels] = 1.0
    shape = (features.shape[1], n_classes)

    def loss(flat: FloatArray) -> tuple[float, FloatArray]:
        weights = flat.reshape(shape)
        log_p = log_probabilities(features @ weights)
        penalized = np.vstack([weights[:-1], np.zeros((1, n_classes))])  # The bias is free.
        value = -INVERSE_STRENGTH * float(np.sum(targets * log_p)) + 0.5 * float(np.sum(penalized**2))
        gradient = INVERSE_STRENGTH * features.T @ (np.exp(log_p) - targets) + penalized
        return value, gradient.ravel()

    found = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return np.asarray(_with_bias(vectors) @ found.x.reshape(shape))


HEADS = {"template cosine": template_logits, "logistic": logistic_logits}


@dataclass(frozen=True)
class ClosedSetFigures:
    """One head on one split.

    Args:
        split, head: Names.
        people: Classes in the test.
        windows: Used for fitting, for the temperature, and in the test.
        failures: Test windows without a vector; each is an error and a uniform distribution.
        errors: Of the test windows.
        temperature: Fitted on training windows.
        before, after: `nll` in nats, `ece_equal_mass` and `ece_equal_width`, without and with temperature.
    """

    split: str
    head: str
    people: int
    windows: tuple[int, int, int]
    failures: int
    errors: Share
    temperature: float
    before: Mapping[str, float]
    after: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        fit, temperature, test = self.windows
        return {
            "split": self.split,
            "head": self.head,
            "people": self.people,
            "windows": {"fit": fit, "temperature": temperature, "test": test},
            "failures_to_acquire": self.failures,
            "errors": self.errors.to_dict(),
            "accuracy": 1.0 - self.errors.value,
            "temperature": self.temperature,
            "before": dict(self.before),
            "after": dict(self.after),
        }


def closed_set_figures(windows: Windows, split: Split, head: str) -> ClosedSetFigures:
    """Fit a head and its temperature on the training windows, and evaluate it on the test windows.

    Args:
        windows: All of them.
        split: Rows of each part.
        head: One of `HEADS`.
    """
    n_classes = int(windows.labels.max()) + 1
    fit, held, test = (windows[rows] for rows in (split.fit, split.temperature, split.test))
    fit, held = fit[np.flatnonzero(fit.acquired)], held[np.flatnonzero(held.acquired)]
    # People in neither part are no candidates: their class would have no template.
    known = np.unique(fit.labels)
    both = np.vstack([held.vectors, np.where(test.acquired[:, None], test.vectors, 0.0)])
    logits = HEADS[head](fit, both, n_classes)[:, known]
    held_logits, test_logits = logits[: held.labels.size], logits[held.labels.size :]
    test_logits = np.where(test.acquired[:, None], test_logits, 0.0)  # No vector: uniform.
    held_labels, test_labels = np.searchsorted(known, held.labels), np.searchsorted(known, test.labels)
    temperature = fit_temperature(held_logits, held_labels)
    wrong = (test_logits.argmax(axis=1) != test_labels) | ~test.acquired
    return ClosedSetFigures(
        split=split.name,
        head=head,
        people=int(np.unique(test.labels).size),
        windows=(fit.labels.size, held.labels.size, test.labels.size),
        failures=int(np.count_nonzero(~test.acquired)),
        errors=share_of_probes(wrong, test_labels),
        temperature=temperature,
        before=_confidence(test_logits, test_labels, 1.0),
        after=_confidence(test_logits, test_labels, temperature),
    )


def _confidence(logits: FloatArray, labels: IntArray, temperature: float) -> dict[str, float]:
    return {
        "nll": negative_log_likelihood(logits, labels, temperature),
        "ece_equal_mass": expected_calibration_error(logits, labels, temperature, equal_mass=True),
        "ece_equal_width": expected_calibration_error(logits, labels, temperature, equal_mass=False),
    }


def _with_bias(vectors: NDArray[np.floating]) -> FloatArray:
    return np.hstack([vectors.astype(np.float64), np.ones((len(vectors), 1))])


def all_closed_sets(
    presented: Sequence[Presentation], vectors: NDArray[np.floating]
) -> list[ClosedSetFigures]:
    """Evaluate every head on both splits.

    Args:
        presented: Result of `ecg_id_windows`.
        vectors: Of its windows, unit norm, NaN where one could not be acquired; float, shape (n, d).
    """
    people = {name: k for k, name in enumerate(sorted({one.subject_id for one in presented}))}
    labels = np.array([people[one.subject_id] for one in presented], dtype=np.int64)
    splits = (
        random_split(labels),
        recording_split(labels, [one.cuts[0].record.record_id for one in presented]),
    )
    return [closed_set_figures(Windows(vectors, labels), split, head) for split in splits for head in HEADS]
