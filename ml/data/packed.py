"""The packed layout of our data folder: one `ecg.npz` and one `meta.json` per set.

Source:
    README.md beside the data ("Layout of ecg.npz"); units from `meta.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from ml.data.records import DataError

ARRAYS_FILE = "ecg.npz"
META_FILE = "meta.json"


@dataclass(frozen=True)
class PackedSet:
    """An open packed set; arrays other than the signals are read on demand."""

    path: Path
    arrays: NpzFile
    meta: dict[str, Any]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return self.offsets.size - 1

    @property
    def fs_hz(self) -> float:
        """Sampling rate of every record, unless the set stores measured rates."""
        return float(self.meta["fs_hz"])

    @property
    def unit(self) -> Literal["mV", "raw"]:
        """Unit of `signals`; raw if the set has no calibrated unit."""
        return "mV" if "unit_uv_per_lsb" in self.meta else "raw"

    @property
    def unit_mv(self) -> float:
        """Millivolts per count; 1 if the set has no calibrated unit, so that counts stay counts."""
        return float(self.meta.get("unit_uv_per_lsb", 1000.0)) / 1000.0

    def column(self, name: str) -> NDArray[Any]:
        """An array with one entry per record."""
        values = self._array(name)
        if len(values) != len(self):
            raise DataError(f"{self.path}: expected {len(self)} entries in {name!r}, found {len(values)}")
        return values

    def strings(self, name: str) -> list[str]:
        """Return a column of texts."""
        return [str(value) for value in self.column(name)]

    def ragged(self, name: str, offsets_name: str) -> list[NDArray[Any]]:
        """Return an array with several entries per record, cut at its own offsets."""
        return np.split(self._array(name), self._array(offsets_name)[1:-1])

    def signals(self, name: str = "signal") -> Callable[[int], NDArray[np.float32]]:
        """Return a function from record number to its signal.

        Returns:
            Millivolts (counts if the set has no unit), float32, shape (n_samples,); a copy each time.
        """
        delta = f"{name}_delta"
        is_delta = delta in self.arrays
        # Differences run across record borders and wrap around in int16, like the sum that undoes them.
        counts = np.cumsum(self._array(delta), dtype=np.int16) if is_delta else self._array(name)
        unit_mv = np.float32(self.unit_mv)

        def signal(record: int) -> NDArray[np.float32]:
            start, stop = self.offsets[record : record + 2]
            return counts[start:stop].astype(np.float32) * unit_mv

        return signal

    def _array(self, name: str) -> NDArray[Any]:
        if name not in self.arrays:
            raise DataError(f"{self.path}: expected an array {name!r}, found {sorted(self.arrays.files)}")
        return np.asarray(self.arrays[name])


@contextmanager
def open_packed(folder: Path) -> Iterator[PackedSet]:
    """Open the packed set in a folder.

    Raises:
        DataError: Files are missing or lack offsets.
    """
    path, meta_path = folder / ARRAYS_FILE, folder / META_FILE
    for needed in (path, meta_path):
        if not needed.is_file():
            raise DataError(f"{needed}: missing; a packed set is {ARRAYS_FILE} beside {META_FILE}")
    meta = json.loads(meta_path.read_text(encoding="utf-8"))
    # Labels are plain arrays; a pickled object could run code.
    with np.load(path, allow_pickle=False) as arrays:
        if "offsets" not in arrays:
            raise DataError(f"{path}: expected an array 'offsets', found {sorted(arrays.files)}")
        yield PackedSet(path, arrays, meta, np.asarray(arrays["offsets"]))
