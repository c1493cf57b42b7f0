"""BMP: uncompressed bitmaps of Windows, whose every pixel must lie in the file.

Source:
    Microsoft, Windows GDI: BITMAPINFOHEADER, BITMAPV4HEADER, BITMAPV5HEADER.
"""

from __future__ import annotations

import struct
from typing import Final

from ml.runtime.image.errors import ImageUndecodableError
from ml.runtime.image.header import CheckedImage, ImageFormat, ImageHeader, require_size
from ml.runtime.image.resolution import METER_INCHES, stated_dpi

SIGNATURE: Final = b"BM"
_FILE_HEADER: Final = 14
_INFO_HEADERS: Final = (40, 52, 56, 108, 124)
_PLAIN, _MASKED = 0, 3
_DEPTHS: Final = {_PLAIN: (1, 4, 8, 24, 32), _MASKED: (32,)}
_BGR_MASKS: Final = (0x00FF0000, 0x0000FF00, 0x000000FF)


def check_bmp(content: bytes) -> CheckedImage:
    """Check a BMP: plain pixels, all of them there.

    Raises:
        ImageUndecodableError: Cut short, run-length coded, or with another header than those of Windows.
        ImageTooLargeError: More pixels than are decoded.
    """
    if len(content) < _FILE_HEADER + 40:
        raise ImageUndecodableError("The BMP is cut short.")
    start, size, width, height, planes, bits, coding, _, across, down, n_colors = struct.unpack_from(
        "<IIiiHHIIiiI", content, 10
    )
    if size not in _INFO_HEADERS or planes != 1 or bits not in _DEPTHS.get(coding, ()):
        raise ImageUndecodableError("Expected a BMP of 1, 4, 8, 24 or 32 bits, not compressed.")
    require_size(width, abs(height))
    masks = _check_masks(content, size) if coding == _MASKED else 0
    palette = _palette_bytes(bits, n_colors)
    end = start + (width * bits + 31) // 32 * 4 * abs(height)
    if start < _FILE_HEADER + max(size, masks) + palette or len(content) < end:
        raise ImageUndecodableError("The BMP is cut short.")
    dpi = stated_dpi(across, down, METER_INCHES)
    return CheckedImage(ImageHeader(ImageFormat.BMP, width, abs(height), dpi=dpi), content[:end])


def _palette_bytes(bits: int, n_colors: int) -> int:
    if bits > 8:
        return 0
    if n_colors > 1 << bits:
        raise ImageUndecodableError("The BMP has more colors than its depth allows.")
    return 4 * (n_colors or 1 << bits)


def _check_masks(content: bytes, size: int) -> int:
    """Where the masks end, which follow the first 40 bytes in all versions of the header."""
    end = 40 + 12
    if len(content) < _FILE_HEADER + max(size, end):
        raise ImageUndecodableError("The BMP is cut short.")
    if struct.unpack_from("<III", content, _FILE_HEADER + 40) != _BGR_MASKS:
        raise ImageUndecodableError("Expected a BMP whose pixels are blue, green, red.")
    return end
