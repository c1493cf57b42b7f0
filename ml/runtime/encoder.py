"""Capture → identity vector, by a checked bundle: the public surface of `ml` for the service."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ml.runtime.bundle import ENCODE_NOBODY, FURTHER_FILES, WEIGHTS_FILE, BundleError, BundleInfo, read_bundle
from ml.runtime.calibration.llr import Calibration
from ml.runtime.encoding import Encoding
from ml.runtime.kinds import preparation_of
from ml.runtime.vector_network import VectorNetwork

__all__ = ["BundleError", "BundledEncoder", "Encoding", "load_bundle", "open_bundle"]


class BundledEncoder(VectorNetwork):
    """A whole bundle: card, calibration, preparation and network.

    Attributes:
        info: What `bundle.json` says.
        calibration: Of the vectors' cosines, or of the similarities of details.
        comparer: What compares details; None if vectors are compared.
    """

    def __init__(self, info: BundleInfo, weights: bytes, further: Mapping[str, bytes] | None = None) -> None:
        """Put a bundle together.

        Args:
            info: What `bundle.json` says.
            weights: The network.
            further: The further files of its kind, by name.

        Raises:
            BundleError: Network, preparation, calibration and card do not belong together.
        """
        if info.kind in ENCODE_NOBODY:
            raise BundleError(f"bundle {info.encoder_id}: kind {info.kind!r} encodes nobody")
        try:
            self.info = info
            self.calibration = Calibration.from_dict(info.calibration)
            super().__init__(preparation_of(info, further or {}), weights)
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"bundle {info.encoder_id}: {type(error).__name__}: {error}") from error
        except BundleError as error:
            raise BundleError(f"bundle {info.encoder_id}: {error}") from error
        if self.calibration.unit != self.preparation.unit:
            raise BundleError(
                f"bundle {info.encoder_id}: calibration: expected evidence in {self.preparation.unit},"
                f" found {self.calibration.unit}"
            )
        self.comparer = self.preparation.comparer()
        if self.vector_size != info.vector_size:
            raise BundleError(
                f"bundle {info.encoder_id}: vector_size: expected {info.vector_size},"
                f" the network gives {self.vector_size}"
            )

    @property
    def encoder_id(self) -> str:
        """Name that is stored with every reference, for example `ecg-beat@2026.11`."""
        return self.info.encoder_id


def load_bundle(directory: Path) -> BundledEncoder:
    """Load a bundle and check it: schema, checksums, preparation, weights, calibration.

    Raises:
        BundleError: One line with what was expected and what was found.
    """
    return open_bundle(read_bundle(directory), directory)


def open_bundle(info: BundleInfo, directory: Path) -> BundledEncoder:
    """Load what was read and checked before.

    Raises:
        BundleError: As of `load_bundle`.
    """
    further = {name: (directory / name).read_bytes() for name in FURTHER_FILES.get(info.kind, ())}
    return BundledEncoder(info, (directory / WEIGHTS_FILE).read_bytes(), further)
