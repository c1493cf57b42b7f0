"""Recording → identity vector, by a checked bundle: the public surface of `ml` for the service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ml.runtime.bundle import (
    ENCODER_KINDS,
    MEAN_BEAT_KIND,
    NETWORK_KIND,
    WEIGHTS_FILE,
    BundleError,
    BundleInfo,
    read_bundle,
    read_parameters,
)
from ml.runtime.calibration.llr import Calibration
from ml.runtime.ecg.beat_embedder import BeatEmbedder
from ml.runtime.ecg.embedder import Embedder, Encoding, Prepared
from ml.runtime.ecg.mean_beat import MeanBeatConfig
from ml.runtime.ecg.network_embedder import NetworkEmbedder, NetworkInputs
from ml.runtime.ecg.signal.conditioning import ConditionedEcg
from ml.runtime.ecg.signal.windows import WindowConfig

__all__ = [
    "BeatEmbedder",
    "BundleError",
    "BundleInfo",
    "EcgEncoder",
    "Embedder",
    "Encoding",
    "NetworkEmbedder",
    "NetworkInputs",
    "Prepared",
    "load_bundle",
]

FloatArray = NDArray[np.float32 | np.float64]


class EcgEncoder:
    """A whole bundle: network with its preparation, calibration and card."""

    def __init__(self, info: BundleInfo, weights: bytes) -> None:
        """Put a bundle together.

        Raises:
            BundleError: Network, preparation, calibration and card do not belong together.
        """
        if info.kind not in ENCODER_KINDS:
            raise BundleError(f"bundle {info.encoder_id}: kind {info.kind!r} encodes nobody")
        try:
            self.calibration = Calibration.from_dict(info.calibration)
            self.embedder = _EMBEDDERS[info.kind](weights, info.preprocessing)
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"bundle {info.encoder_id}: {type(error).__name__}: {error}") from error
        except BundleError as error:
            raise BundleError(f"bundle {info.encoder_id}: {error}") from error
        if self.embedder.vector_size != info.vector_size:
            raise BundleError(
                f"bundle {info.encoder_id}: vector_size: expected {info.vector_size},"
                f" the network gives {self.embedder.vector_size}"
            )
        self.info = info

    @property
    def encoder_id(self) -> str:
        """Name that is stored with every reference, for example `ecg-beat@2026.11`."""
        return self.info.encoder_id

    @property
    def vector_size(self) -> int:
        """Length of the vectors."""
        return self.info.vector_size

    def encode(self, ecg: FloatArray, fs_hz: float) -> Encoding:
        """Turn a strip into a vector; the same for `ecg` and `-ecg`.

        Args:
            ecg: Any unit and polarity, float, shape (n_samples,).
            fs_hz: Sampling rate, 100 to 2000.

        Raises:
            SignalError: One of its subclasses says what is wrong.
        """
        return self.embedder.encode(ecg, fs_hz)

    def encode_conditioned(self, strip: ConditionedEcg) -> Encoding:
        """Turn a strip that `ml.runtime.ecg.signal.conditioning.condition` gave into a vector.

        Raises:
            SignalError: One of its subclasses says what is wrong.
        """
        return self.embedder.encode_conditioned(strip)


def load_bundle(directory: Path) -> EcgEncoder:
    """Load a bundle and check it: schema, checksums, weights, calibration.

    Raises:
        BundleError: One line with what was expected and what was found.
    """
    info = read_bundle(directory)
    return EcgEncoder(info, (directory / WEIGHTS_FILE).read_bytes())


def _beat_embedder(weights: bytes, preprocessing: Mapping[str, Any]) -> Embedder:
    return BeatEmbedder(weights, read_parameters(MeanBeatConfig, preprocessing, "preprocessing"))


def _network_embedder(weights: bytes, preprocessing: Mapping[str, Any]) -> Embedder:
    if preprocessing.keys() != (parts := {"mean_beat", "windows"}):
        odd = ", ".join(sorted(preprocessing.keys() ^ parts))
        raise ValueError(f"preprocessing: missing or unknown {odd}")
    config = NetworkInputs(
        mean_beat=read_parameters(MeanBeatConfig, preprocessing["mean_beat"], "preprocessing.mean_beat"),
        windows=read_parameters(WindowConfig, preprocessing["windows"], "preprocessing.windows"),
    )
    return NetworkEmbedder(weights, config)


_EMBEDDERS: Final[Mapping[str, Callable[[bytes, Mapping[str, Any]], Embedder]]] = {
    MEAN_BEAT_KIND: _beat_embedder,
    NETWORK_KIND: _network_embedder,
}
