"""ONNX bundles behind the Encoder port: here, and in activity.py, the service meets `ml`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from app.adapters.metrics import encoding_time
from app.domain.captures import Capture
from app.domain.errors import ConfigurationError, FailureToAcquireError
from app.domain.ports.encoders import Encoder, EncoderCard, Encoders
from app.domain.references import Modality, Vector
from ml.runtime.bundle import ENCODE_NOBODY, preference, read_bundle
from ml.runtime.encoder import BundledEncoder, BundleError, open_bundle
from ml.runtime.encoding import Encoding
from ml.runtime.errors import CaptureError
from ml.runtime.pooling import pool


class BundleEncoder:
    """One bundle behind the Encoder port: timed, and refusing in the service's own words."""

    def __init__(self, inner: BundledEncoder) -> None:
        info = inner.info
        self._inner = inner
        self.encoder_id = info.encoder_id
        self.modality = Modality(info.modality)
        self.vector_size = info.vector_size
        self.local_size = inner.local_size
        self.comparer = inner.comparer
        self.calibration = inner.calibration
        self.card = EncoderCard(
            id=info.id,
            version=info.version,
            modality=self.modality,
            sha256=info.sha256,
            vector_size=info.vector_size,
            metric=info.metric,
            licence=info.licence,
            training_data=info.training_data,
            operating_points=info.operating_points,
            one_to_one_only=info.one_to_one_only,
        )

    def encode(self, capture: Capture) -> Encoding:
        try:
            with encoding_time(self.encoder_id):
                return self._inner.encode(capture)
        except CaptureError as error:
            raise FailureToAcquireError(str(error), code=error.code) from error

    def examine(self, capture: Capture) -> object | None:
        return self._inner.preparation.examine(capture)

    def pool(self, vectors: Vector, sessions: Sequence[str]) -> Vector:
        return pool(vectors, sessions)


class LoadedEncoders(Encoders):
    """The bundles in use, by modality: the default first, the others in the order that makes defaults.

    Args:
        encoders: All loaded ones.
        chosen: Default encoder id per modality; where none is named, the newest bundle named like the
            modality, or the newest of all if there is no such.

    Raises:
        ConfigurationError: A chosen encoder is not loaded.
    """

    def __init__(self, encoders: Sequence[Encoder], chosen: Mapping[str, str]) -> None:
        self._by_id = {encoder.encoder_id: encoder for encoder in encoders}
        self._by_modality: dict[Modality, list[Encoder]] = {}
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

    def default(self, modality: Modality) -> Encoder | None:
        versions = self._by_modality.get(modality)
        return versions[0] if versions else None

    def get(self, encoder_id: str) -> Encoder | None:
        return self._by_id.get(encoder_id)

    def of(self, modality: Modality) -> Sequence[Encoder]:
        return self._by_modality.get(modality, [])

    def all(self) -> Sequence[Encoder]:
        return list(self._by_id.values())


def load_encoders(models_dir: Path, chosen: Mapping[str, str]) -> LoadedEncoders:
    """Load every encoder `<id>@<version>` of a folder, and warm it up.

    All of them: one that is damaged should stop the start and not a request, any may be needed as soon as
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
    return LoadedEncoders(encoders, chosen)


def _load(folder: Path) -> BundleEncoder | None:
    """The encoder in a folder, warmed up; None if it holds a bundle of another family."""
    info = read_bundle(folder)
    if info.kind in ENCODE_NOBODY:
        return None
    encoder = open_bundle(info, folder)
    encoder.warm_up()
    return BundleEncoder(encoder)
