"""Recording → identity vector, by a checked bundle: the public surface of `ml` for the service.

prepare (signal processing) → infer (ONNX Runtime, one thread) → finish (unit norm).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.bundle import WEIGHTS_FILE, BundleError, BundleInfo, read_bundle
from ml.calibration import Calibration
from ml.models.mean_beat import MeanBeatConfig, align_beats, beat_shape, mean_beat
from ml.signal.conditioning import ConditionedEcg, condition
from ml.signal.errors import NoHeartbeatError

__all__ = ["BeatEmbedder", "BundleError", "BundleInfo", "EcgEncoder", "Encoding", "Prepared", "load_bundle"]

FloatArray = NDArray[np.float32 | np.float64]
# How a tensor kept outside the file begins: key "location" of an `external_data` entry.
EXTERNAL_DATA_MARK = b"\x0a\x08location"


@dataclass(frozen=True)
class Prepared:
    """What an encoder's network reads of one strip, and what is known about the strip.

    Args:
        inputs: Standardised mean beat, float32, shape (1, n_samples).
        seconds: Accepted seconds.
        quality: 0 (useless) to 1 (clean).
        heart_rate_bpm: None with fewer than two beats.
        reasons: Why parts of the strip were not accepted.
    """

    inputs: NDArray[np.float32]
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


class BeatEmbedder:
    """A mean-beat network with its preparation; what an `EcgEncoder` is before it has a calibration."""

    def __init__(self, weights: bytes, config: MeanBeatConfig) -> None:
        """Load a network.

        Args:
            weights: An ONNX file that maps (n, n_samples) to (n, d), both float32.
            config: The mean beat it was fitted for.

        Raises:
            BundleError: Not such a network, or one whose weights lie in other files.
        """
        self.sha256 = hashlib.sha256(weights).hexdigest()
        self._config = config
        self._session = _open_network(weights)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1 or inputs[0].shape[1:] != [config.n_samples]:
            raise BundleError(
                f"{WEIGHTS_FILE}: expected one input of {config.n_samples} samples and one output"
            )
        self._input_name = inputs[0].name
        self.vector_size = int(outputs[0].shape[1])

    def prepare(self, ecg: FloatArray, fs_hz: float) -> Prepared:
        """Condition a strip and average its beats.

        Args:
            ecg: Any unit and polarity, float, shape (n_samples,).
            fs_hz: Sampling rate, 100 to 2000.

        Raises:
            SignalError: One of its subclasses says what is wrong.
        """
        conditioned = condition(ecg, fs_hz)
        shape = self.shape(conditioned.ecg, conditioned.fs_hz, accepted_peaks(conditioned))
        return Prepared(
            inputs=shape[None],
            seconds=conditioned.quality.accepted_s,
            quality=conditioned.quality.score,
            heart_rate_bpm=conditioned.heart_rate_bpm,
            reasons=conditioned.quality.reasons,
        )

    def shape(
        self, ecg: NDArray[np.float32], fs_hz: float, r_peaks: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Give what the network reads of a conditioned strip.

        Args:
            ecg: Band-passed, any unit, float32, shape (n_samples,).
            fs_hz: Sampling rate.
            r_peaks: Those in accepted segments, int64, shape (n_beats,).

        Returns:
            Standardised mean beat, float32, shape (n_samples,).

        Raises:
            NoHeartbeatError: No beat lies whole within the strip.
        """
        marks = align_beats(ecg, fs_hz, r_peaks, self._config)
        mean = mean_beat(ecg, fs_hz, marks, self._config)
        shape = None if mean is None else beat_shape(mean, fs_hz, self._config)
        if shape is None:
            raise NoHeartbeatError("no heartbeat lies whole within the strip")
        return shape

    def infer(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network; float32, shape (n, n_samples) → (n, d)."""
        return np.asarray(self._session.run(None, {self._input_name: inputs})[0], dtype=np.float32)

    def finish(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the network's output unit norm in full precision; float32, shape (n, d)."""
        wide = raw.astype(np.float64)
        return np.asarray(wide / np.linalg.norm(wide, axis=1, keepdims=True), dtype=np.float32)

    def encode(self, ecg: FloatArray, fs_hz: float) -> Encoding:
        """Turn a strip into a vector; the same for `ecg` and `-ecg`.

        Args:
            ecg: Any unit and polarity, float, shape (n_samples,).
            fs_hz: Sampling rate, 100 to 2000.

        Raises:
            SignalError: One of its subclasses says what is wrong.
        """
        prepared = self.prepare(ecg, fs_hz)
        vector = self.finish(self.infer(prepared.inputs))[0]  # (1, d) → (d,)
        return Encoding(vector, prepared.seconds, prepared.quality, prepared.heart_rate_bpm, prepared.reasons)


class EcgEncoder(BeatEmbedder):
    """A whole bundle: network, preparation, calibration and card."""

    def __init__(self, info: BundleInfo, weights: bytes) -> None:
        try:
            config = mean_beat_config(info.preprocessing)
            self.calibration = Calibration.from_dict(info.calibration)
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"bundle {info.encoder_id}: {type(error).__name__}: {error}") from error
        super().__init__(weights, config)
        if self.vector_size != info.vector_size:
            raise BundleError(
                f"vector_size: expected {info.vector_size}, the network gives {self.vector_size}"
            )
        self.info = info

    @property
    def encoder_id(self) -> str:
        """Name that is stored with every reference, for example `ecg-beat@2026.11`."""
        return self.info.encoder_id


def load_bundle(directory: Path) -> EcgEncoder:
    """Load a bundle and check it: schema, checksums, weights, calibration.

    Raises:
        BundleError: One line with what was expected and what was found.
    """
    info = read_bundle(directory)
    return EcgEncoder(info, (directory / WEIGHTS_FILE).read_bytes())


def accepted_peaks(ecg: ConditionedEcg) -> NDArray[np.int64]:
    """Give the R peaks that lie in accepted segments; int64, shape (n_beats,)."""
    accepted = np.zeros(ecg.r_peaks.size, dtype=np.bool_)
    times_s = ecg.r_peaks / ecg.fs_hz
    for segment in ecg.quality.segments:
        if segment.accepted:
            accepted |= (times_s >= segment.start_s) & (times_s < segment.end_s)
    return ecg.r_peaks[accepted]


def mean_beat_config(preprocessing: Mapping[str, Any]) -> MeanBeatConfig:
    """Read the mean beat's parameters.

    Raises:
        ValueError: Missing or unknown parameters.
    """
    known = {field.name for field in fields(MeanBeatConfig)}
    if set(preprocessing) != known:
        raise ValueError(f"preprocessing: missing or unknown {sorted(set(preprocessing) ^ known)}")
    return MeanBeatConfig(**preprocessing)


def _open_network(weights: bytes) -> Any:
    if EXTERNAL_DATA_MARK in weights:
        raise BundleError(f"{WEIGHTS_FILE}: weights outside the file (external data) are refused")
    import onnxruntime as ort  # 0.1 s; whoever only reads a bundle's card does not pay for it.

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own exceptions share no public base class.
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise BundleError(f"{WEIGHTS_FILE}: ONNX Runtime refuses it: {reason}") from error
