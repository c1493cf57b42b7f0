"""A packed CinC folder of synthetic people under real names: the splits of people are by name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ml.data.splits import Part, cinc_split
from ml.synthetic.ecg import SyntheticPerson

UNIT_UV = 5.0
FS_HZ = 250.0


def write_cinc(data: Path, people: dict[Part, int], *, seconds: float = 20.0, noisy: int = 1) -> None:
    """Write `ecg/cinc2017_af` with the first so many people of each part; the last train ones are noise."""
    names = [name for part, n in people.items() for name in sorted(cinc_split()[part])[:n]]
    labels = ["N"] * len(names)
    signals = [SyntheticPerson.draw(i).record(seconds, FS_HZ, seed=i) for i in range(len(names))]
    for i in range(people["train"] - noisy, people["train"]):
        labels[i] = "~"
        signals[i] = np.random.default_rng(i).standard_normal(signals[i].size)
    counts = [np.round(signal * 1000.0 / UNIT_UV).astype(np.int16) for signal in signals]
    order = np.argsort(names)
    flat = np.concatenate([counts[i] for i in order])
    folder = data / "ecg" / "cinc2017_af"
    folder.mkdir(parents=True)
    np.savez(
        folder / "ecg.npz",
        signal_delta=np.diff(flat, prepend=np.int16(0)),
        offsets=np.cumsum([0, *(counts[i].size for i in order)]),
        record_id=np.array(names)[order],
        subject_id=np.array(names)[order],
        label=np.array(labels)[order],
        label_v0=np.array(labels)[order],
    )
    meta = {"dataset": "PhysioNet/CinC Challenge 2017 (AF)", "fs_hz": FS_HZ, "unit_uv_per_lsb": UNIT_UV}
    (folder / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
