"""What a network of each kind learns from, and how it reads a strip afterwards."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ml.models.mean_beat import MeanBeatConfig
from ml.signal.windows import WindowConfig, strip_windows
from ml.training.beat_augmentation import BeatAugmentation
from ml.training.beat_bank import beat_bank
from ml.training.crop_augmentation import CropAugmentation
from ml.training.loop import TrainingSet
from ml.training.monitor import ViewsOf
from ml.training.network_data import beat_of, training_bank, upright_sign
from ml.training.network_recipe import AugmentationConfig, BeatAugmentationConfig
from ml.training.strips import Strip

Polarity = NDArray[np.float64]


def window_material(
    strips: Sequence[Strip],
    polarity: Polarity,
    beat: MeanBeatConfig,
    noise: Tensor | None,
    augmentation: AugmentationConfig,
) -> tuple[TrainingSet, ViewsOf]:
    """For networks that read windows.

    Args:
        strips: Conditioned, of training people.
        polarity: Functional of the standardised mean beat that turns strips upright.
        beat: What the mean beat is.
        noise: Recordings without readable beats, see `training_noise`.
        augmentation: How crops are varied.
    """
    bank = training_bank(strips, polarity, beat)

    def read(strip: Strip) -> NDArray[np.float32]:
        windows = strip_windows(strip.ecg, strip.accepted, WindowConfig())
        return np.asarray(windows * np.float32(upright_sign(strip, polarity, beat)))

    def views(generator: torch.Generator) -> CropAugmentation:
        return CropAugmentation(bank, augmentation, noise, generator)

    return TrainingSet(bank.people, bank.names, views), read


def beat_material(
    strips: Sequence[Strip], polarity: Polarity, beat: MeanBeatConfig, augmentation: BeatAugmentationConfig
) -> tuple[TrainingSet, ViewsOf]:
    """For networks that read the mean beat; arguments as for `window_material`."""
    bank = beat_bank(strips, polarity, beat)

    def read(strip: Strip) -> NDArray[np.float32] | None:
        shape = beat_of(strip, beat)
        if shape is None:
            return None
        return (shape if float(shape @ polarity) >= 0.0 else -shape)[None]

    def views(generator: torch.Generator) -> BeatAugmentation:
        return BeatAugmentation(bank, augmentation, generator)

    return TrainingSet(bank.people, bank.names, views), read
