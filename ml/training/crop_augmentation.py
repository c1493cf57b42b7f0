"""Batches of augmented windows: other days, heart rates, sensors and noises than one session shows.

All steps work on whole batches. A crop is cut longer than a window, warped in time, and given another T wave
and another person's residue. It is then passed through a random channel in the frequency domain, disturbed,
and cut to size.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ml.data.channels import between, random_channels
from ml.data.interpolation import read_between
from ml.models.features import WINDOW_FS_HZ, WINDOW_SAMPLES
from ml.runtime.ecg.signal.constants import FLAT_SHARE_OF_OFFSET
from ml.training.crops import CropBank
from ml.training.network_recipe import AugmentationConfig

# Margins on either side of the window, for filters to settle and for compression in time.
CHANNEL_SAMPLES = 512
SOURCE_SAMPLES = 704
CLIP = 8.0


class CropAugmentation:
    """Cuts and varies windows; each call is random."""

    def __init__(
        self, bank: CropBank, config: AugmentationConfig, noise: Tensor | None, generator: torch.Generator
    ) -> None:
        """Args:
        bank: Strips to crop.
        config: Variations.
        noise: Recordings without readable beats, unit size, float32, shape (n_samples,); None for no such
            noise.
        generator: Source of all draws.

        Raises:
            ValueError: A strip shorter than a crop, or noise not longer than one.
        """
        if int(bank.lengths.min()) < SOURCE_SAMPLES or (noise is not None and len(noise) <= CHANNEL_SAMPLES):
            raise ValueError(
                f"expected strips of {SOURCE_SAMPLES} samples, and noise of over {CHANNEL_SAMPLES}"
            )
        self._bank = bank
        self._config = config
        self._noise = noise
        self._generator = generator
        self._frequency_hz = torch.fft.rfftfreq(CHANNEL_SAMPLES, 1.0 / WINDOW_FS_HZ)

    def draw(self, strips: Tensor, parts: Tensor) -> Tensor:
        """Cut one augmented window from each strip.

        Args:
            strips: Indices of strips, int64, shape (B,).
            parts: Third of the strip: 0, 1 or 2; int64, shape (B,).

        Returns:
            Standardized, float32, shape (B, WINDOW_SAMPLES).
        """
        firsts = self._firsts(strips, parts)
        x = self._bank.cut(self._bank.ecg, firsts, SOURCE_SAMPLES)
        x = self._swap_residue(x, firsts)
        x = self._vary_repolarization(x, firsts)
        x = self._warp(x, firsts)  # (B, SOURCE_SAMPLES) → (B, CHANNEL_SAMPLES)
        x = self._pass_channel(x)
        x = self._disturb(x)
        margin = (CHANNEL_SAMPLES - WINDOW_SAMPLES) // 2
        x = self._quantize(x[:, margin : margin + WINDOW_SAMPLES])
        inverted = self._chosen(len(x), self._config.invert_share)
        return standardized(torch.where(inverted, -x, x))

    def _firsts(self, strips: Tensor, parts: Tensor) -> Tensor:
        room = self._bank.lengths[strips] - SOURCE_SAMPLES
        place = (parts + self._uniform(len(strips))[:, 0]) / 3.0
        return self._bank.starts[strips] + (place * room).long()

    def _swap_residue(self, x: Tensor, firsts: Tensor) -> Tensor:
        swapped = self._chosen(len(x), self._config.swap_share)
        if not swapped.any():
            return x
        bank = self._bank
        others = torch.randint(len(bank.starts), (len(x),), generator=self._generator)
        foreign_firsts = self._firsts(others, torch.ones_like(others))
        own = bank.cut(bank.residue, firsts, SOURCE_SAMPLES)
        foreign = bank.cut(bank.residue, foreign_firsts, SOURCE_SAMPLES)
        gain = self._between(len(x), 0.5, 1.5)
        return torch.where(swapped, x - own + gain * foreign, x)

    def _vary_repolarization(self, x: Tensor, firsts: Tensor) -> Tensor:
        if self._config.repolarisation_sd == 0.0:
            return x
        share = self._bank.cut(self._bank.repolarization, firsts, SOURCE_SAMPLES)
        gain = torch.exp(self._config.repolarisation_sd * self._normal(len(x), 1))
        return x * (1.0 + share * (gain - 1.0))

    def _warp(self, x: Tensor, firsts: Tensor) -> Tensor:
        """Change rate and, for some, heart period; read `CHANNEL_SAMPLES` around the middle."""
        config = self._config
        warped = torch.nonzero(self._chosen(len(x), config.warp_share)[:, 0])[:, 0]
        if len(warped) == 0 and config.rate_jitter == 0.0:
            middle = (SOURCE_SAMPLES - CHANNEL_SAMPLES) // 2
            return x[:, middle : middle + CHANNEL_SAMPLES]
        jitter = self._between(len(x), -config.rate_jitter, config.rate_jitter)
        wanted = (torch.arange(CHANNEL_SAMPLES) - CHANNEL_SAMPLES // 2) / (1.0 + jitter)
        places = SOURCE_SAMPLES // 2 + wanted
        places[warped] = self._at_other_periods(wanted[warped], firsts[warped])
        return read_between(x, places)

    def _at_other_periods(self, wanted: Tensor, firsts: Tensor) -> Tensor:
        """Positions in crops, in samples from the middle, when only the QRS keeps its width."""
        stretch = self._bank.cut(self._bank.stretch, firsts, SOURCE_SAMPLES)
        period = self._config.period_change
        change = self._between(len(firsts), -0.7 * period, period)
        # New position of each source sample. Longer periods push samples out, shorter ones pull others in.
        lies = torch.cumsum((1.0 + change * stretch).clamp_min(0.3), dim=1)
        lies = lies - lies[:, SOURCE_SAMPLES // 2, None]
        right = torch.searchsorted(lies, wanted).clamp(1, SOURCE_SAMPLES - 1)
        on_right, on_left = lies.gather(1, right), lies.gather(1, right - 1)
        share = ((wanted - on_left) / (on_right - on_left)).clamp(0.0, 1.0)
        return right - 1 + share

    def _pass_channel(self, x: Tensor) -> Tensor:
        """Apply shelves, input stages and colored noise in the frequency domain."""
        c, n = self._config, len(x)
        response = random_channels(n, self._frequency_hz, c, self._generator)
        spectrum = torch.fft.rfft(x) * response
        spectrum = spectrum + self._colored(n, c.muscle_share, c.muscle_size, 15.0, 60.0)
        spectrum = spectrum + self._colored(n, c.drift_share, c.drift_size, 0.3, 1.5)
        passed: Tensor = torch.fft.irfft(spectrum, n=CHANNEL_SAMPLES)
        return passed

    def _colored(self, n: int, share: float, size: float, low_hz: float, high_hz: float) -> Tensor:
        band = ((self._frequency_hz >= low_hz) & (self._frequency_hz <= high_hz)).float()
        # A real signal of N samples with K such bins of unit variance has variance 2·2K / N².
        scale = CHANNEL_SAMPLES / (2.0 * math.sqrt(float(band.sum())))
        amplitude = size * self._uniform(n) * self._chosen(n, share)
        noise = torch.complex(self._normal(n, len(band)), self._normal(n, len(band)))
        colored: Tensor = noise * (band * scale * amplitude)
        return colored

    def _disturb(self, x: Tensor) -> Tensor:
        c, n = self._config, len(x)
        if c.motion_share > 0.0:
            x = x + self._chosen(n, c.motion_share) * self._steps(n)
        if self._noise is not None and c.noise_share > 0.0:
            firsts = torch.randint(len(self._noise) - CHANNEL_SAMPLES, (n,), generator=self._generator)
            piece = self._noise[firsts[:, None] + torch.arange(CHANNEL_SAMPLES)]
            x = x + self._chosen(n, c.noise_share) * (c.noise_size * self._uniform(n)) * piece
        return x

    def _steps(self, n: int) -> Tensor:
        """One step per crop, decaying within 0.1 to 1 s."""
        since = torch.arange(CHANNEL_SAMPLES) / WINDOW_FS_HZ - self._between(
            n, 0.0, CHANNEL_SAMPLES / WINDOW_FS_HZ
        )
        decay_s = self._between(n, 0.1, 1.0)
        size = self._config.motion_size * self._normal(n, 1)
        return torch.where(since >= 0.0, size * torch.exp(-since.clamp_min(0.0) / decay_s), torch.zeros(()))

    def _quantize(self, x: Tensor) -> Tensor:
        c, n = self._config, len(x)
        step = c.quantisation_step * self._uniform(n).clamp_min(0.05)
        return torch.where(self._chosen(n, c.quantisation_share), torch.round(x / step) * step, x)

    def _between(self, n: int, low: float, high: float) -> Tensor:
        return between(n, low, high, self._generator)

    def _uniform(self, n: int) -> Tensor:
        return torch.rand(n, 1, generator=self._generator)

    def _normal(self, n: int, columns: int) -> Tensor:
        return torch.randn(n, columns, generator=self._generator)

    def _chosen(self, n: int, share: float) -> Tensor:
        return self._uniform(n) < share


def standardized(windows: Tensor) -> Tensor:
    """Standardize and clip windows as in `ecg.signal.windows`; float32, shape (B, n).

    Flat windows give zeros: after centering, only the rounding of the mean is left.
    """
    mean = windows.mean(dim=1, keepdim=True)
    centered = windows - mean
    size = centered.pow(2).mean(dim=1, keepdim=True).sqrt()
    flat = size <= (FLAT_SHARE_OF_OFFSET * mean.abs()).clamp_min(1e-12)
    return torch.where(flat, torch.zeros(()), (centered / size).clamp(-CLIP, CLIP))
