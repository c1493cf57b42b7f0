"""Training sets of each kind of network, and its input from a strip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ml.losses.ignored_pairs import IgnoredPairs
from ml.runtime.ecg.mean_beat import MeanBeatConfig
from ml.runtime.ecg.signal.windows import WindowConfig, strip_windows
from ml.training.beat_augmentation import BeatAugmentation
from ml.training.beat_bank import beat_bank
from ml.training.crop_augmentation import CropAugmentation
from ml.training.loop import TrainingSet
from ml.training.monitor import ViewsOf
from ml.training.network_data import beat_of, training_bank, upright_sign
from ml.training.network_recipe import AugmentationConfig, BeatAugmentationConfig
from ml.training.repeat_patients import PAIRS_FILE, ignored_repeats
from ml.training.strips import Strip

Polarity = NDArray[np.float64]


def window_material(
    strips: Sequence[Strip],
    polarity: Polarity,
    beat: MeanBeatConfig,
    noise: Tensor | None,
    augmentation: AugmentationConfig,
    *,
    pairs_file: Path = PAIRS_FILE,
) -> tuple[TrainingSet, ViewsOf]:
    """Build the training set of networks that read windows.

    Args:
        strips: Conditioned, of training people.
        polarity: Functional of the standardized mean beat that turns strips upright.
        beat: Definition of the mean beat.
        noise: Recordings without readable beats, see `training_noise`.
        augmentation: Variations of crops.
        pairs_file: Pairs of people who are probably one person, see `ml.training.repeat_mining`; may be
            missing.
    """
    bank = training_bank(strips, polarity, beat)

    def read(strip: Strip) -> NDArray[np.float32]:
        return upright_windows(strip, polarity, beat, WindowConfig())

    def views(generator: torch.Generator) -> CropAugmentation:
        return CropAugmentation(bank, augmentation, noise, generator)

    return TrainingSet(bank.people, bank.names, views, _repeats(bank.names, pairs_file)), read


def beat_material(
    strips: Sequence[Strip],
    polarity: Polarity,
    beat: MeanBeatConfig,
    augmentation: BeatAugmentationConfig,
    *,
    pairs_file: Path = PAIRS_FILE,
) -> tuple[TrainingSet, ViewsOf]:
    """Build the training set of networks that read the mean beat; arguments as in `window_material`."""
    bank = beat_bank(strips, polarity, beat)

    def read(strip: Strip) -> NDArray[np.float32] | None:
        return upright_beat(strip, polarity, beat)

    def views(generator: torch.Generator) -> BeatAugmentation:
        return BeatAugmentation(bank, augmentation, generator)

    return TrainingSet(bank.people, bank.names, views, _repeats(bank.names, pairs_file)), read


def upright_windows(
    strip: Strip, polarity: Polarity, beat: MeanBeatConfig, config: WindowConfig
) -> NDArray[np.float32]:
    """Windows of a strip, turned upright; float32, shape (n, n_samples)."""
    windows = strip_windows(strip.ecg, strip.accepted, config)
    return np.asarray(windows * np.float32(upright_sign(strip, polarity, beat)))


def upright_beat(strip: Strip, polarity: Polarity, beat: MeanBeatConfig) -> NDArray[np.float32] | None:
    """Mean beat of a strip, turned upright, float32, shape (1, n_beat); None without a whole beat."""
    shape = beat_of(strip, beat)
    if shape is None:
        return None
    return (shape if float(shape @ polarity) >= 0.0 else -shape)[None]


def _repeats(names: Sequence[str], pairs_file: Path) -> IgnoredPairs | None:
    return ignored_repeats(names, pairs_file) if pairs_file.is_file() else None
