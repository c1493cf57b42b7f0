"""Checked pictures to pixels, by OpenCV."""

from __future__ import annotations

from typing import Final, Literal

import cv2
import numpy as np

from ml.runtime.image.errors import ImageUndecodableError
from ml.runtime.image.header import CheckedImage, ImageFormat
from ml.runtime.image.orientation import Pixels, turn_upright

Reduction = Literal[1, 2, 4, 8]

# Requests run side by side already, and OpenCV's warnings tell of files and not of the service.
cv2.setNumThreads(1)
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

_COLOR: Final = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
_BAND: Final = 256  # Rows.


def decode_color(image: CheckedImage, *, reduce: Reduction = 1) -> Pixels:
    """Decode a picture in color, upright.

    Args:
        image: From `open_image`.
        reduce: Divides width and height, rounded up. A JPEG is decoded at that size, which saves time.

    Returns:
        Blue, green, red; uint8, shape (height, width, 3). Transparent pixels lie on white.

    Raises:
        ImageUndecodableError: The pixels are damaged.
    """
    if image.header.has_alpha:
        pixels = _on_white(_decoded(image, cv2.IMREAD_UNCHANGED))
    elif image.header.format is ImageFormat.JPEG:
        pixels = _decoded(image, _COLOR[reduce])
    else:
        pixels = _decoded(image, cv2.IMREAD_COLOR)
    return turn_upright(_reduced(pixels, image, reduce), image.header.orientation)


def decode_grey(image: CheckedImage) -> Pixels:
    """Decode a picture in grey, upright.

    Args:
        image: From `open_image`.

    Returns:
        Luma of Rec. 601, uint8, shape (height, width). Transparent pixels lie on white.

    Raises:
        ImageUndecodableError: The pixels are damaged.
    """
    if image.header.has_alpha:
        on_white = _on_white(_decoded(image, cv2.IMREAD_UNCHANGED))
        pixels: Pixels = np.asarray(cv2.cvtColor(on_white, cv2.COLOR_BGR2GRAY))
    else:
        pixels = _decoded(image, cv2.IMREAD_GRAYSCALE)
    return turn_upright(pixels, image.header.orientation)


def _decoded(image: CheckedImage, flags: int) -> Pixels:
    """The pixels as stored: uint8, or uint16 where the flags leave the depth as it is."""
    content = np.frombuffer(image.content, dtype=np.uint8)
    try:
        pixels = cv2.imdecode(content, flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        pixels = None  # Its message names places in OpenCV's source.
    if pixels is None:
        raise ImageUndecodableError("The image is damaged: its pixels cannot be decoded.")
    return np.asarray(pixels)


def _reduced(pixels: Pixels, image: CheckedImage, reduce: int) -> Pixels:
    size = (-(-image.header.width // reduce), -(-image.header.height // reduce))
    if (pixels.shape[1], pixels.shape[0]) == size:
        return pixels
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def _on_white(pixels: Pixels) -> Pixels:
    """Lay a picture on white, as viewers show it, band by band.

    Args:
        pixels: uint8 or uint16, shape (height, width) or (height, width, 3 or 4).
    """
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    laid = np.empty((*pixels.shape[:2], 3), dtype=np.uint8)
    for top in range(0, pixels.shape[0], _BAND):
        band = pixels[top : top + _BAND]
        if band.dtype == np.uint16:
            band = (band >> 8).astype(np.uint8)
        laid[top : top + _BAND] = band[..., :3] if band.shape[2] == 3 else _blended(band)
    return laid


def _blended(band: Pixels) -> Pixels:
    alpha = band[..., 3:].astype(np.uint16)
    white = 255 * (255 - alpha) + 127
    return ((band[..., :3] * alpha + white) // 255).astype(np.uint8)
