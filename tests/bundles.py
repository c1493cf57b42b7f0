"""Small bundles and mean beats for tests, made from people who do not exist."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.calibration import CohortScores, fit_calibration
from ml.encoder import EcgEncoder
from ml.export import beat_lda_network, write_bundle
from ml.models.beat_lda import BeatLda, BeatLdaConfig, fit_beat_lda
from ml.models.beat_views import beat_views
from ml.models.mean_beat import MeanBeatConfig
from ml.training.recipe import BundleNames, Recipe

MEAN_BEAT = MeanBeatConfig()
VIEWS = beat_views(MEAN_BEAT.n_samples, round(MEAN_BEAT.before_s * MEAN_BEAT.fs_hz), MEAN_BEAT.fs_hz)
LDA = BeatLdaConfig(dimensions=8)
RECIPE = Recipe(bundle=BundleNames("tiny", "1", "Apache-2.0"), lda=LDA, sha256="0" * 64)


def beat_shapes(n_people: int = 30, n_takes: int = 4) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Standardised beats with a common R wave and personal bumps, every third person upside down."""
    rng = np.random.default_rng(7)
    time_s = np.arange(MEAN_BEAT.n_samples) / MEAN_BEAT.fs_hz - MEAN_BEAT.before_s
    shapes, people = [], []
    for person in range(n_people):
        centres = rng.uniform(-0.2, 0.4, 5)
        heights = 0.2 * rng.standard_normal(5)
        bumps = heights @ np.exp(-((time_s - centres[:, None]) ** 2) / 0.001)
        for _ in range(n_takes):
            beat = np.exp(-(time_s**2) / 0.0004) + bumps + 0.02 * rng.standard_normal(time_s.size)
            shapes.append(-beat if person % 3 == 0 else beat)
            people.append(person)
    stacked = np.array(shapes)
    centred = stacked - stacked.mean(axis=1, keepdims=True)
    return centred / centred.std(axis=1, keepdims=True), np.array(people)


def fitted_lda() -> BeatLda:
    """An encoder fitted to `beat_shapes`."""
    shapes, people = beat_shapes()
    return fit_beat_lda(shapes, people, VIEWS, LDA)


def write_tiny_bundle(models: Path) -> EcgEncoder:
    """Write `models/tiny@1`: real network, calibration fitted to noise."""
    rng = np.random.default_rng(3)
    cosine = np.clip(0.3 * rng.standard_normal((40, 40)) + 0.6 * np.eye(40), -1.0, 1.0)
    sides = np.full(40, 10.0), np.full(40, 0.8), np.full(40, 10.0), np.full(40, 0.8)
    calibration = fit_calibration([CohortScores(cosine, *sides)], replicates=5)
    return write_bundle(
        models,
        RECIPE,
        beat_lda_network(fitted_lda()),
        calibration,
        calibration_data={"people": 40, "set": "noise", "non_mated_pairs": 780},
        operating_points=[],
        vector_size=LDA.dimensions,
    )
