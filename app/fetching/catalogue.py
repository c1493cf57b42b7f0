"""The bundles that can be fetched: of which files, how converted, and under whose terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from app.fetching import dlib_network, opencv_networks
from app.fetching.lbp_network import histogram_network
from app.fetching.pins import DLIB_RESNET, SFACE, SFACE_FP32, YUNET, YUNET_FP32, PinnedFile
from ml.runtime.bundle import DETECTOR_FILE, WEIGHTS_FILE

Converter = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Part:
    """One network of a bundle: the file it is made of, and how."""

    source: PinnedFile
    convert: Converter


@dataclass(frozen=True)
class FetchableBundle:
    """A bundle that is made on the user's machine.

    Args:
        name: What it is called on the command line; its constants and card lie under it.
        terms: Whose networks these are, and their licenses.
        parts: Networks by the file name in the bundle.
        made: Networks that are computed, by file name.
        calibrated_as: Another bundle of the same network, whose constants it takes; not measured on its own.
    """

    name: str
    terms: str
    parts: Mapping[str, Part]
    made: Mapping[str, Callable[[], bytes]]
    calibrated_as: str = ""

    @property
    def wanted(self) -> tuple[PinnedFile, ...]:
        """Every file it is made of."""
        return tuple(part.source for part in self.parts.values())

    def networks(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """Convert the files, given by the names of their pins, into ONNX files by name."""
        converted = {name: part.convert(files[part.source.name]) for name, part in self.parts.items()}
        return converted | {name: make() for name, make in self.made.items()}


def _with_yunet(name: str, terms: str, encoder: Part, detector: PinnedFile = YUNET) -> FetchableBundle:
    found = Part(detector, opencv_networks.detection_network)
    return FetchableBundle(name, terms, {WEIGHTS_FILE: encoder, DETECTOR_FILE: found}, {})


_SFACE_TERMS: Final = "SFace (Apache-2.0 as OpenCV Zoo states) and YuNet (MIT), networks of others"
_SFACE_FP32: Final = _with_yunet(
    "face-fp32", _SFACE_TERMS, Part(SFACE_FP32, opencv_networks.embedding_network), YUNET_FP32
)
_ALL: Final = (
    _with_yunet("face", _SFACE_TERMS, Part(SFACE, opencv_networks.embedding_network)),
    replace(_SFACE_FP32, calibrated_as="face"),
    _with_yunet(
        "face-dlib",
        "dlib's face ResNet (public domain by its author) and YuNet (MIT), networks of others",
        Part(DLIB_RESNET, dlib_network.embedding_network),
    ),
    FetchableBundle(
        "face-lbp",
        "local binary patterns, Apache-2.0: for tests and demonstrations, one to one only",
        {},
        {WEIGHTS_FILE: histogram_network},
    ),
)
CATALOGUE: Final[Mapping[str, FetchableBundle]] = {bundle.name: bundle for bundle in _ALL}
