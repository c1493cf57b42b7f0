"""The stage `repeats`: people of CinC train whom two trained networks both find to be one person."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ml.runtime.ecg.mean_beat import MeanBeatConfig
from ml.runtime.ecg.signal.constants import WORKING_FS_HZ
from ml.runtime.ecg.signal.windows import WindowConfig
from ml.training import beat_lda
from ml.training.checkpoints import load_network, weights_path
from ml.training.material import Polarity, upright_beat, upright_windows
from ml.training.monitor import strip_embeddings
from ml.training.recipe import Recipe
from ml.training.repeat_patients import MATED_QUANTILE, PAIRS_FILE, FloatArray, likely_repeats
from ml.training.strips import Strip

# Little overlap: a third of a 30-s recording gives four of them.
WINDOWS = WindowConfig(step_s=3.0)
LEAST_SAMPLES = round(WORKING_FS_HZ * WINDOWS.n_samples / WINDOWS.fs_hz)


NETWORKS = ("ecg-windows-first", "ecg-beat-net-first")


@dataclass(frozen=True)
class Mined:
    """Pairs of people who are probably one person, and the number of people compared."""

    pairs: list[tuple[str, str]]
    people: int


def find_repeats(
    beats: Recipe, data: Path, var: Path, output: Path = PAIRS_FILE, networks: tuple[str, str] = NETWORKS
) -> Mined:
    """Find repeats among the people of CinC train, and save them.

    Args:
        beats: Recipe of the mean beat, whose polarity functional turns strips upright.
        data: The folder that holds `ecg/`.
        var: For caches, and the weights trained on this machine.
        output: JSON file to write.
        networks: Ids of the networks that read windows and mean beats.

    Raises:
        FileNotFoundError: The weights of a network are missing.
    """
    weights = {name: weights_path(name, var) for name in networks}
    windows_network, beat_network = (load_network(path)[0] for path in weights.values())
    strips = beat_lda.training_strips(data, beats, var / "cache")
    polarity = beat_lda.fit(strips, beats).polarity
    mined = mine_repeats(strips, polarity, beats.mean_beat, windows_network, beat_network)
    write_repeats(output, mined, weights)
    return mined


def mine_repeats(
    strips: Sequence[Strip],
    polarity: Polarity,
    beat: MeanBeatConfig,
    windows_network: nn.Module,
    beat_network: nn.Module,
) -> Mined:
    """Compare the first third of each strip with the last third of all others.

    Args:
        strips: Conditioned; the first of each person counts (CinC holds exact copies). Those too short, or
            without a whole beat in both thirds, are left out.
        polarity: Functional of the standardized mean beat that turns strips upright.
        beat: Definition of the mean beat.
        windows_network: Reads windows.
        beat_network: Reads mean beats.

    Raises:
        ValueError: Nobody can be compared.
    """
    strip_of = {strip.subject_id: strip for strip in reversed(strips)}
    names: list[str] = []
    windows: list[NDArray[np.float32]] = []
    beats: list[NDArray[np.float32]] = []
    for name, strip in strip_of.items():
        thirds = first_and_last_third(strip)
        shapes = [upright_beat(third, polarity, beat) for third in thirds]
        whole = [shape for shape in shapes if shape is not None]
        if thirds[0].ecg.size < LEAST_SAMPLES or len(whole) < len(shapes):
            continue
        names.append(name)
        windows += [upright_windows(third, polarity, beat, WINDOWS) for third in thirds]
        beats += whole
    if not names:
        raise ValueError("no person's first and last third could both be read")
    halves = [_halves(windows_network, windows), _halves(beat_network, beats)]
    return Mined(likely_repeats(halves, names), len(names))


def first_and_last_third(strip: Strip) -> tuple[Strip, Strip]:
    """Cut off both ends; marks are counted from the start of each, accepted seconds and quality stay."""
    third, n = strip.ecg.size // 3, strip.ecg.size
    return _cut(strip, 0, third), _cut(strip, n - third, n)


def write_repeats(path: Path, mined: Mined, weights: Mapping[str, Path]) -> None:
    """Save pairs as JSON, with the networks' weights (SHA-256) by id."""
    content = {
        "people": mined.people,
        "quantile": MATED_QUANTILE,
        "networks": {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in weights.items()},
        "pairs": mined.pairs,
    }
    draft = path.with_name(path.name + ".tmp")
    draft.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)


def _cut(strip: Strip, begin: int, end: int) -> Strip:
    inside = (strip.r_peaks >= begin) & (strip.r_peaks < end)
    return replace(
        strip,
        ecg=strip.ecg[begin:end],
        accepted=strip.accepted[begin:end],
        r_peaks=strip.r_peaks[inside] - begin,
    )


def _halves(network: nn.Module, rows: Sequence[NDArray[np.float32]]) -> tuple[FloatArray, FloatArray]:
    """Vectors of first and last parts, in alternate rows; float64, shape (n_people, d) each."""
    part = torch.repeat_interleave(torch.tensor([len(piece) for piece in rows]))
    vectors = strip_embeddings(network, torch.from_numpy(np.concatenate(rows)), part)
    both = vectors.numpy().astype(np.float64)
    return both[0::2], both[1::2]
