"""Training data of window networks: upright strips of CinC train people, and unreadable noise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ml.data.readers import read_cinc2017
from ml.data.splits import cinc_split, digest
from ml.runtime.ecg.mean_beat import MeanBeatConfig, align_beats, beat_shape, mean_beat
from ml.runtime.ecg.signal.constants import BAND_HIGH_HZ, BAND_LOW_HZ, MAINS_HZ, WORKING_FS_HZ
from ml.runtime.ecg.signal.filters import band_pass, notch, resample
from ml.training.crop_augmentation import SOURCE_SAMPLES
from ml.training.crops import DECIMATION, CropBank, crop_bank
from ml.training.strips import Strip, signal_code_digest

NOISY_RHYTHM = "~"
# Noise is divided by this many median absolute amplitudes, about twice its deviation.
NOISE_UNIT = 2.97
NOISE_CLIP = 4.0
# Strips must leave room to move crops. Below 14.5 s, windows of the first and last third may overlap.
LEAST_SAMPLES = SOURCE_SAMPLES + 16


def training_bank(strips: Sequence[Strip], polarity: NDArray[np.float64], beat: MeanBeatConfig) -> CropBank:
    """Turn strips upright and store them for cropping.

    Args:
        strips: Conditioned, of training people.
        polarity: Functional of the standardized mean beat, float64, shape (n_beat,).
        beat: Definition of the mean beat.
    """
    signs = np.array([upright_sign(strip, polarity, beat) for strip in strips])
    return crop_bank(strips, LEAST_SAMPLES, signs)


def upright_sign(strip: Strip, polarity: NDArray[np.float64], beat: MeanBeatConfig) -> float:
    """Return +1, or −1 if the functional finds the strip inverted; +1 without a whole beat."""
    shape = beat_of(strip, beat)
    return -1.0 if shape is not None and float(shape @ polarity) < 0.0 else 1.0


def beat_of(strip: Strip, beat: MeanBeatConfig) -> NDArray[np.float32] | None:
    """Return the standardized mean beat, float32, shape (n_samples,); None without a whole beat."""
    if strip.r_peaks.size == 0:
        return None
    marks = align_beats(strip.ecg, WORKING_FS_HZ, strip.r_peaks, beat)
    mean = mean_beat(strip.ecg, WORKING_FS_HZ, marks, beat)
    return None if mean is None else beat_shape(mean, WORKING_FS_HZ, beat)


def training_noise(data: Path, cache: Path) -> Tensor:
    """Filter the recordings of train people that experts found unreadable, one after the other.

    Returns:
        About unit size, float32, shape (n_samples,), at the rate of the windows.
    """
    people = cinc_split()["train"]
    path = cache / f"cinc-train-noise-{digest(people)[:12]}-{signal_code_digest()[:12]}.npy"
    if not path.is_file():
        pieces = [
            _noise(record.signal, record.fs_hz)
            for record in read_cinc2017(data / "ecg" / "cinc2017_af", people)
            if record.labels["rhythm"] == NOISY_RHYTHM
        ]
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".tmp.npy")
        np.save(draft, np.concatenate(pieces))
        draft.replace(path)
    return torch.from_numpy(np.load(path))


def _noise(signal: NDArray[np.floating], fs_hz: float) -> NDArray[np.float32]:
    clean = np.asarray(signal, dtype=np.float64)
    for mains_hz in MAINS_HZ:
        clean = notch(clean, fs_hz, mains_hz)
    clean = resample(clean, fs_hz, WORKING_FS_HZ)
    clean = band_pass(clean, WORKING_FS_HZ, BAND_LOW_HZ, BAND_HIGH_HZ)[::DECIMATION]
    unit = max(NOISE_UNIT * float(np.median(np.abs(clean))), 1e-9)
    return np.asarray(np.clip(clean / unit, -NOISE_CLIP, NOISE_CLIP), dtype=np.float32)
