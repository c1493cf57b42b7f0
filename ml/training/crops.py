"""Training strips as flat tensors, with the facts about every sample that augmentation needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ml.models.features import WINDOW_FS_HZ
from ml.runtime.ecg.signal.constants import WORKING_FS_HZ
from ml.training.strips import Strip

DECIMATION = round(WORKING_FS_HZ / WINDOW_FS_HZ)
# The typical beat that is subtracted from a strip to obtain its residue, at most up to the neighbors.
TEMPLATE_BEFORE_S = 0.28
TEMPLATE_AFTER_S = 0.45
TEMPLATE_SHARE_BEFORE = 0.4
TEMPLATE_SHARE_AFTER = 0.6
TAPER_S = 0.04
FEWEST_BEATS = 4
# How far each part of a beat stretches with the heart period (QT ~ √RR, QRS ~ constant).
QRS_HALF_S = 0.07
PR_BEGIN_S = 0.22
T_END_S = 0.42
STRETCH_QRS, STRETCH_PR, STRETCH_ST_T, STRETCH_REST = 0.0, 0.3, 0.5, 1.7
ST_BEGIN_S = 0.06
ST_RAMP_S = 0.08


@dataclass(frozen=True)
class CropBank:
    """All training strips, one after the other, at the rate of the windows and unit QRS size.

    Args:
        ecg: float32, shape (n_samples,).
        residue: `ecg` without its typical beats; float32, same shape.
        stretch: Share of a change of heart period that affects each sample; float32, same shape.
        repolarization: 0 to 1, the share of ST segment and T wave; float32, same shape.
        starts, lengths: Of each strip, int64, shape (n_strips,).
        people: Person of each strip, 0 to n_people − 1; int64, shape (n_strips,).
        names: Subject ids by index.
    """

    ecg: Tensor
    residue: Tensor
    stretch: Tensor
    repolarization: Tensor
    starts: Tensor
    lengths: Tensor
    people: Tensor
    names: tuple[str, ...]

    def cut(self, field: Tensor, firsts: Tensor, length: int) -> Tensor:
        """Cut pieces; firsts int64 (B,), absolute sample indices → (B, length)."""
        return field[firsts[:, None] + torch.arange(length)]


def crop_bank(strips: Sequence[Strip], least_samples: int, signs: NDArray[np.float64]) -> CropBank:
    """Lay out strips for cropping.

    Args:
        strips: Conditioned, of training people; those too short or with too few beats are left out.
        least_samples: Shortest strip that can be cropped, at the rate of the windows.
        signs: +1 or −1 per strip: its polarity.
    """
    kept = [
        (strip, float(sign))
        for strip, sign in zip(strips, signs, strict=True)
        if strip.r_peaks.size >= FEWEST_BEATS and strip.ecg.size // DECIMATION >= least_samples
    ]
    if not kept:
        raise ValueError("no strip is long enough to be cropped")
    pieces = [_layers(strip, sign) for strip, sign in kept]
    names = tuple(sorted({strip.subject_id for strip, _ in kept}))
    number = {name: i for i, name in enumerate(names)}
    lengths = torch.tensor([layers[0].size for layers in pieces])
    ecg, residue, stretch, repolarization = (
        torch.from_numpy(np.concatenate(layer)) for layer in zip(*pieces, strict=True)
    )
    return CropBank(
        ecg=ecg,
        residue=residue,
        stretch=stretch,
        repolarization=repolarization,
        starts=torch.cumsum(lengths, 0) - lengths,
        lengths=lengths,
        people=torch.tensor([number[strip.subject_id] for strip, _ in kept]),
        names=names,
    )


def _layers(strip: Strip, sign: float) -> tuple[NDArray[np.float32], ...]:
    residue, size = beats_removed(strip.ecg, strip.r_peaks)
    phases = beat_phases(strip.ecg.size, strip.r_peaks)
    layers = (strip.ecg * (sign / size), residue * (sign / size), *phases)
    return tuple(np.ascontiguousarray(layer[::DECIMATION], dtype=np.float32) for layer in layers)


def beats_removed(ecg: NDArray[np.float32], r_peaks: NDArray[np.int64]) -> tuple[NDArray[np.float64], float]:
    """Subtract the typical beat from a strip at each R peak, scaled to fit.

    Args:
        ecg: At the working rate, any unit, float32, shape (n_samples,).
        r_peaks: Sample indices, int64, shape (n_beats,), at least one.

    Returns:
        The rest, float64, same shape and unit, and the root mean square of the typical QRS; for a strip
        without one, a hundredth of the strip's.
    """
    before, after = round(TEMPLATE_BEFORE_S * WORKING_FS_HZ), round(TEMPLATE_AFTER_S * WORKING_FS_HZ)
    padded = np.pad(ecg.astype(np.float64), (before, after))
    beats = padded[r_peaks[:, None] + np.arange(before + after)]
    template = np.median(beats, axis=0)
    half = round(QRS_HALF_S * WORKING_FS_HZ)
    qrs = template[before - half : before + half]
    # A strip is divided by it: wrong marks must not inflate the rest.
    least = max(0.01 * float(np.sqrt(np.mean(padded**2))), float(np.finfo(np.float32).tiny))
    size = max(float(np.sqrt(np.mean(qrs**2))), least)
    rest = padded.copy()
    for mark, piece in zip(r_peaks, _placed(template, before, r_peaks, padded), strict=True):
        rest[mark : mark + before + after] -= piece
    return rest[before : before + ecg.size], size


def _placed(
    template: NDArray[np.float64], before: int, r_peaks: NDArray[np.int64], padded: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The template in place of each beat: fitted in size, faded out before the neighboring beats."""
    rr = np.diff(r_peaks)
    usual = float(np.median(rr)) if rr.size else WORKING_FS_HZ
    to_last = TEMPLATE_SHARE_BEFORE * np.append(usual, rr)
    to_next = TEMPLATE_SHARE_AFTER * np.append(rr, usual)
    offset = np.arange(template.size) - before
    taper = TAPER_S * WORKING_FS_HZ
    fade = np.clip((to_last[:, None] + offset) / taper, 0, 1) * np.clip(
        (to_next[:, None] - offset) / taper, 0, 1
    )
    faded = fade * template
    beats = padded[r_peaks[:, None] + np.arange(template.size)]
    energy = np.maximum((faded**2).sum(axis=1), np.finfo(np.float64).tiny)
    gain = np.clip((faded * beats).sum(axis=1) / energy, 0.5, 1.5)
    return np.asarray(gain[:, None] * faded)


def beat_phases(
    n_samples: int, r_peaks: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how much each sample stretches with the heart period, and its share of ST segment and T wave.

    Returns:
        Stretch and repolarization share, float64, shape (n_samples,) each.
    """
    time = np.arange(n_samples)
    following = np.searchsorted(r_peaks, time)
    marks = np.concatenate([[-np.inf], r_peaks, [np.inf]])
    since = (time - marks[following]) / WORKING_FS_HZ
    until = (marks[following + 1] - time) / WORKING_FS_HZ
    stretch = np.full(n_samples, STRETCH_REST)
    stretch[since < T_END_S] = STRETCH_ST_T
    stretch[until < PR_BEGIN_S] = STRETCH_PR
    stretch[(since < QRS_HALF_S) | (until < QRS_HALF_S)] = STRETCH_QRS
    rising = np.clip((since - ST_BEGIN_S) / ST_RAMP_S, 0.0, 1.0)
    falling = np.clip((T_END_S + ST_RAMP_S - since) / ST_RAMP_S, 0.0, 1.0)
    away = np.clip((until - PR_BEGIN_S) / ST_RAMP_S, 0.0, 1.0)
    return stretch, rising * falling * away
