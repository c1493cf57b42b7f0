"""Fusion bundles behind their port."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from app.domain.errors import ConfigurationError
from app.domain.ports.fusion import FusionCard
from app.domain.references import Modality, Vector
from ml.runtime.bundle import FUSION_KIND, BundleError, preference, read_bundle
from ml.runtime.calibration.llr import Calibration
from ml.runtime.fusion.fusion_bundle import FusionBundle, load_fusion_bundle


class BundleFusion:
    """One fusion bundle behind the port."""

    def __init__(self, inner: FusionBundle) -> None:
        self._inner = inner
        info = inner.info
        self.card = FusionCard(
            id=info.id,
            version=info.version,
            sha256=info.sha256,
            vector_size=info.vector_size,
            metric=info.metric,
            licence=info.licence,
            training_data=info.training_data,
            operating_points=info.operating_points,
        )
        self.encoders = {Modality(name): encoder for name, encoder in inner.encoders.items()}

    def fuse(self, vectors: Mapping[Modality, Vector]) -> Vector:
        return self._inner.fuse({str(modality): rows for modality, rows in vectors.items()})

    def calibration(self, modalities: Collection[Modality]) -> Calibration:
        return self._inner.calibration([str(modality) for modality in modalities])


def load_fusion(models_dir: Path, loaded_encoders: Collection[str]) -> BundleFusion | None:
    """Check all fusion bundles of a folder and load the newest.

    Args:
        models_dir: Where the bundles lie.
        loaded_encoders: Ids of the encoders in use.

    Returns:
        None if there is none.

    Raises:
        ConfigurationError: One that is damaged, or the newest reads vectors of encoders that are not loaded.
    """
    folders = sorted(folder for folder in models_dir.glob("*@*") if folder.is_dir())
    try:
        found = [info.encoder_id for folder in folders if (info := read_bundle(folder)).kind == FUSION_KIND]
        if not found:
            return None
        newest = max(found, key=lambda name: preference(name, FUSION_KIND))
        fusion = BundleFusion(load_fusion_bundle(models_dir / newest))
    except BundleError as error:
        raise ConfigurationError(str(error)) from error
    if lacking := sorted(set(fusion.encoders.values()) - set(loaded_encoders)):
        raise ConfigurationError(
            f"{newest} reads the vectors of {', '.join(lacking)}, which is not loaded: make it again with"
            " `python -m ml.cli fusion train`, or remove it."
        )
    return fusion
