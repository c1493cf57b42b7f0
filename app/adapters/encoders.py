"""ONNX bundles behind the Encoder port: here, and in activity.py, the service meets ``ml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.adapters.metrics import encoding_time
from app.domain import ports
from app.domain.captures import Capture
from app.domain.errors import ConfigurationError, FailureToAcquireError
from app.domain.ports import EncoderCard, Float64Array, IntArray
from app.domain.references import Modality, Vector
from ml.runtime.bundle import ACTIVITY_KIND, WEIGHTS_FILE, preference, read_bundle
from ml.runtime.calibration.llr import Calibration
from ml.runtime.calibration.nulls import Null, evidence_classes
from ml.runtime.encoder import BundledEncoder, BundleError
from ml.runtime.encoding import Encoding
from ml.runtime.errors import CaptureError
from ml.runtime.matching.gallery_null import GalleryNull, fit_gallery_null
from ml.runtime.pooling import pool


@dataclass(frozen=True)
class BundleCalibration(ports.Calibration):
    """A bundle's calibration as the services see it."""

    inner: Calibration

    @property
    def ceiling_db(self) -> float:
        return self.inner.ceiling_db

    @property
    def non_mated_pairs(self) -> int:
        return self.inner.non_mated_pairs

    def llr_db(self, cosine: Float64Array, seconds: Float64Array, quality: Float64Array) -> Float64Array:
        return self.inner.llr_db(cosine, seconds, quality)

    def soften_db(self, llr_db: Float64Array) -> Float64Array:
        return self.inner.soften_db(llr_db)

    def reached_by_chance_db(self, evidence_class: int, rate: float) -> float:
        return self.inner.reached_by_chance_db(evidence_class, rate)

    def expected_gain_db(self, now_s: float, then_s: Float64Array) -> Float64Array:
        return self.inner.expected_gain_db(now_s, then_s)

    def expected_agreement(self, seconds: Float64Array) -> float:
        return self.inner.expected_agreement(seconds)

    def evidence_class(self, seconds: Float64Array) -> IntArray:
        return evidence_classes(seconds)

    def null(self, evidence_class: int) -> Null:
        return self.inner.null(evidence_class)

    def fit_gallery_null(
        self, llr_db: Float64Array, evidence_classes: NDArray[np.integer[Any]]
    ) -> ports.GalleryNull:
        return _OwnNull(self.inner, fit_gallery_null(self.inner, llr_db, evidence_classes))


@dataclass(frozen=True)
class _OwnNull(ports.GalleryNull):
    calibration: Calibration
    inner: GalleryNull

    @property
    def corrected(self) -> bool:
        return self.inner.corrected

    @property
    def slope(self) -> float:
        return self.inner.slope

    @property
    def offset_db(self) -> float:
        return self.inner.offset_db

    @property
    def pairs(self) -> int:
        return self.inner.pairs

    @property
    def subjects(self) -> int:
        return self.inner.subjects

    @property
    def measured_over_nominal(self) -> float | None:
        return self.inner.measured_over_nominal

    @property
    def possible_duplicates(self) -> Sequence[Sequence[int]]:
        return self.inner.possible_duplicates.groups

    @property
    def raised_db(self) -> float:
        return self.inner.raised_db

    @property
    def limited(self) -> bool:
        return self.inner.limited

    def apply(self, llr_db: Float64Array) -> Float64Array:
        return self.inner.apply(llr_db)

    def null(self, evidence_class: int) -> Null:
        return self.inner.null(self.calibration, evidence_class)


class BundleEncoder:
    """One bundle behind the Encoder port: timed, and refusing in the service's own words."""

    def __init__(self, inner: BundledEncoder) -> None:
        info = inner.info
        self._inner = inner
        self.encoder_id = info.encoder_id
        self.modality = Modality(info.modality)
        self.vector_size = info.vector_size
        self.calibration: ports.Calibration = BundleCalibration(inner.calibration)
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
        )

    def encode(self, capture: Capture) -> Encoding:
        try:
            with encoding_time(self.encoder_id):
                return self._inner.encode(capture)
        except CaptureError as error:
            raise FailureToAcquireError(str(error), code=error.code) from error

    def pool(self, vectors: Vector, sessions: Sequence[str]) -> Vector:
        return pool(vectors, sessions)


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
    return LoadedEncoders(encoders, chosen)


def _load(folder: Path) -> BundleEncoder | None:
    """The encoder in a folder, warmed up; None if it holds a bundle of another family."""
    info = read_bundle(folder)
    if info.kind == ACTIVITY_KIND:
        return None
    encoder = BundledEncoder(info, (folder / WEIGHTS_FILE).read_bytes())
    encoder.warm_up()
    return BundleEncoder(encoder)
