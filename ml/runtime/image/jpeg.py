"""JPEG: its segments and scans, counted and checked, and copied without those that no pixel needs.

Source:
    ITU-T T.81 (1992), annex B; T.871 (2011) for JFIF; JEITA CP-3451 for EXIF.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from typing import Final

from ml.runtime.image.errors import ImageUndecodableError
from ml.runtime.image.exif import ExifClaims, read_exif
from ml.runtime.image.header import CheckedImage, ImageFormat, ImageHeader, require_size
from ml.runtime.image.resolution import CENTIMETER_INCHES, stated_dpi

SIGNATURE: Final = b"\xff\xd8\xff"
# Common encoders write 1 to 12. A scan of 44 bytes makes a decoder visit every block of the picture, 18 ms
# for 25 million pixels: without a limit 4 MiB would take half an hour.
MAX_SCANS: Final = 32
_MAX_SEGMENTS: Final = 2048
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_FRAMES: Final = (0xC0, 0xC1, 0xC2)  # Baseline, extended and progressive, Huffman-coded.
_TABLES: Final = (0xC4, 0xDB, 0xDD)
_APP0, _APP1, _APP14 = 0xE0, 0xE1, 0xEE
_COMMENT: Final = 0xFE
_INCHES: Final = {1: 1.0, 2: CENTIMETER_INCHES}
_NEXT_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # Neither stuffing, restart nor fill.


@dataclass
class _Found:
    """What the segments have said so far."""

    kept: list[bytes] = field(default_factory=lambda: [b"\xff\xd8"])
    size: tuple[int, int] | None = None
    exif: ExifClaims | None = None
    dpi: int | None = None
    n_scans: int = 0


def check_jpeg(content: bytes) -> CheckedImage:
    """Check a JPEG, and leave out of it what no pixel needs, such as EXIF and what follows its end.

    Raises:
        ImageUndecodableError: Cut short, damaged, more scans than any encoder writes, or of a kind that no
            camera makes: arithmetic coding, lossless, 12 bits, CMYK.
        ImageTooLargeError: More pixels than are decoded.
    """
    found = _Found()
    at = 2
    for _ in range(_MAX_SEGMENTS):
        marker, at = _marker(content, at)
        if marker == _END:
            return _checked(found)
        end = _segment_end(content, at)
        _read_segment(found, marker, content[at + 2 : end])
        if marker == _SCAN:
            end = _scan_end(content, end)
        if marker in (*_FRAMES, *_TABLES, _SCAN, _APP0, _APP14):
            found.kept.append(b"\xff" + bytes([marker]) + content[at:end])
        at = end
    raise ImageUndecodableError(f"A JPEG has at most {_MAX_SEGMENTS} segments.")


def _checked(found: _Found) -> CheckedImage:
    if found.size is None or not found.n_scans:
        raise ImageUndecodableError("The JPEG ends before its pixels.")
    exif = found.exif or ExifClaims()
    dpi = exif.dpi if found.dpi is None else found.dpi
    header = ImageHeader(ImageFormat.JPEG, *found.size, orientation=exif.orientation, dpi=dpi)
    return CheckedImage(header, b"".join([*found.kept, b"\xff\xd9"]))


def _marker(content: bytes, at: int) -> tuple[int, int]:
    """The marker at a place, and where it ends; any number of fill bytes may stand before it."""
    found = _NEXT_MARKER.search(content, at)
    if found is None:
        raise ImageUndecodableError("The JPEG is cut short.")
    if content[at : found.start()].strip(b"\xff"):
        raise ImageUndecodableError("The JPEG is damaged: a segment does not end where it says.")
    return content[found.end() - 1], found.end()


def _segment_end(content: bytes, at: int) -> int:
    if len(content) < at + 2:
        raise ImageUndecodableError("The JPEG is cut short.")
    (length,) = struct.unpack_from(">H", content, at)
    if length < 2 or len(content) < at + length:
        raise ImageUndecodableError("The JPEG is cut short.")
    return int(at + length)


def _scan_end(content: bytes, at: int) -> int:
    found = _NEXT_MARKER.search(content, at)
    if found is None:
        raise ImageUndecodableError("The JPEG is cut short.")
    return found.start()


def _read_segment(found: _Found, marker: int, data: bytes) -> None:
    if marker in _FRAMES:
        if found.size is not None:
            raise ImageUndecodableError("The JPEG has more than one frame.")
        found.size = _size(data)
    elif marker == _SCAN:
        found.n_scans += 1
        if found.size is None or found.n_scans > MAX_SCANS:
            raise ImageUndecodableError(f"A JPEG has a frame and at most {MAX_SCANS} scans.")
    elif marker == _APP0 and data.startswith(b"JFIF\0"):
        found.dpi = _density_dpi(data)
    elif marker == _APP1 and data.startswith(b"Exif\0\0") and found.exif is None:
        found.exif = read_exif(data[6:])
    elif not (marker in _TABLES or _APP0 <= marker <= 0xEF or marker == _COMMENT):
        raise ImageUndecodableError("The JPEG is of a kind that is not served.")


def _size(frame: bytes) -> tuple[int, int]:
    """Width and height of a frame with one or three components of 8 bits."""
    if len(frame) < 6:
        raise ImageUndecodableError("The JPEG is damaged: its frame is too short.")
    bits, height, width, n_components = struct.unpack_from(">BHHB", frame)
    if bits != 8 or n_components not in (1, 3):
        raise ImageUndecodableError("Expected a JPEG with one or three components of 8 bits.")
    require_size(width, height)
    return width, height


def _density_dpi(jfif: bytes) -> int | None:
    if len(jfif) < 12:
        return None
    unit, across, down = struct.unpack_from(">BHH", jfif, 7)
    return stated_dpi(across, down, _INCHES[unit]) if unit in _INCHES else None
