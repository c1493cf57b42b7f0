"""PNG: its chunks, counted and checked, and copied without those that no pixel needs.

Source:
    W3C, Portable Network Graphics (PNG) Specification (Third Edition), 2025, sections 5 and 11.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from ml.runtime.image.errors import ImageUndecodableError
from ml.runtime.image.exif import ExifClaims, read_exif
from ml.runtime.image.header import CheckedImage, ImageFormat, ImageHeader, require_size
from ml.runtime.image.inflation import check_inflation, inflated_size
from ml.runtime.image.resolution import METER_INCHES, stated_dpi

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_MAX_CHUNKS: Final = 10_000
_FRAME: Final = 12  # Length, type and checksum.
_DEPTHS: Final = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_WITH_ALPHA: Final = (4, 6)
_RGB, _PALETTE = 2, 3
_WITH_TRANSPARENT_COLORS: Final = (_RGB, _PALETTE)  # OpenCV knows no transparent shade: it stays as it is.
_CRITICAL: Final = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_METADATA: Final = (b"pHYs", b"eXIf")


class _Chunk(NamedTuple):
    kind: bytes
    data: bytes
    whole: bytes
    """With its length, type and checksum."""


def check_png(content: bytes) -> CheckedImage:
    """Check a PNG, and leave out of it what no pixel needs.

    Animations become their first picture.

    Raises:
        ImageUndecodableError: Cut short, damaged, or not as the specification has it.
        ImageTooLargeError: More pixels than are decoded, or pixels of more than 100 MB.
    """
    kept: list[bytes] = [SIGNATURE]
    pixels: list[bytes] = []
    metadata: dict[bytes, bytes] = {}
    kinds: set[bytes] = set()
    head = b""
    for chunk in _chunks(content):
        if not kinds:
            head = _checked_head(chunk)
        kinds.add(chunk.kind)
        if chunk.kind in _CRITICAL or (chunk.kind == b"tRNS" and head[9] in _WITH_TRANSPARENT_COLORS):
            kept.append(chunk.whole)
        elif chunk.kind in _METADATA:
            metadata[chunk.kind] = chunk.data
        if chunk.kind == b"IDAT":
            pixels.append(chunk.data)
    if not pixels or (head[9] == _PALETTE and b"PLTE" not in kinds):
        raise ImageUndecodableError("The PNG has no pixels, or no palette.")
    check_inflation(pixels, _inflated_size(head))
    return CheckedImage(_header(head, metadata, transparent=b"tRNS" in kinds), b"".join(kept))


def _chunks(content: bytes) -> Iterator[_Chunk]:
    """All chunks to the end of the picture; checksums of ancillary ones that are not kept are nobody's."""
    at = len(SIGNATURE)
    for _ in range(_MAX_CHUNKS):
        if len(content) < at + _FRAME:
            raise ImageUndecodableError("The PNG is cut short.")
        (length,) = struct.unpack_from(">I", content, at)
        kind, end = content[at + 4 : at + 8], at + _FRAME + length
        if len(content) < end:
            raise ImageUndecodableError("The PNG is cut short.")
        if kind in _CRITICAL or kind in _METADATA or kind == b"tRNS":
            _check_sum(content, at, end)
            yield _Chunk(kind, content[at + 8 : end - 4], content[at:end])
        elif not kind[0] & 0x20:
            raise ImageUndecodableError("The PNG has a critical chunk that is not of the standard.")
        if kind == b"IEND":
            return
        at = end
    raise ImageUndecodableError(f"A PNG has at most {_MAX_CHUNKS} chunks.")


def _check_sum(content: bytes, at: int, end: int) -> None:
    (stated,) = struct.unpack_from(">I", content, end - 4)
    if zlib.crc32(content[at + 4 : end - 4]) != stated:
        raise ImageUndecodableError("The PNG is damaged: a checksum differs.")


def _checked_head(chunk: _Chunk) -> bytes:
    """The 13 bytes of IHDR."""
    if chunk.kind != b"IHDR" or len(chunk.data) != 13:
        raise ImageUndecodableError("The PNG does not begin with its header.")
    depth, color, compression, filtering, interlace = chunk.data[8:]
    if depth not in _DEPTHS.get(color, ()) or compression or filtering or interlace > 1:
        raise ImageUndecodableError("The PNG has a header that the standard does not know.")
    require_size(*struct.unpack_from(">II", chunk.data))
    return chunk.data


def _inflated_size(head: bytes) -> int:
    width, height, depth, color = struct.unpack_from(">IIBB", head)
    return inflated_size(width, height, depth * _CHANNELS[color], interlaced=bool(head[12]))


def _header(head: bytes, metadata: dict[bytes, bytes], *, transparent: bool) -> ImageHeader:
    width, height = struct.unpack_from(">II", head)
    exif = read_exif(metadata[b"eXIf"]) if b"eXIf" in metadata else ExifClaims()
    dpi = _physical_dpi(metadata.get(b"pHYs", b""))
    return ImageHeader(
        ImageFormat.PNG,
        width,
        height,
        orientation=exif.orientation,
        dpi=exif.dpi if dpi is None else dpi,
        has_alpha=head[9] in _WITH_ALPHA or (transparent and head[9] in _WITH_TRANSPARENT_COLORS),
    )


def _physical_dpi(pixels_per_unit: bytes) -> int | None:
    if len(pixels_per_unit) != 9 or pixels_per_unit[8] != 1:  # 1: the unit is the meter.
        return None
    across, down = struct.unpack_from(">II", pixels_per_unit)
    return stated_dpi(across, down, METER_INCHES)
