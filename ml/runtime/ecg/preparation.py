"""What all preparations of ECG do: condition the strip, and say how much of it is accepted."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.drawing import EcgDrawing, draw_strip
from ml.runtime.ecg.plausibility import warnings_of
from ml.runtime.ecg.raw_ecg import EcgCapture, FloatArray, RawEcg
from ml.runtime.ecg.signal.conditioning import ConditionedEcg, condition, examine_for_identity
from ml.runtime.ecg.signal.errors import SignalError
from ml.runtime.evidence import SECONDS, Evidence
from ml.runtime.preparation import Inputs, Preparation, Prepared

EXAMPLE_FS_HZ: Final = 250.0


@dataclass(frozen=True, eq=False, repr=False)
class EcgFacts:
    """What a strip says beside identity.

    Args:
        heart_rate_bpm: None with fewer than two accepted beats.
        strip: The conditioned strip, for the activity recognizer.
        raw: The strip as sent.
    """

    heart_rate_bpm: float | None
    strip: ConditionedEcg
    raw: FloatArray

    def warnings(self) -> tuple[str, ...]:
        """Codes of what looks as if the strip had been read wrongly; encoding does without them."""
        return warnings_of(self.raw, self.strip)

    def drawing(self) -> EcgDrawing:
        """Compute what a picture of the strip shows; encoding does without it."""
        return draw_strip(self.strip)


class EcgPreparation(Preparation[EcgCapture]):
    """Conditions a strip and cuts out of it what a network reads."""

    modality: ClassVar[str] = "ecg"
    unit: ClassVar[str] = SECONDS

    @abstractmethod
    def inputs(
        self, ecg: NDArray[np.float32], r_peaks: NDArray[np.int64], accepted: NDArray[np.bool_]
    ) -> Inputs:
        """Return what the network reads of a conditioned strip.

        Args:
            ecg: At the working rate (250 Hz), band-passed, any unit, float32, shape (n_samples,).
            r_peaks: Those in accepted segments, int64, shape (n_beats,).
            accepted: Which samples lie in accepted segments, bool, shape (n_samples,).

        Raises:
            NoHeartbeatError: No beat lies whole within the strip.
        """

    def prepare(self, capture: EcgCapture) -> Prepared:
        """Condition a strip; the inputs of `-signal` are those of `signal` but for the sign.

        Raises:
            SignalError: One of its subclasses says what is wrong.
        """
        strip = condition(capture.signal, capture.fs_hz)
        return Prepared(
            inputs=self.inputs(strip.ecg, strip.accepted_r_peaks, strip.accepted),
            evidence=Evidence(strip.quality.accepted_s, self.unit, strip.quality.score),
            reasons=strip.quality.reasons,
            facts=EcgFacts(strip.heart_rate_bpm, strip, capture.signal),
        )

    def examine(self, capture: EcgCapture) -> EcgFacts | None:
        """Condition a strip whether or not any of it can be used; None if it cannot be filtered at all."""
        try:
            strip = examine_for_identity(capture.signal, capture.fs_hz)
        except SignalError:
            return None
        return EcgFacts(strip.heart_rate_bpm, strip, capture.signal)

    def example(self) -> RawEcg:
        """Return enough of a heart to come through to a network."""
        return example_ecg()


def example_ecg() -> RawEcg:
    """Return twelve computed beats: a QRS, and a T wave behind it."""
    beat_s = np.arange(-0.4, 0.4, 1.0 / EXAMPLE_FS_HZ)
    beat = np.exp(-((beat_s / 0.015) ** 2)) + 0.2 * np.exp(-(((beat_s - 0.25) / 0.05) ** 2))
    return RawEcg(np.tile(beat, 12), EXAMPLE_FS_HZ)
