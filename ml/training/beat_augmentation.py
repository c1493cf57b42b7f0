"""Batches of augmented mean beats: other days, heart rates and sensors than one session shows."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ml.data.channels import random_channels
from ml.data.interpolation import read_between
from ml.runtime.ecg.mean_beat import drift_projection
from ml.training.beat_bank import MARGIN_SAMPLES, BeatBank
from ml.training.network_recipe import BeatAugmentationConfig

# The PR segment ends, and ST segment and T wave begin, this far from the fiducial point.
QRS_HALF_S = 0.06
T_RAMP_S = 0.08
CHANNEL_SAMPLES = 256
NOISE_SMOOTHING = 3


class BeatAugmentation:
    """Averages and varies runs of beats; each call is random."""

    def __init__(self, bank: BeatBank, config: BeatAugmentationConfig, generator: torch.Generator) -> None:
        self._bank = bank
        self._config = config
        self._generator = generator
        n_samples, order = bank.config.n_samples, bank.config.drift_order
        self._drift = torch.from_numpy(np.asarray(drift_projection(n_samples, order))).float()
        n_kept = n_samples + 2 * MARGIN_SAMPLES
        self._time_s = (torch.arange(n_kept) - bank.fiducial) / bank.config.fs_hz

    def draw(self, strips: Tensor, parts: Tensor) -> Tensor:
        """Make one augmented mean beat of each strip.

        Args:
            strips: Indices of strips, int64, shape (B,).
            parts: Part of the strip: 0 its first half, 2 its last half, 1 either; int64, shape (B,).

        Returns:
            Standardized, float32, shape (B, n_samples).
        """
        x = self._runs(strips, parts)
        x = self._vary_timing(x)
        x = self._pass_channel(x)[:, MARGIN_SAMPLES:-MARGIN_SAMPLES]
        return self.shaped(self._disturb(self.shaped(x)))

    def shaped(self, beats: Tensor) -> Tensor:
        """Remove drift, center, scale to unit variance: as in `ml.runtime.ecg.mean_beat.beat_shape`."""
        level = beats - beats @ self._drift.T
        centered = level - level.mean(dim=1, keepdim=True)
        return centered / centered.pow(2).mean(dim=1, keepdim=True).sqrt().clamp_min(1e-6)

    def _runs(self, strips: Tensor, parts: Tensor) -> Tensor:
        counts = self._bank.counts[strips]
        half = counts // 2
        later = torch.where(parts == 1, self._uniform(len(strips))[:, 0] < 0.5, parts == 2)
        fewest, most = self._config.fewest_beats, self._config.most_beats
        n_beats = fewest + (self._uniform(len(strips))[:, 0] * (most - fewest + 1)).long()
        n_beats = torch.minimum(n_beats, half)
        offset = (self._uniform(len(strips))[:, 0] * (half - n_beats + 1)).long()
        offset = torch.minimum(offset, half - n_beats) + torch.where(later, counts - half, 0)
        return self._bank.means(self._bank.firsts[strips] + offset, n_beats)

    def _vary_timing(self, x: Tensor) -> Tensor:
        """Stretch the parts before and after the QRS, shift the beat, and change the size of the T wave."""
        c, n = self._config, len(x)
        before, behind = (1.0 + sd * self._normal(n, 1) for sd in (c.pr_stretch_sd, c.t_stretch_sd))
        time = self._time_s.expand(n, -1)
        read_s = torch.where(
            time < -QRS_HALF_S,
            -QRS_HALF_S + (time + QRS_HALF_S) * before,
            torch.where(time > QRS_HALF_S, QRS_HALF_S + (time - QRS_HALF_S) * behind, time),
        )
        place = (read_s + c.jitter_s * self._normal(n, 1)) * self._bank.config.fs_hz + self._bank.fiducial
        x = read_between(x, place)
        ramp = ((time - QRS_HALF_S) / T_RAMP_S).clamp(0.0, 1.0)
        return x * (1.0 + ramp * (torch.exp(c.repolarisation_sd * self._normal(n, 1)) - 1.0))

    def _pass_channel(self, x: Tensor) -> Tensor:
        padding = CHANNEL_SAMPLES - x.shape[1]
        padded = functional.pad(x, (padding // 2, padding - padding // 2), mode="replicate")
        frequency_hz = torch.fft.rfftfreq(CHANNEL_SAMPLES, 1.0 / self._bank.config.fs_hz)
        spectrum = torch.fft.rfft(padded) * random_channels(
            len(x), frequency_hz, self._config, self._generator
        )
        passed: Tensor = torch.fft.irfft(spectrum, n=CHANNEL_SAMPLES)
        return passed[:, padding // 2 : padding // 2 + x.shape[1]]

    def _disturb(self, x: Tensor) -> Tensor:
        c, n = self._config, len(x)
        noise = functional.avg_pool1d(
            self._normal(n, x.shape[1])[:, None], NOISE_SMOOTHING, stride=1, padding=NOISE_SMOOTHING // 2
        )[:, 0]
        chosen = self._uniform(n) < c.noise_share
        return x + chosen * (c.noise_size * self._uniform(n)) * noise

    def _uniform(self, n: int) -> Tensor:
        return torch.rand(n, 1, generator=self._generator)

    def _normal(self, n: int, columns: int) -> Tensor:
        return torch.randn(n, columns, generator=self._generator)
