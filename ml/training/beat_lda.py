"""Fitting of the mean-beat encoder: recordings → mean beats and their variations → polarity and axes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.data.augmentation import high_pass_like_a_sensor, vary_repolarisation
from ml.data.readers import read_cinc2017
from ml.data.splits import cinc_split, digest
from ml.models.beat_lda import BeatLda, fit_beat_lda, fit_polarity
from ml.models.beat_views import BeatView, beat_views
from ml.models.mean_beat import FIDUCIAL_REACH_S, MeanBeatConfig, align_beats, beat_shape, mean_beat
from ml.signal.constants import WORKING_FS_HZ
from ml.training.recipe import Recipe, VariationConfig
from ml.training.strips import RawStrip, Strip, condition_strips

FloatArray = NDArray[np.float64]
# The filter settles for this long before a varied segment begins.
LEAD_IN_S = 2.0


def training_strips(data: Path, recipe: Recipe, cache: Path) -> list[Strip]:
    """Condition the recordings of CinC train people.

    Args:
        data: The folder that holds `ecg/`.
        recipe: Tells which rhythms are left out.
        cache: Folder for conditioned strips.
    """
    people = cinc_split()["train"]

    def raw() -> Iterator[RawStrip]:
        for record in read_cinc2017(data / "ecg" / "cinc2017_af", people):
            if record.labels["rhythm"] not in recipe.fit.excluded_rhythms:
                yield RawStrip(record.subject_id, 0, record.fs_hz, record.signal)

    excluded = "".join(sorted(recipe.fit.excluded_rhythms))
    return condition_strips(raw(), cache / f"cinc-train-{digest([*people, excluded])[:12]}")


def fit(strips: Sequence[Strip], recipe: Recipe) -> BeatLda:
    """Fit the encoder to strips, one recording each.

    Args:
        strips: Of training people only.
        recipe: Everything else.

    Raises:
        ValueError: Too few people with two segments.
    """
    beats, people = segment_beats(strips, recipe)
    shapes, kept = shapes_of(beats, recipe.mean_beat)
    polarity = fit_polarity(shapes, recipe.lda.polarity_ridge)
    varied, varied_people = varied_beats(strips, recipe)
    varied_shapes, varied_kept = shapes_of(varied, recipe.mean_beat)
    return fit_beat_lda(
        np.concatenate([shapes, varied_shapes]),
        np.concatenate([people[kept], varied_people[varied_kept]]),
        _views(recipe.mean_beat),
        recipe.lda,
        polarity,
    )


def segment_beats(strips: Sequence[Strip], recipe: Recipe) -> tuple[FloatArray, NDArray[np.int64]]:
    """Average each segment of each strip.

    Returns:
        Mean beats with margins, float64, shape (n, n_samples), and whose they are, int64, shape (n,).
    """
    found = []
    for ecg, marks, first, end, person in _segments(strips, recipe):
        inside = marks[(marks >= first) & (marks < end)]
        found.append((mean_beat(ecg, WORKING_FS_HZ, inside, recipe.mean_beat), person))
    return _stacked(found)


def varied_beats(strips: Sequence[Strip], recipe: Recipe) -> tuple[FloatArray, NDArray[np.int64]]:
    """Give every segment mean thrice more: other T wave, other input stage, both.

    Returns:
        As `segment_beats`.
    """
    variation = recipe.variation
    rng = np.random.default_rng(variation.seed)
    found = []
    for ecg, marks, first, end, person in _segments(strips, recipe):
        begin = max(0, first - round(LEAD_IN_S * WORKING_FS_HZ))
        piece = ecg[begin : end + round(recipe.mean_beat.after_s * WORKING_FS_HZ)]
        passed = high_pass_like_a_sensor(piece, WORKING_FS_HZ, rng, high_pass_hz=variation.high_pass_hz)
        inside = marks[(marks >= first) & (marks < end)] - begin
        found.append((mean_beat(passed, WORKING_FS_HZ, inside, recipe.mean_beat), person))
    passed_beats, passed_people = _stacked(found)
    plain_beats, plain_people = segment_beats(strips, recipe)
    stretched = [
        _with_other_t_waves(b, recipe.mean_beat, variation, rng) for b in (plain_beats, passed_beats)
    ]
    return (
        np.concatenate([passed_beats, *stretched]),
        np.concatenate([passed_people, plain_people, passed_people]),
    )


def shapes_of(beats: FloatArray, config: MeanBeatConfig) -> tuple[FloatArray, NDArray[np.int64]]:
    """Standardise mean beats; shapes, float64, (n_kept, n_samples), and the rows kept (flat ones are not)."""
    shapes = [beat_shape(beat, WORKING_FS_HZ, config) for beat in beats]
    kept = [row for row, shape in enumerate(shapes) if shape is not None]
    stacked = np.array([shapes[row] for row in kept], dtype=np.float64)
    return stacked.reshape(len(kept), config.n_samples), np.array(kept, dtype=np.int64)


def _views(config: MeanBeatConfig) -> tuple[BeatView, ...]:
    return beat_views(config.n_samples, round(config.before_s * config.fs_hz), config.fs_hz)


def _with_other_t_waves(
    beats: FloatArray, config: MeanBeatConfig, variation: VariationConfig, rng: np.random.Generator
) -> FloatArray:
    return vary_repolarisation(
        beats,
        WORKING_FS_HZ,
        round(config.before_s * WORKING_FS_HZ) + round(FIDUCIAL_REACH_S * WORKING_FS_HZ),
        rng,
        t_amplitude_sd=variation.t_amplitude_sd,
        t_stretch_sd=variation.t_stretch_sd,
        jitter_s=variation.jitter_s,
    )


def _segments(
    strips: Sequence[Strip], recipe: Recipe
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64], int, int, int]]:
    """Signal, aligned marks, first and end sample of each segment, and the number of its person."""
    names = {name: number for number, name in enumerate(sorted({s.subject_id for s in strips}))}
    for strip in strips:
        if strip.r_peaks.size == 0:
            continue  # A failure to acquire has neither beats nor signal.
        marks = align_beats(strip.ecg, WORKING_FS_HZ, strip.r_peaks, recipe.mean_beat)
        edges = np.linspace(0, strip.ecg.size, recipe.fit.segments + 1).astype(int)
        for first, end in pairwise(edges.tolist()):
            yield strip.ecg, marks, first, end, names[strip.subject_id]


def _stacked(found: Iterable[tuple[FloatArray | None, int]]) -> tuple[FloatArray, NDArray[np.int64]]:
    kept = [(beat, person) for beat, person in found if beat is not None]
    return np.array([beat for beat, _ in kept]), np.array([person for _, person in kept], dtype=np.int64)
