"""Features of the network that reads windows for identity, to compare with those made by hand.

The trunk is not trained here, and never saw the motion set. Of each stage: its mean over time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.activity.examples import FeatureTable
from ml.data.motion import MotionRecord
from ml.signal.conditioning import examine
from ml.signal.errors import SignalError
from ml.signal.windows import WindowConfig, strip_windows

FloatArray = NDArray[np.float64]

BATCH = 64
SHORTEST_S = 3.0


def trunk_features(records: Sequence[MotionRecord], table: FeatureTable, weights: Path) -> FloatArray:
    """Read the windows of the 3-s table by a trunk.

    Args:
        records: In the order of `table.record`.
        table: Windows of 3 s.
        weights: Of a window network, as `ml.training.checkpoints` keeps them.

    Returns:
        float64, shape (n, channels of all stages); NaN where there was no strip.
    """
    import torch

    from ml.training.checkpoints import load_network

    network, _ = load_network(weights)
    windows = np.stack(list(_windows(records, table)))
    rows = []
    with torch.inference_mode():
        for first in range(0, len(windows), BATCH):
            stages = network(torch.from_numpy(windows[first : first + BATCH])).stages
            rows.append(torch.cat([stage.mean(dim=2) for stage in stages], dim=1).double().numpy())
    return np.concatenate(rows)


def _windows(records: Sequence[MotionRecord], table: FeatureTable) -> Iterator[NDArray[np.float32]]:
    config = WindowConfig()
    for record, start_s in zip(table.record.tolist(), table.start_s.tolist(), strict=True):
        signal, fs_hz = _cut(records[record], start_s)
        try:
            ecg = examine(signal, fs_hz).ecg
        except SignalError:
            yield np.full(config.n_samples, np.nan, np.float32)
            continue
        yield strip_windows(ecg, np.ones(ecg.size, dtype=np.bool_), config)[0]


def _cut(record: MotionRecord, start_s: float) -> tuple[NDArray[np.float32], float]:
    stretch = next(s for s in reversed(record.stretches) if s.start_s <= start_s + 1e-6)
    first = round((start_s - stretch.start_s) * record.fs_hz)
    length = int(np.ceil(SHORTEST_S * record.fs_hz))
    return stretch.signal[first : first + length], record.fs_hz


def pooled_over_context(
    features: FloatArray, short: FeatureTable, long: FeatureTable, context_s: float
) -> FloatArray:
    """Average features of 3-s windows over longer windows.

    Args:
        features: Of `short`, float64, shape (n_short, d).
        short, long: Windows of 3 s and of `context_s`.
        context_s: Length of the longer ones.

    Returns:
        float64, shape (n_long, d).
    """
    rows = []
    for record, start_s in zip(long.record, long.start_s, strict=True):
        inside = (
            (short.record == record)
            & (short.start_s >= start_s - 1e-3)
            & (short.start_s <= start_s + context_s - SHORTEST_S + 1e-3)
        )
        rows.append(np.nanmean(features[inside], axis=0))
    return np.stack(rows)
