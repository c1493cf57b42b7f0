"""A picture of a face as it was captured."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class FaceCapture(Protocol):
    """What the face preparations read: any object with a picture.

    Attributes:
        image: PNG, JPEG or BMP.
    """

    @property
    def image(self) -> bytes: ...


class RawFace(NamedTuple):
    """The plainest `FaceCapture`."""

    image: bytes

    def __repr__(self) -> str:  # Pictures never reach a log.
        return f"RawFace(<{len(self.image)}>)"
