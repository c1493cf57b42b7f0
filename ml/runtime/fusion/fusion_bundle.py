"""A network over the vectors of several modalities: fusion at the level of features.

The multimodal paper concatenates the features of ECG, face and fingerprint and reads them with fully
connected layers of 300 and 150 nodes. Here the network gives a vector instead of classes, so that enrolling a
person never retrains it, and a mask tells it which modalities are there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ml.runtime.bundle import FUSION_KIND, WEIGHTS_FILE, BundleError, BundleInfo, read_bundle
from ml.runtime.calibration.llr import Calibration
from ml.runtime.onnx_network import OnnxNetwork
from ml.runtime.preparation import FIXED, FREE, Shape

FloatArray = NDArray[np.float32]

MASK: Final = "mask"
OUTPUT: Final = "vector"


class FusionBundle:
    """A checked bundle of kind `fusion`.

    Attributes:
        info: What `bundle.json` says.
        encoders: The encoder whose vectors it reads, by modality, in the order of the mask.
    """

    def __init__(self, info: BundleInfo, weights: bytes) -> None:
        """Put a bundle together.

        Raises:
            BundleError: Network, calibrations and card do not belong together.
        """
        try:
            if info.kind != FUSION_KIND:
                raise ValueError(f"kind {info.kind!r} fuses nothing")
            self.info = info
            self.encoders: Mapping[str, str] = dict(info.preprocessing["encoders"])
            self._calibrations = _calibrations(info.calibration, self.encoders)
            self._network = OnnxNetwork(
                weights, inputs=_inputs(self.encoders), outputs={OUTPUT: (FREE, FIXED)}
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"bundle {info.encoder_id}: {type(error).__name__}: {error}") from error
        except BundleError as error:
            raise BundleError(f"bundle {info.encoder_id}: {error}") from error
        if self._network.output_size() != info.vector_size:
            raise BundleError(
                f"bundle {info.encoder_id}: vector_size: expected {info.vector_size},"
                f" the network gives {self._network.output_size()}"
            )

    def fuse(self, vectors: Mapping[str, FloatArray]) -> FloatArray:
        """Make one vector of those of several modalities, for many people at once.

        Args:
            vectors: By modality; of its encoder, not transformed, unit norm, float32, shape (n, d). A
                modality that is left out is masked.

        Returns:
            Unit norm, float32, shape (n, vector_size).

        Raises:
            ValueError: No modality that the network knows, or numbers of people that differ.
        """
        known = {modality: vectors[modality] for modality in self.encoders if modality in vectors}
        counts = {len(rows) for rows in known.values()}
        if len(counts) != 1:
            raise ValueError(f"expected vectors of {', '.join(self.encoders)} for equally many people")
        (n,) = counts
        inputs = {
            modality: known.get(modality, np.zeros((n, self._network.input_size(modality)), np.float32))
            for modality in self.encoders
        }
        present = [float(modality in known) for modality in self.encoders]
        fused = self._network.run({**inputs, MASK: np.tile(np.array(present, np.float32), (n, 1))})
        return np.asarray(fused / np.linalg.norm(fused, axis=1, keepdims=True), dtype=np.float32)

    def calibration(self, modalities: Collection[str]) -> Calibration:
        """Return what cosines are worth where both sides have exactly these modalities.

        Raises:
            KeyError: Fewer than two, or one that the network does not know.
        """
        return self._calibrations[frozenset(modalities)]


def load_fusion_bundle(directory: Path) -> FusionBundle:
    """Load a fusion bundle and check it.

    Raises:
        BundleError: One line with what was expected and what was found.
    """
    return FusionBundle(read_bundle(directory), (directory / WEIGHTS_FILE).read_bytes())


def combination_name(modalities: Collection[str]) -> str:
    """Name a combination of modalities in `bundle.json`, for example `ecg+face`."""
    return "+".join(sorted(modalities))


def _inputs(encoders: Mapping[str, str]) -> Mapping[str, Shape]:
    return {**dict.fromkeys(encoders, (FREE, FIXED)), MASK: (FREE, len(encoders))}


def _calibrations(
    given: Mapping[str, Any], encoders: Mapping[str, str]
) -> Mapping[frozenset[str], Calibration]:
    found = {frozenset(name.split("+")): Calibration.from_dict(data) for name, data in given.items()}
    expected = {frozenset(combination) for combination in combinations_of(encoders)}
    if set(found) != expected:
        names = ", ".join(sorted(map(combination_name, expected)))
        raise ValueError(f"expected a calibration for each of {names}")
    return found


def combinations_of(modalities: Collection[str]) -> list[tuple[str, ...]]:
    """Return all combinations of at least two modalities, the smallest first, in the given order."""
    names = list(modalities)
    return [chosen for size in range(2, len(names) + 1) for chosen in combinations(names, size)]
