"""Computed image files, piece by piece, so that tests may leave pieces out or state wrong ones."""

import struct
import zlib
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
MASKS = struct.pack("<III", 0xFF0000, 0xFF00, 0xFF)


def picture(height: int = 48, width: int = 64, seed: int = 7) -> Pixels:
    """Smooth colors, blue, green, red, uint8, shape (height, width, 3)."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 3.0))


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_head(width: int, height: int, depth: int = 8, color: int = GREY, interlace: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace))


def png(
    rows: NDArray[np.generic], color: int, *, depth: int = 8, width: int = 0, extra: bytes = b""
) -> bytes:
    """A PNG of unfiltered rows.

    Args:
        rows: The bytes of each row, or pixels whose bytes follow each other big-endian.
        color: The specification's color type.
        width: Where a byte holds several pixels; else that of the rows.
        extra: Chunks between header and pixels.
    """
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    head = png_head(width or rows.shape[1], rows.shape[0], depth, color)
    return PNG_SIGNATURE + head + extra + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND")


def grey_png(pixels: Pixels, extra: bytes = b"") -> bytes:
    return png(pixels, GREY, extra=extra)


def physical(across: int, down: int, unit: int = 1) -> bytes:
    """A chunk pHYs, in pixels per meter."""
    return chunk(b"pHYs", struct.pack(">IIB", across, down, unit))


def jpeg(pixels: Pixels, *options: int) -> bytes:
    return bytes(cv2.imencode(".jpg", pixels, options)[1])


def segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def with_segments(content: bytes, *segments: bytes) -> bytes:
    """A JPEG with more segments at its beginning."""
    return content[:2] + b"".join(segments) + content[2:]


def jfif(unit: int, across: int, down: int) -> bytes:
    return segment(0xE0, b"JFIF\0" + struct.pack(">BBBHHBB", 1, 2, unit, across, down, 0, 0))


def without_jfif(content: bytes) -> bytes:
    """A JPEG of OpenCV's without its first segment, which states a density."""
    return content[:2] + content[4 + struct.unpack_from(">H", content, 4)[0] :]


def tiff(entries: Sequence[tuple[int, int, int, bytes]], order: str = "<", tail: bytes = b"") -> bytes:
    """A TIFF block of one directory: (tag, type, count, four bytes) each; the tail begins at its end."""
    packed = b"".join(
        struct.pack(order + "HHI", tag, kind, count) + data for tag, kind, count, data in entries
    )
    start = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    return start + struct.pack(order + "H", len(entries)) + packed + bytes(4) + tail


def oriented(number: int, order: str = "<") -> bytes:
    """A TIFF block that states an orientation."""
    return tiff([(0x0112, 3, 1, struct.pack(order + "HH", number, 0))], order)


def exif(block: bytes) -> bytes:
    """A segment of a JPEG."""
    return segment(0xE1, b"Exif\0\0" + block)


def bmp(
    pixels: Pixels,
    bits: int,
    *,
    width: int = 0,
    palette: bytes = b"",
    coding: int = 0,
    masks: bytes = b"",
    per_meter: int = 0,
    top_down: bool = False,
) -> bytes:
    """A BMP of rows of bytes, which are padded here; the first row given is the upper one."""
    n_rows, n_bytes = pixels.reshape(len(pixels), -1).shape
    stride = (n_bytes + 3) // 4 * 4
    rows = [row.tobytes().ljust(stride, b"\0") for row in pixels]
    start = 14 + 40 + len(masks) + len(palette)
    head = struct.pack(
        "<IiiHHIIiiII", 40, width or pixels.shape[1], -n_rows if top_down else n_rows, 1, bits, coding,
        stride * n_rows, per_meter, per_meter, len(palette) // 4, 0,
    )  # fmt: skip
    file_head = struct.pack("<2sIHHI", b"BM", start + stride * n_rows, 0, 0, start)
    return file_head + head + masks + palette + b"".join(rows if top_down else rows[::-1])


def grey_palette(n_colors: int = 256) -> bytes:
    """Shades for a BMP."""
    return b"".join(bytes([255 * i // (n_colors - 1)] * 3 + [0]) for i in range(n_colors))
