"""Recordings as they go over the wire."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import cv2
import numpy as np

# What is taken of a longer recording.
LONGEST_STRIP_S = 20.0


class Recording(Protocol):
    """One capture of one modality."""

    @property
    def modality(self) -> str: ...
    def body(self) -> dict[str, Any]:
        """The recording of DESIGN §5."""

    def spoiled(self) -> Recording:
        """The same as a bad sensor gives it: no person in it."""


@dataclass(frozen=True, repr=False)
class Strip:
    """One ECG strip as it goes over the wire."""

    fs_hz: float
    signal: Sequence[float]
    unit: str = "mV"
    lead: str = "unknown"
    captured_at: str | None = None

    @property
    def modality(self) -> str:
        return "ecg"

    def body(self) -> dict[str, Any]:
        """The recording of DESIGN §5."""
        when = {"captured_at": self.captured_at} if self.captured_at else {}
        return when | {
            "modality": "ecg",
            "fs_hz": self.fs_hz,
            "unit": self.unit,
            "lead": self.lead,
            "signal": self.signal,
        }

    def bytes_body(self) -> dict[str, Any]:
        """The same with its samples as whole microvolts in base64, which is how long strips are sent."""
        assert self.unit == "mV"
        body = {name: value for name, value in self.body().items() if name != "signal"}
        samples = np.rint(1000.0 * np.array(self.signal)).astype("<i2")
        return body | {"unit": "uV", "signal_b64": b64encode(samples.tobytes()).decode(), "dtype": "int16"}

    def first(self, seconds: float) -> Strip:
        """Its beginning."""
        return replace(self, signal=self.signal[: round(seconds * self.fs_hz)])

    def inverted(self) -> Strip:
        """As if the electrodes of the two arms were swapped."""
        return replace(self, signal=[-value for value in self.signal])

    def spoiled(self) -> Strip:
        """As if the electrodes had come off: noise and no heartbeat."""
        noise = np.random.default_rng(0).standard_normal(len(self.signal))
        return replace(self, signal=[round(float(value), 4) for value in 0.05 * noise])


@dataclass(frozen=True, repr=False)
class Picture:
    """A picture of a face or a fingerprint.

    Attributes:
        modality: `face` or `fingerprint`.
        image: JPEG or PNG.
        finger: Which one, of a fingerprint.
        dpi: Resolution of a fingerprint that its file does not tell.
    """

    modality: str
    image: bytes
    finger: str | None = None
    dpi: int | None = None

    def body(self) -> dict[str, Any]:
        """The recording of DESIGN §5."""
        named = {"finger": self.finger, "dpi": self.dpi}
        known = {name: value for name, value in named.items() if value is not None}
        return {"modality": self.modality, "image_b64": b64encode(self.image).decode()} | known

    def spoiled(self) -> Picture:
        """As if nothing but noise had lain on the sensor or stood before the camera."""
        noise = np.random.default_rng(0).integers(0, 256, (300, 300), dtype=np.uint8)
        return replace(self, image=png(noise))


def png(pixels: np.ndarray) -> bytes:
    """Write grey or color pixels, uint8, as a PNG."""
    return bytes(cv2.imencode(".png", pixels)[1])
