"""Fit the mean-beat encoder: recordings → mean beats and their variations → polarity and axes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.data.augmentation import high_pass_like_a_sensor, vary_repolarization
from ml.data.readers import read_cinc2017
from ml.data.splits import cinc_split, digest
from ml.models.beat_lda import BeatLda, fit_beat_lda, fit_polarity
from ml.models.beat_views import BeatView, beat_views
from ml.runtime.ecg.mean_beat import FIDUCIAL_REACH_S, MeanBeatConfig, align_beats, beat_shape, mean_beat
from ml.runtime.ecg.signal.constants import WORKING_FS_HZ
from ml.training.recipe import Recipe
from ml.training.strips import RawStrip, Strip, condition_strips

FloatArray = NDArray[np.float64]
# The filter settles for this long before a varied segment begins.
LEAD_IN_S = 2.0


def training_strips(data: Path, recipe: Recipe, cache: Path) -> list[Strip]:
    """Condition the recordings of CinC train people.

    Args:
        data: The folder that holds `ecg/`.
        recipe: Names the excluded rhythms.
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

    The axes are fitted to every segment mean in four versions: unchanged, with another sensor, with another T
    wave, and with both. The polarity functional uses the first two.

    Args:
        strips: Of training people only.
        recipe: Everything else.

    Raises:
        ValueError: Too few people with two segments.
    """
    rng = np.random.default_rng(recipe.variation.seed)
    segments = list(_segments(strips, recipe))
    plain, plain_people = segment_beats(segments, recipe)
    passed, passed_people = segment_beats(_behind_sensors(segments, recipe, rng), recipe)
    beats, people = np.concatenate([plain, passed]), np.concatenate([plain_people, passed_people])
    shapes, kept = shapes_of(beats, recipe.mean_beat)
    polarity = fit_polarity(shapes, recipe.lda.polarity_ridge)
    stretched, stretched_kept = shapes_of(_with_other_t_waves(beats, recipe, rng), recipe.mean_beat)
    return fit_beat_lda(
        np.concatenate([shapes, stretched]),
        np.concatenate([people[kept], people[stretched_kept]]),
        _views(recipe.mean_beat),
        recipe.lda,
        polarity,
    )


@dataclass(frozen=True)
class Segment:
    """A part of a strip with its aligned QRS marks, and the index of its person."""

    ecg: NDArray[np.floating]
    marks: NDArray[np.int64]
    person: int


def segment_beats(segments: Iterable[Segment], recipe: Recipe) -> tuple[FloatArray, NDArray[np.int64]]:
    """Average each segment.

    Returns:
        Mean beats with margins, float64, shape (n, n_samples), and their people, int64, shape (n,).
    """
    averaged = ((mean_beat(s.ecg, WORKING_FS_HZ, s.marks, recipe.mean_beat), s.person) for s in segments)
    found = [(beat, person) for beat, person in averaged if beat is not None]
    return np.array([beat for beat, _ in found]), np.array([person for _, person in found], dtype=np.int64)


def _segments(strips: Sequence[Strip], recipe: Recipe) -> Iterator[Segment]:
    """Equal parts of each strip, with margins for beats and filters."""
    names = {name: number for number, name in enumerate(sorted({s.subject_id for s in strips}))}
    lead_in = round(LEAD_IN_S * WORKING_FS_HZ)
    lead_out = round(recipe.mean_beat.after_s * WORKING_FS_HZ)
    for strip in strips:
        if strip.r_peaks.size == 0:
            continue  # A failure to acquire has neither beats nor signal.
        marks = align_beats(strip.ecg, WORKING_FS_HZ, strip.r_peaks, recipe.mean_beat)
        edges = np.linspace(0, strip.ecg.size, recipe.fit.segments + 1).astype(int)
        for first, end in pairwise(edges.tolist()):
            begin = max(0, first - lead_in)
            inside = marks[(marks >= first) & (marks < end)]
            yield Segment(strip.ecg[begin : end + lead_out], inside - begin, names[strip.subject_id])


def _behind_sensors(
    segments: Iterable[Segment], recipe: Recipe, rng: np.random.Generator
) -> Iterator[Segment]:
    limits_hz = recipe.variation.high_pass_hz
    for s in segments:
        passed = high_pass_like_a_sensor(s.ecg, WORKING_FS_HZ, rng, high_pass_hz=limits_hz)
        yield Segment(passed, s.marks, s.person)


def shapes_of(beats: FloatArray, config: MeanBeatConfig) -> tuple[FloatArray, NDArray[np.int64]]:
    """Standardize mean beats; shapes, float64, (n_kept, n_samples), and the rows kept (without flat ones)."""
    shapes = [beat_shape(beat, WORKING_FS_HZ, config) for beat in beats]
    kept = [row for row, shape in enumerate(shapes) if shape is not None]
    stacked = np.array([shapes[row] for row in kept], dtype=np.float64)
    return stacked.reshape(len(kept), config.n_samples), np.array(kept, dtype=np.int64)


def _views(config: MeanBeatConfig) -> tuple[BeatView, ...]:
    return beat_views(config.n_samples, round(config.before_s * config.fs_hz), config.fs_hz)


def _with_other_t_waves(beats: FloatArray, recipe: Recipe, rng: np.random.Generator) -> FloatArray:
    window, variation = recipe.mean_beat, recipe.variation
    return vary_repolarization(
        beats,
        WORKING_FS_HZ,
        round(window.before_s * WORKING_FS_HZ) + round(FIDUCIAL_REACH_S * WORKING_FS_HZ),
        rng,
        t_amplitude_sd=variation.t_amplitude_sd,
        t_stretch_sd=variation.t_stretch_sd,
        jitter_s=variation.jitter_s,
    )
