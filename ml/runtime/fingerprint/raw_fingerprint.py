"""A picture of a fingerprint as it was captured."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class FingerprintCapture(Protocol):
    """What the fingerprint preparation reads: any object with a picture.

    Attributes:
        image: PNG, JPEG or BMP.
        dpi: Dots per inch; None leaves it to what the file states.
    """

    @property
    def image(self) -> bytes: ...
    @property
    def dpi(self) -> int | None: ...


class RawFingerprint(NamedTuple):
    """The plainest `FingerprintCapture`."""

    image: bytes
    dpi: int | None = None

    def __repr__(self) -> str:  # Pictures never reach a log.
        return f"RawFingerprint(<{len(self.image)}>)"
