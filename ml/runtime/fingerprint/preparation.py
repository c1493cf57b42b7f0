"""Kind `fingerprint-minutiae`: a picture of a finger → its cylinders for a network, and its detail."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ml.runtime.errors import CaptureError
from ml.runtime.evidence import IMAGES, Evidence
from ml.runtime.fingerprint.comparison import (
    alignment,
    cylinders,
    detail,
    local_similarity,
    pairing,
    relaxation,
)
from ml.runtime.fingerprint.comparison.combiner import Combiner
from ml.runtime.fingerprint.comparison.comparer import FingerprintComparer
from ml.runtime.fingerprint.comparison.detail import WrittenDetail, write_detail
from ml.runtime.fingerprint.drawn_finger import drawn_finger_file
from ml.runtime.fingerprint.errors import FingerprintQualityError
from ml.runtime.fingerprint.extraction import constants as extraction
from ml.runtime.fingerprint.extraction.extractor import extract, extract_anyway
from ml.runtime.fingerprint.extraction.impression import Impression
from ml.runtime.fingerprint.minutiae import Minutiae
from ml.runtime.fingerprint.raw_fingerprint import FingerprintCapture, RawFingerprint
from ml.runtime.image.decoding import decode_grey
from ml.runtime.image.opening import open_image
from ml.runtime.image.resolution import required_dpi
from ml.runtime.parameters import read_parameters
from ml.runtime.preparation import FIXED, FREE, LOCAL, Constants, Preparation, Prepared

MOST_LOCAL_VECTORS: Final = 64
"""Per impression, those of the best minutiae: what the index holds of it."""
COMBINER: Final = "combiner"
EXAMPLE_DPI: Final = 500


class FingerprintPreparation(Preparation[FingerprintCapture]):
    """Cylinders for a network `cylinders` (n, cells) → `vector` (1, d) and `local` (n, l)."""

    modality = "fingerprint"
    unit = IMAGES

    def __init__(self, combiner: Combiner) -> None:
        """Take the weights of what comparisons find."""
        self._combiner = combiner
        self.reads = {"cylinders": (FREE, cylinders.CELLS * cylinders.SECTIONS)}
        self.gives = {"vector": (1, FIXED), LOCAL: (FREE, FIXED)}

    @classmethod
    def from_dict(cls, preprocessing: Mapping[str, Any]) -> FingerprintPreparation:
        """See `Preparation.from_dict`."""
        if preprocessing.keys() != {COMBINER}:
            raise ValueError(f"preprocessing: expected {COMBINER}, found {sorted(preprocessing)}")
        return cls(read_parameters(Combiner, preprocessing[COMBINER], f"preprocessing.{COMBINER}"))

    @classmethod
    def constants(cls) -> Constants:
        """See `Preparation.constants`."""
        parts: dict[str, ModuleType] = {
            "extraction": extraction,
            "cylinders": cylinders,
            "detail": detail,
            "local_similarity": local_similarity,
            "pairing": pairing,
            "relaxation": relaxation,
            "alignment": alignment,
        }
        return {
            f"{part}.{name}": value
            for part, module in parts.items()
            for name, value in vars(module).items()
            if name.isupper() and not name.startswith("_") and isinstance(value, (int, float, tuple))
        }

    def prepare(self, capture: FingerprintCapture) -> Prepared:
        """See `Preparation.prepare`.

        Raises:
            FingerprintError: Not a usable fingerprint.
            ImageError: Not a picture, or of unknown resolution.
        """
        gray, dpi = _opened(capture)
        impression = extract(gray, dpi)
        written = written_detail(impression.minutiae, dpi, impression.quality)
        return Prepared(
            inputs={"cylinders": written.fillings[:MOST_LOCAL_VECTORS]},
            evidence=Evidence(1.0, IMAGES, impression.quality),
            facts=impression,
            detail=written.detail,
        )

    def examine(self, capture: FingerprintCapture) -> Impression | None:
        """See `Preparation.examine`: None where no ridges are seen."""
        try:
            return extract_anyway(*_opened(capture))
        except CaptureError:
            return None

    def example(self) -> RawFingerprint:
        """See `Preparation.example`."""
        return RawFingerprint(drawn_finger_file(), EXAMPLE_DPI)

    def comparer(self) -> FingerprintComparer:
        """See `Preparation.comparer`."""
        return FingerprintComparer(self._combiner)


def _opened(capture: FingerprintCapture) -> tuple[NDArray[np.uint8], float]:
    image = open_image(capture.image)
    dpi = required_dpi(capture.dpi, image.header)
    return decode_grey(image), float(dpi)


def written_detail(minutiae: Minutiae, dpi: float, quality: float) -> WrittenDetail:
    """Write the detail of an impression.

    Raises:
        FingerprintQualityError: Its minutiae lie too scattered to be compared.
    """
    try:
        return write_detail(minutiae, dpi=dpi, quality=quality)
    except ValueError as error:
        raise FingerprintQualityError(str(error)) from error
