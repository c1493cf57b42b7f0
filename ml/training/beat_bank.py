"""Beats of training strips as running sums: the mean of any run of beats costs one subtraction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ml.runtime.ecg.mean_beat import FIDUCIAL_REACH_S, MeanBeatConfig, align_beats, mean_beat, slope_centroid
from ml.runtime.ecg.signal.constants import WORKING_FS_HZ
from ml.training.network_data import upright_sign
from ml.training.strips import Strip

# Beats are stored with this margin on either side of the network's input, at the rate of the mean beat.
MARGIN_SAMPLES = 60
FEWEST_BEATS = 8
# Beats less like the typical one than this are left out: ectopic beats, artifacts.
LEAST_CORRELATION = 0.3
USUAL_CORRELATION_LESS = 0.25


@dataclass(frozen=True)
class BeatBank:
    """Upright, aligned beats of all strips, unit size, as cumulative sums.

    Args:
        sums: Row i is the sum of the first i beats; float64, shape (n_beats + 1, n_samples + 2 margins).
        firsts, counts: Beats of each strip, int64, shape (n_strips,).
        people: Person of each strip, 0 to n_people − 1; int64, shape (n_strips,).
        names: Subject ids by index.
        config: Definition of the mean beat.
    """

    sums: Tensor
    firsts: Tensor
    counts: Tensor
    people: Tensor
    names: tuple[str, ...]
    config: MeanBeatConfig

    @property
    def fiducial(self) -> int:
        """Sample of the fiducial point in the stored beats."""
        return round(self.config.before_s * self.config.fs_hz) + MARGIN_SAMPLES

    def means(self, firsts: Tensor, counts: Tensor) -> Tensor:
        """Return means of runs of beats, by absolute first beat and count; float32, shape (B, length)."""
        return ((self.sums[firsts + counts] - self.sums[firsts]) / counts[:, None]).float()


def beat_bank(strips: Sequence[Strip], polarity: NDArray[np.float64], config: MeanBeatConfig) -> BeatBank:
    """Cut and align the beats of strips.

    Args:
        strips: Conditioned, of training people; those with too few clear beats are left out.
        polarity: Functional of the standardized mean beat that turns strips upright, shape (n_beat,).
        config: Definition of the mean beat.
    """
    cut = [(strip.subject_id, _beats(strip, polarity, config)) for strip in strips]
    kept = [(name, beats) for name, beats in cut if beats is not None]
    if not kept:
        raise ValueError("no strip has enough clear beats")
    names = tuple(sorted({name for name, _ in kept}))
    number = {name: i for i, name in enumerate(names)}
    counts = torch.tensor([len(beats) for _, beats in kept])
    beats = np.concatenate([beats for _, beats in kept])
    sums = np.zeros((len(beats) + 1, beats.shape[1]))
    np.cumsum(beats, axis=0, out=sums[1:])
    return BeatBank(
        sums=torch.from_numpy(sums),
        firsts=torch.cumsum(counts, 0) - counts,
        counts=counts,
        people=torch.tensor([number[name] for name, _ in kept]),
        names=names,
        config=config,
    )


def _beats(strip: Strip, polarity: NDArray[np.float64], config: MeanBeatConfig) -> NDArray[np.float64] | None:
    """Upright beats around the fiducial point with margins, in units of the typical beat; None if too few."""
    if strip.r_peaks.size < FEWEST_BEATS:
        return None
    marks = align_beats(strip.ecg, WORKING_FS_HZ, strip.r_peaks, config)
    if mean_beat(strip.ecg, WORKING_FS_HZ, marks, config) is None:
        return None
    step = round(WORKING_FS_HZ / config.fs_hz)
    reach = round(FIDUCIAL_REACH_S * WORKING_FS_HZ)
    before = step * (round(config.before_s * config.fs_hz) + MARGIN_SAMPLES)
    length = step * (config.n_samples + 2 * MARGIN_SAMPLES)
    index = marks[:, None] + np.arange(-before - reach, length - before + reach)
    beats = strip.ecg[np.clip(index, 0, strip.ecg.size - 1)].astype(np.float64)
    shift = slope_centroid(np.median(beats, axis=0), before + reach, WORKING_FS_HZ)
    shift = int(np.clip(shift, -reach, reach))
    beats = beats[:, reach + shift : reach + shift + length : step]
    core = beats[:, MARGIN_SAMPLES:-MARGIN_SAMPLES]
    core = core - core.mean(axis=1, keepdims=True)
    typical = np.median(core, axis=0)
    size = np.sqrt(np.mean(typical**2))
    likeness = (core @ typical) / np.maximum(
        np.linalg.norm(core, axis=1) * np.linalg.norm(typical), np.finfo(np.float64).tiny
    )
    clear = likeness > max(LEAST_CORRELATION, float(np.median(likeness)) - USUAL_CORRELATION_LESS)
    if np.count_nonzero(clear) < FEWEST_BEATS or size <= np.finfo(np.float32).tiny:
        return None
    return np.asarray(beats[clear] * (upright_sign(strip, polarity, config) / size))
