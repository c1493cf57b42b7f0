"""Strip → unit vector in three steps: prepare (signal processing), infer (network), finish (unit norm)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.signal.conditioning import ConditionedEcg, condition
from ml.runtime.ecg.signal.errors import QualityTooLowError
from ml.runtime.onnx_network import Inputs, OnnxNetwork

FloatArray = NDArray[np.float32 | np.float64]


@dataclass(frozen=True)
class Prepared:
    """What a network reads of one strip, and what is known about the strip.

    Args:
        inputs: float32 arrays by the names of the network's inputs.
        seconds: Accepted seconds.
        quality: 0 (useless) to 1 (clean).
        heart_rate_bpm: None with fewer than two beats.
        reasons: Why parts of the strip were not accepted.
    """

    inputs: Inputs
    seconds: float
    quality: float
    heart_rate_bpm: float | None
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Encoding:
    """One strip as a vector. Biometric data: never logged, so the vector stays out of `repr`."""

    vector: NDArray[np.float32]
    seconds: float
    quality: float
    heart_rate_bpm: float | None
    reasons: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Encoding(vector=<{self.vector.size}>, seconds={self.seconds:g}, quality={self.quality:.2f})"


class Embedder(ABC):
    """A network with its preparation: all of an encoder but calibration and card. One class per kind."""

    def __init__(self, network: OnnxNetwork) -> None:
        self._network = network

    @property
    def sha256(self) -> str:
        """Of the weights."""
        return self._network.sha256

    @property
    def vector_size(self) -> int:
        """Length of the vectors."""
        return self._network.output_size()

    @abstractmethod
    def inputs(
        self, ecg: NDArray[np.float32], r_peaks: NDArray[np.int64], accepted: NDArray[np.bool_]
    ) -> Inputs:
        """Give what the network reads of a conditioned strip.

        Args:
            ecg: At the working rate (250 Hz), band-passed, any unit, float32, shape (n_samples,).
            r_peaks: Those in accepted segments, int64, shape (n_beats,).
            accepted: Which samples lie in accepted segments, bool, shape (n_samples,).

        Raises:
            NoHeartbeatError: No beat lies whole within the strip.
        """

    def prepare(self, ecg: FloatArray, fs_hz: float) -> Prepared:
        """Condition a strip and cut out of it what the network reads.

        Args:
            ecg: Any unit and polarity, float, shape (n_samples,).
            fs_hz: Sampling rate, 100 to 2000.

        Raises:
            SignalError: One of its subclasses says what is wrong.
        """
        return self._prepared(condition(ecg, fs_hz))

    def infer(self, inputs: Inputs) -> NDArray[np.float32]:
        """Run the network; float32, shape (n, d)."""
        return self._network.run(inputs)

    def finish(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the network's output unit norm in full precision.

        Args:
            raw: float32, shape (n, d).

        Raises:
            QualityTooLowError: It has no direction.
        """
        wide = raw.astype(np.float64)
        norm = np.linalg.norm(wide, axis=1, keepdims=True)
        if not (np.isfinite(norm) & (norm > 0.0)).all():
            raise QualityTooLowError("the network finds nothing in the strip")
        return np.asarray(wide / norm, dtype=np.float32)

    def embed(
        self, ecg: NDArray[np.float32], r_peaks: NDArray[np.int64], accepted: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """Turn a conditioned strip into a vector, float32, shape (d,); arguments as of `inputs`.

        Raises:
            SignalError: The strip gives no vector.
        """
        vector: NDArray[np.float32] = self.finish(self.infer(self.inputs(ecg, r_peaks, accepted)))[0]
        return vector

    def encode(self, ecg: FloatArray, fs_hz: float) -> Encoding:
        """Turn a strip into a vector; the same for `ecg` and `-ecg`.

        Args:
            ecg: Any unit and polarity, float, shape (n_samples,).
            fs_hz: Sampling rate, 100 to 2000.

        Raises:
            SignalError: One of its subclasses says what is wrong.
        """
        return self.encode_conditioned(condition(ecg, fs_hz))

    def encode_conditioned(self, strip: ConditionedEcg) -> Encoding:
        """Turn a strip that `ml.runtime.ecg.signal.conditioning.condition` gave into a vector.

        Raises:
            SignalError: One of its subclasses says what is wrong.
        """
        prepared = self._prepared(strip)
        vector = self.finish(self.infer(prepared.inputs))[0]  # (1, d) → (d,)
        return Encoding(vector, prepared.seconds, prepared.quality, prepared.heart_rate_bpm, prepared.reasons)

    def _prepared(self, strip: ConditionedEcg) -> Prepared:
        return Prepared(
            inputs=self.inputs(strip.ecg, strip.accepted_r_peaks, strip.accepted),
            seconds=strip.quality.accepted_s,
            quality=strip.quality.score,
            heart_rate_bpm=strip.heart_rate_bpm,
            reasons=strip.quality.reasons,
        )
