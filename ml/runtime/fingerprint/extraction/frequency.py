"""How close ridges lie: their frequency in cycles per pixel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.runtime.fingerprint.extraction import constants as c
from ml.runtime.fingerprint.extraction.grids import FloatImage, Mask, blurred
from ml.runtime.fingerprint.extraction.products import product

Spectra = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class RidgeFrequency:
    """Frequency of ridges.

    Args:
        smooth: Cycles per pixel on a grid of `PERIOD_STEP`, float32, shape (rows, columns).
        period: Typical distance of ridges, pixels; it may lie outside the band of `smooth`.
    """

    smooth: FloatImage
    period: float


def ridge_frequency(contrast: FloatImage, angle: FloatImage, mask: Mask) -> RidgeFrequency:
    """Measure frequencies across the ridges.

    Args:
        contrast: Equalized picture, float32, both sides multiples of `PERIOD_STEP`.
        angle: Along the ridges on the fine grid, radians, float32.
        mask: The foreground on the fine grid, uint8, same shape as `angle`; not empty.

    Source:
        Hong, Wan and Jain, "Fingerprint image enhancement", 1998, section 2.5 (the oriented window and its
        signature; here a spectrum instead of distances between peaks).
    """
    height, width = contrast.shape
    rows = np.arange(c.PERIOD_STEP // 2, height, c.PERIOD_STEP)
    columns = np.arange(c.PERIOD_STEP // 2, width, c.PERIOD_STEP)
    at = np.ix_(rows // c.FINE_BLOCK, columns // c.FINE_BLOCK)
    inside = mask[at] > 0
    i, j = np.nonzero(inside)
    power, total = _spectra(_signatures(contrast, columns[j], rows[i], angle[at][inside]))
    frequency, confidence = np.zeros((2, *inside.shape), np.float32)
    frequency[inside], confidence[inside] = _strongest(power, total)
    return RidgeFrequency(_smooth(frequency, confidence, inside), _typical_period(power))


def _signatures(
    contrast: FloatImage, x: NDArray[np.intp], y: NDArray[np.intp], angle: FloatImage
) -> NDArray[np.float32]:
    """Return mean profiles across the ridges, shape (n, SIGNATURE_LENGTH)."""
    across = np.arange(c.SIGNATURE_LENGTH) - (c.SIGNATURE_LENGTH - 1) / 2
    along = (np.arange(c.SIGNATURE_LINES) - (c.SIGNATURE_LINES - 1) / 2) * c.SIGNATURE_SPACING
    u = np.repeat(across, c.SIGNATURE_LINES).astype(np.float32)
    v = np.tile(along, c.SIGNATURE_LENGTH).astype(np.float32)
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    at_x = x[:, None].astype(np.float32) - sin * u + cos * v
    at_y = y[:, None].astype(np.float32) + cos * u + sin * v
    values = cv2.remap(contrast, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(values.reshape(len(x), c.SIGNATURE_LENGTH, c.SIGNATURE_LINES).mean(axis=2))


def _spectra(signatures: Spectra) -> tuple[Spectra, Spectra]:
    """Return power at the frequencies of `_spectrum_basis`, shape (n, m), and over all frequencies, (n,)."""
    window, waves, frequencies = _spectrum_basis()
    centered = (signatures - signatures.mean(axis=1, keepdims=True)) * window
    parts = np.empty((len(centered), waves.shape[1]), np.float32)
    product(centered, waves, out=parts)
    power = parts[:, : frequencies.size] ** 2 + parts[:, frequencies.size :] ** 2
    # By Parseval's theorem, over the positive half of the spectrum.
    return power, (centered**2).sum(axis=1) * (c.SPECTRUM_SIZE / 2) + np.float32(1e-6)


def _strongest(power: Spectra, total: Spectra) -> tuple[Spectra, Spectra]:
    """Return the strongest frequency of each spectrum within `BAND`, and the share of its power there."""
    _, _, frequencies = _spectrum_basis()
    band = (frequencies >= c.BAND[0]) & (frequencies <= c.BAND[1])
    within = power[:, band]
    return frequencies[band][within.argmax(axis=1)], within.max(axis=1) / total


def _typical_period(power: Spectra) -> float:
    """Return the period at the peak of the mean spectrum, in which every block counts alike.

    Pictures have more power the lower the frequency, so power is multiplied by frequency.
    """
    _, _, frequencies = _spectrum_basis()
    mean = (power / (power.sum(axis=1, keepdims=True) + np.float32(1e-6))).mean(axis=0)
    return float(1.0 / frequencies[(mean * frequencies).argmax()])


@cache
def _spectrum_basis() -> tuple[Spectra, Spectra, Spectra]:
    """Return the window, cosines and sines (length, 2 × m), and the m frequencies of `WIDEST_BAND`."""
    frequencies = np.arange(c.SPECTRUM_SIZE // 2 + 1) / c.SPECTRUM_SIZE
    frequencies = frequencies[(frequencies >= c.WIDEST_BAND[0]) & (frequencies <= c.WIDEST_BAND[1])]
    phase = 2.0 * np.pi * np.outer(np.arange(c.SIGNATURE_LENGTH), frequencies)
    waves = np.hstack([np.cos(phase), np.sin(phase)])
    return (
        np.hanning(c.SIGNATURE_LENGTH).astype(np.float32),
        waves.astype(np.float32),
        frequencies.astype(np.float32),
    )


def _smooth(frequency: FloatImage, confidence: FloatImage, inside: NDArray[np.bool_]) -> FloatImage:
    """Average neighboring frequencies by confidence, without those far from the median."""
    median = np.median(frequency[inside])
    ratio = np.log(np.maximum(frequency, np.float32(1e-3)) / median)
    weight = (confidence**2 * (np.abs(ratio) < c.FREQUENCY_TOLERANCE)).astype(np.float32)
    total = blurred(frequency * weight, c.FREQUENCY_SIGMA_STEPS) + np.float32(c.FREQUENCY_PRIOR) * median
    return np.asarray(total / (blurred(weight, c.FREQUENCY_SIGMA_STEPS) + np.float32(c.FREQUENCY_PRIOR)))
