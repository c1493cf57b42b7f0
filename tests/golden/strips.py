"""Recordings of computed people, as the API takes them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from tests.factories import ecg as fake_recording
from tests.factories import flat_ecg
from tests.golden.captures import Capture

PROBE_SESSION = 7
FIRST_STRANGER = 100
"""Below it are people who may be enrolled."""
_LEAD_II_OF = 1000
"""Computed hearts have one lead, so that lead II of a person is that of another one."""


@dataclass(frozen=True)
class Strip:
    """One recording of a computed person."""

    person: int
    seconds: float = 10.0
    session: int = PROBE_SESSION
    fs_hz: float = 250.0
    lead: str | None = None
    inverted: bool = False
    noise: float = 1.0
    as_bytes: bool = False
    day: int | None = None

    def json(self) -> dict[str, Any]:
        recording = {"modality": "ecg", "fs_hz": self.fs_hz} | self._samples()
        if self.lead is not None:
            recording["lead"] = self.lead
        if self.day is not None:
            recording["captured_at"] = f"2026-03-{self.day:02}T12:00:00Z"
        return recording

    def _samples(self) -> dict[str, Any]:
        person = self.person + (_LEAD_II_OF if self.lead == "II" else 0)
        shape = (person, self.seconds, self.fs_hz, self.inverted, self.noise, self.session)
        ecg_mv = _computed(Capture(*shape))
        if not self.as_bytes:
            return {"unit": "mV", "signal": np.round(ecg_mv, 4).tolist()}
        ecg_uv = np.round(1000.0 * ecg_mv).astype("<i2")
        return {"unit": "uV", "dtype": "int16", "signal_b64": base64.b64encode(ecg_uv.tobytes()).decode()}


@dataclass(frozen=True)
class FakeStrip:
    """One recording of a fake person, for the fake encoder."""

    person: int
    take: int = 0
    seconds: float = 4.0
    noise: float = 0.3
    lead: str | None = None

    def json(self) -> dict[str, Any]:
        recording = fake_recording(self.person, self.take, seconds=self.seconds, noise=self.noise)
        return recording if self.lead is None else recording | {"lead": self.lead}


class FlatStrip:
    """A recording without an electrode."""

    def json(self) -> dict[str, Any]:
        return flat_ecg()


AnyStrip = Strip | FakeStrip | FlatStrip


@dataclass(frozen=True)
class Probe:
    """Recordings that are sent together, and the person that they are verified as."""

    name: str
    claimed: int
    strips: Sequence[AnyStrip]

    def json(self) -> list[dict[str, Any]]:
        return [strip.json() for strip in self.strips]


@cache
def _computed(capture: Capture) -> np.ndarray:
    return capture.signal()
