"""From bytes to a checked picture, by the first of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ml.runtime.image import bmp, jpeg, png
from ml.runtime.image.errors import ImageUndecodableError
from ml.runtime.image.header import CheckedImage

_READERS: Final[Mapping[bytes, Callable[[bytes], CheckedImage]]] = {
    png.SIGNATURE: png.check_png,
    jpeg.SIGNATURE: jpeg.check_jpeg,
    bmp.SIGNATURE: bmp.check_bmp,
}


def open_image(content: bytes) -> CheckedImage:
    """Check a PNG, JPEG or BMP without decoding it, in time linear in its bytes.

    Raises:
        ImageUndecodableError: Another format, cut short, damaged, or of a kind that is not served.
        ImageTooLargeError: More pixels than are decoded.
    """
    for signature, check in _READERS.items():
        if content.startswith(signature):
            return check(content)
    raise ImageUndecodableError("Expected a PNG, JPEG or BMP image.")
