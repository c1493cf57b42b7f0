"""The zlib stream of a PNG, inflated once and thrown away, to know that it holds its pixels and no more.

A decoder reads such a stream to its end, whatever the size of the picture: 4 MiB that inflate to 4 GiB take
it nine seconds, for eight pixels by eight.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Final

from ml.runtime.image.errors import ImageTooLargeError, ImageUndecodableError

MAX_INFLATED: Final = (
    100_000_000  # Bytes: 25 million pixels of four, the deepest that cameras and scanners give.
)
_PIECE: Final = 1 << 18
_ADAM7: Final = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


def inflated_size(width: int, height: int, bits: int, *, interlaced: bool) -> int:
    """Return how many bytes the rows of a picture have, each with the byte that names its filter.

    Args:
        bits: Of a pixel.

    Raises:
        ImageTooLargeError: More than 100 million.

    Source:
        W3C, Portable Network Graphics (PNG) Specification (Third Edition), 2025, sections 7.2 and 8.1.
    """
    size = 0
    for x, y, step_x, step_y in _ADAM7 if interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(width - x) // step_x), -(-(height - y) // step_y)
        if columns > 0 and rows > 0:
            size += rows * (1 + (columns * bits + 7) // 8)
    if size > MAX_INFLATED:
        raise ImageTooLargeError(f"The pixels of a PNG have at most {MAX_INFLATED // 1_000_000} MB.")
    return size


def check_inflation(chunks: Iterable[bytes], size: int) -> None:
    """Check that a zlib stream in pieces is whole and inflates to a size.

    Raises:
        ImageUndecodableError: Damaged, cut short, or of another size.
    """
    stream = zlib.decompressobj()
    found = 0
    try:
        for chunk in chunks:
            left, full = chunk, True
            while (left or full) and not stream.eof and found <= size:
                n_bytes = len(stream.decompress(left, _PIECE))
                left, full = stream.unconsumed_tail, n_bytes == _PIECE
                found += n_bytes
    except zlib.error as error:
        raise ImageUndecodableError("The PNG is damaged: its pixels do not inflate.") from error
    if not stream.eof or found != size:
        raise ImageUndecodableError("The PNG has more or fewer pixels than it states.")
