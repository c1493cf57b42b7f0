"""The two things that EXIF says of a picture's geometry; all else in it is never read."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from ml.runtime.image.resolution import CENTIMETER_INCHES, stated_dpi

_ORIENTATION, _ACROSS, _DOWN, _UNIT = 0x0112, 0x011A, 0x011B, 0x0128
_SHORT, _RATIONAL = 3, 5
_INCHES: Final = {2: 1.0, 3: CENTIMETER_INCHES}
_MAX_ENTRIES: Final = 512


class ExifClaims(NamedTuple):
    """Orientation, 1 to 8, and dots per inch; what cannot be read is as if it were absent."""

    orientation: int = 1
    dpi: int | None = None


def read_exif(tiff: bytes) -> ExifClaims:
    """Read the first directory of an EXIF block, from its byte order on. Nothing in it is an error."""
    try:
        return _claims(tiff)
    except (struct.error, ZeroDivisionError):
        return ExifClaims()


def _claims(tiff: bytes) -> ExifClaims:
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return ExifClaims()
    _, start = struct.unpack_from(order + "HI", tiff, 2)
    (n_entries,) = struct.unpack_from(order + "H", tiff, start)
    found: dict[int, float] = {}
    for number in range(min(n_entries, _MAX_ENTRIES)):
        at = start + 2 + 12 * number
        tag, kind, count = struct.unpack_from(order + "HHI", tiff, at)
        if count == 1 and tag in (_ORIENTATION, _UNIT) and kind == _SHORT:
            (found[tag],) = struct.unpack_from(order + "H", tiff, at + 8)
        elif count == 1 and tag in (_ACROSS, _DOWN) and kind == _RATIONAL:
            (offset,) = struct.unpack_from(order + "I", tiff, at + 8)
            dividend, divisor = struct.unpack_from(order + "II", tiff, offset)
            found[tag] = dividend / divisor
    orientation = int(found.get(_ORIENTATION, 1))
    return ExifClaims(orientation if 1 <= orientation <= 8 else 1, _dpi(found))


def _dpi(found: dict[int, float]) -> int | None:
    inches = _INCHES.get(int(found.get(_UNIT, 2)))
    if inches is None or _ACROSS not in found or _DOWN not in found:
        return None
    return stated_dpi(found[_ACROSS], found[_DOWN], inches)
