"""Strips and banks whose every sample is known, that the tests of network training share."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ml.runtime.ecg.signal.constants import WORKING_FS_HZ
from ml.training.crops import CropBank, crop_bank
from ml.training.network_recipe import AugmentationConfig
from ml.training.strips import Strip
from tests.heartbeats import NORMAL_BEAT, beat

# Every step of the augmentation switched off.
OFF = AugmentationConfig(
    warp_share=0.0,
    rate_jitter=0.0,
    repolarisation_sd=0.0,
    swap_share=0.0,
    equaliser_db=0.0,
    high_pass_share=0.0,
    low_pass_share=0.0,
    muscle_share=0.0,
    drift_share=0.0,
    motion_share=0.0,
    noise_share=0.0,
    quantisation_share=0.0,
    invert_share=0.0,
)


def beating(
    r_peaks: NDArray[np.int64], n_samples: int, waves: tuple[tuple[float, float, float], ...] = NORMAL_BEAT
) -> NDArray[np.float32]:
    """The same beat at each R peak, at the working rate."""
    times_s = np.arange(n_samples) / WORKING_FS_HZ
    return sum(beat(times_s - r / WORKING_FS_HZ, waves) for r in r_peaks).astype(np.float32)


def steady_strip(
    subject_id: str = "a", seconds: float = 12.0, rr_s: float = 0.8, t_mv: float = 0.28, noise_mv: float = 0.0
) -> Strip:
    """Beats at equal distances, that differ between people by the T wave."""
    n_samples = round(seconds * WORKING_FS_HZ)
    r_peaks = np.arange(round(0.4 * WORKING_FS_HZ), n_samples - 50, round(rr_s * WORKING_FS_HZ))
    ecg = beating(r_peaks, n_samples, (*NORMAL_BEAT[:-1], (0.27, 0.045, t_mv)))
    ecg += noise_mv * np.random.default_rng(7).standard_normal(n_samples).astype(np.float32)
    return Strip(
        subject_id,
        0,
        ecg=ecg,
        r_peaks=r_peaks.astype(np.int64),
        accepted=np.ones(n_samples, dtype=np.bool_),
        seconds=seconds,
        quality=1.0,
    )


def bank_of(
    ecg: Tensor,
    *,
    residue: Tensor | None = None,
    stretch: Tensor | None = None,
    repolarization: Tensor | None = None,
) -> CropBank:
    """A bank of equally long strips; float32, shape (n_strips, n_samples) each."""
    n_strips, n_samples = ecg.shape

    def layer(values: Tensor | None) -> Tensor:
        return (torch.zeros_like(ecg) if values is None else values).flatten().float()

    return CropBank(
        ecg=layer(ecg),
        residue=layer(residue),
        stretch=layer(stretch),
        repolarization=layer(repolarization),
        starts=torch.arange(n_strips) * n_samples,
        lengths=torch.full((n_strips,), n_samples),
        people=torch.arange(n_strips),
        names=tuple(f"p{i}" for i in range(n_strips)),
    )


def people_bank(n_people: int = 6) -> CropBank:
    """Synthetic people who differ by their T waves, from −0.5 to 0.5 mV."""
    strips = [
        steady_strip(f"p{i}", t_mv=float(t_mv), noise_mv=0.01)
        for i, t_mv in enumerate(np.linspace(-0.5, 0.5, n_people))
    ]
    return crop_bank(strips, 720, np.ones(n_people))
