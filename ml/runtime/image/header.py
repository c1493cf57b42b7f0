"""What a file says of its picture before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ml.runtime.image.errors import ImageTooLargeError, ImageUndecodableError

MAX_PIXELS: Final = 25_000_000
MAX_SIDE: Final = 20_000  # 25 million pixels in one row are no picture.


class ImageFormat(StrEnum):
    PNG = "PNG"
    JPEG = "JPEG"
    BMP = "BMP"


@dataclass(frozen=True)
class ImageHeader:
    """Claims of a file.

    Attributes:
        format: By its first bytes.
        width: Pixels, as stored.
        height: Pixels, as stored.
        orientation: EXIF's number, 1 to 8: how the stored picture is turned upright.
        dpi: Resolution in dots per inch, None where the file states none that a scanner has.
        has_alpha: Whether pixels may be transparent.
    """

    format: ImageFormat
    width: int
    height: int
    orientation: int = 1
    dpi: int | None = None
    has_alpha: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class CheckedImage:
    """A file whose structure was checked.

    Attributes:
        header: What it says of itself.
        content: What a decoder needs of it: no EXIF, no color profile, no text, nothing behind its end.
    """

    header: ImageHeader
    content: bytes

    def __repr__(self) -> str:  # Pictures never reach a log.
        return f"CheckedImage({self.header.format}, {len(self.content)} bytes)"


def require_size(width: int, height: int) -> None:
    """Check a size that a header states.

    Raises:
        ImageUndecodableError: A picture without pixels.
        ImageTooLargeError: More than 25 million pixels, or a side above 20 000.
    """
    if width < 1 or height < 1:
        raise ImageUndecodableError("The image has no pixels.")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise ImageTooLargeError(
            f"An image has at most {MAX_PIXELS // 1_000_000} million pixels and {MAX_SIDE} a side."
        )
