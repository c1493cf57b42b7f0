"""Fingerprint images as PNG files that say their resolution."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray

# The eight bytes of the signature, then the header chunk of 13 bytes between length, name and checksum.
_AFTER_HEADER = 8 + 4 + 4 + 13 + 4
_METERS_PER_INCH = 0.0254


def encode_png(image: NDArray[np.uint8], dpi: float) -> bytes:
    """Return a PNG with the resolution in a chunk pHYs.

    Args:
        image: Grey values, uint8, shape (h, w).
        dpi: Pixels per inch; kept as whole pixels per meter.

    Raises:
        ValueError: An image that cannot be written.
    """
    written, encoded = cv2.imencode(".png", image)
    if not written:
        raise ValueError(f"expected an image of grey values, found shape {image.shape}")
    per_meter = round(dpi / _METERS_PER_INCH)
    named = b"pHYs" + struct.pack(">IIB", per_meter, per_meter, 1)
    chunk = struct.pack(">I", len(named) - 4) + named + struct.pack(">I", zlib.crc32(named))
    plain = encoded.tobytes()
    return plain[:_AFTER_HEADER] + chunk + plain[_AFTER_HEADER:]
