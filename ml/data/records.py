"""One ECG recording of any data set."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray


class DataError(ValueError):
    """A file or folder is not what its reader expects; the message names path, expected and found."""


@dataclass(frozen=True, eq=False)
class EcgRecord:
    """One lead of one recording.

    Attributes:
        record_id: Unique within its data set.
        subject_id: Recordings with the same value come from the same person.
        fs_hz: Sampling rate; the one measured from time stamps where a set has it.
        signal: Millivolts (raw counts for the motion set), float32, shape (n_samples,). Samples that the
            set itself marks as invalid are NaN.
        lead: Name as given by the set.
        unit: `mV`, or `raw` for counts of unknown size.
        recorded_on: The day of the recording where the set has it.
        labels: Everything else in the set. `r_peaks` (int64 sample indices of heartbeats) comes with
            `beat_symbols` (WFDB codes, same length) where the set has them; other marks, such as rhythm
            changes and the limits `[` `]` of ventricular flutter, are `marks` and `mark_symbols`.
    """

    record_id: str
    subject_id: str
    fs_hz: float
    signal: NDArray[np.float32] = field(repr=False)
    lead: str = "unknown"
    unit: Literal["mV", "raw"] = "mV"
    recorded_on: datetime.date | None = None
    labels: Mapping[str, object] = field(default_factory=dict, repr=False)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.signal.size / self.fs_hz
