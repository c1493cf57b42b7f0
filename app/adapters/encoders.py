"""ONNX bundles behind the Encoder port: here, and in activity.py, the service meets ``ml``."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from app.adapters.metrics import encoding_time
from app.domain import ports
from app.domain.errors import ConfigurationError, FailureToAcquireError
from app.domain.ports import EncoderCard, Float64Array
from app.domain.references import Encoding, Modality, Recording, Vector
from ml.runtime.bundle import ENCODER_KINDS, WEIGHTS_FILE, preference, read_bundle
from ml.runtime.calibration.llr import Calibration
from ml.runtime.ecg.signal.conditioning import condition
from ml.runtime.ecg.signal.errors import SignalError
from ml.runtime.encoder import BundleError, EcgEncoder
from ml.runtime.evidence import SECONDS, Evidence
from ml.runtime.pooling import pool

WARM_UP_FS_HZ = 250.0


class BundleEncoder(ports.Encoder):
    """One ECG bundle."""

    def __init__(self, inner: EcgEncoder) -> None:
        self._inner = inner
        self._encoder_id, self._modality = inner.encoder_id, Modality(inner.info.modality)

    @property
    def encoder_id(self) -> str:
        return self._encoder_id

    @property
    def modality(self) -> Modality:
        return self._modality

    @property
    def vector_size(self) -> int:
        return self._inner.info.vector_size

    @property
    def calibration(self) -> Calibration:
        return self._inner.calibration

    @property
    def card(self) -> EncoderCard:
        info = self._inner.info
        return EncoderCard(
            id=info.id,
            version=info.version,
            modality=self.modality,
            sha256=info.sha256,
            vector_size=info.vector_size,
            metric=info.metric,
            licence=info.licence,
            training_data=info.training_data,
            operating_points=info.operating_points,
        )

    def encode(self, recording: Recording) -> Encoding:
        assert recording.fs_hz is not None
        assert isinstance(recording.payload, np.ndarray)
        try:
            with encoding_time(self.encoder_id):
                strip = condition(recording.payload, recording.fs_hz)
                encoding = self._inner.encode_conditioned(strip)
        except SignalError as error:
            raise FailureToAcquireError(str(error), code=error.code) from error
        return Encoding(
            vector=encoding.vector,
            evidence=Evidence(encoding.seconds, SECONDS, encoding.quality),
            heart_rate_bpm=encoding.heart_rate_bpm,
            reasons=encoding.reasons,
            strip=strip,
        )

    def warm_up(self) -> None:
        """Load what loads at first use, so that the first capture does not wait for it."""
        with contextlib.suppress(SignalError):
            self._inner.encode(warm_up_beats(), WARM_UP_FS_HZ)

    def pool(self, vectors: Vector, sessions: Sequence[str]) -> Vector:
        return pool(vectors, sessions)


def warm_up_beats() -> Float64Array:
    """Enough of a heart to come to a network; ``WARM_UP_FS_HZ``, shape (n_samples,)."""
    beat_s = np.arange(-0.4, 0.4, 1.0 / WARM_UP_FS_HZ)
    return np.tile(np.exp(-((beat_s / 0.015) ** 2)), 12)


class LoadedEncoders(ports.Encoders):
    """The bundles in use, by modality: the default first, the others in the order that makes defaults.

    Args:
        encoders: All loaded ones.
        chosen: Default encoder id per modality; where none is named, the newest bundle named like the
            modality, or the newest of all if there is no such.

    Raises:
        ConfigurationError: A chosen encoder is not loaded.
    """

    def __init__(self, encoders: Sequence[ports.Encoder], chosen: Mapping[str, str]) -> None:
        self._by_id = {encoder.encoder_id: encoder for encoder in encoders}
        self._by_modality: dict[Modality, list[ports.Encoder]] = {}
        best_first = sorted(encoders, key=lambda e: preference(e.encoder_id, e.modality), reverse=True)
        for encoder in best_first:
            self._by_modality.setdefault(encoder.modality, []).append(encoder)
        for modality, encoder_id in chosen.items():
            preferred = self._by_id.get(encoder_id)
            if preferred is None or preferred.modality != modality:
                loaded = ", ".join(sorted(self._by_id)) or "none"
                raise ConfigurationError(
                    f"PULSEPRINT_ENCODERS names '{encoder_id}' for {modality}; loaded are: {loaded}."
                )
            versions = self._by_modality[preferred.modality]
            versions.sort(key=lambda encoder: encoder is not preferred)  # Stable: the others stay in order.

    def default(self, modality: Modality) -> ports.Encoder | None:
        versions = self._by_modality.get(modality)
        return versions[0] if versions else None

    def get(self, encoder_id: str) -> ports.Encoder | None:
        return self._by_id.get(encoder_id)

    def of(self, modality: Modality) -> Sequence[ports.Encoder]:
        return self._by_modality.get(modality, [])

    def all(self) -> Sequence[ports.Encoder]:
        return list(self._by_id.values())


def load_encoders(models_dir: Path, chosen: Mapping[str, str]) -> LoadedEncoders:
    """Load every encoder ``<id>@<version>`` of a folder, and warm it up.

    All of them: one that is damaged should stop the start and not a request, any may be asked for as soon as
    a replica enrolls with it, and a further one costs 15 to 60 ms and some 10 MB (1 to 4 MB of weights).

    Raises:
        ConfigurationError: No bundle at all, one that is damaged, or a chosen one that is not there.
    """
    folders = sorted(folder for folder in models_dir.glob("*@*") if folder.is_dir())
    try:
        encoders = [encoder for folder in folders if (encoder := _load(folder)) is not None]
    except BundleError as error:
        raise ConfigurationError(str(error)) from error
    if not encoders:
        raise ConfigurationError(f"There is no bundle <id>@<version> in the models folder '{models_dir}'.")
    for encoder in encoders:
        encoder.warm_up()
    return LoadedEncoders(encoders, chosen)


def _load(folder: Path) -> BundleEncoder | None:
    """The encoder in a folder; None if it holds a bundle of another family."""
    info = read_bundle(folder)
    if info.kind not in ENCODER_KINDS:
        return None
    return BundleEncoder(EcgEncoder(info, (folder / WEIGHTS_FILE).read_bytes()))
