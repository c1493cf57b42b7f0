"""A picture, decoded at the sizes that are wanted of it."""

from __future__ import annotations

from typing import Final

from ml.runtime.image.decoding import Reduction, decode_color
from ml.runtime.image.opening import open_image
from ml.runtime.image.orientation import Pixels

REDUCTIONS: Final[tuple[Reduction, ...]] = (8, 4, 2, 1)
_ON_THE_SIDE: Final = range(5, 9)
"""EXIF's orientations that swap width and height."""


class Picture:
    """A picture in color, upright; each size is decoded once.

    Attributes:
        width, height: Pixels, upright.
    """

    def __init__(self, content: bytes) -> None:
        """Check a file; nothing is decoded yet.

        Raises:
            ImageError: Not a picture, or one that is too large.
        """
        self._image = open_image(content)
        self._decoded: dict[Reduction, Pixels] = {}
        header = self._image.header
        turned = header.orientation in _ON_THE_SIDE
        self.width, self.height = (header.height, header.width) if turned else (header.width, header.height)

    @property
    def long_side(self) -> int:
        """Of the whole picture, pixels."""
        return max(self.width, self.height)

    def reduced(self, reduction: Reduction) -> Pixels:
        """Return blue, green, red with both sides divided; uint8, shape (height, width, 3).

        Raises:
            ImageError: The pixels are damaged.
        """
        if reduction not in self._decoded:
            self._decoded[reduction] = decode_color(self._image, reduce=reduction)
        return self._decoded[reduction]


def reduction_to(size: float, wanted: float) -> Reduction:
    """Return by how much a size may be divided and still be no smaller than wanted."""
    return next((reduction for reduction in REDUCTIONS if size / reduction >= wanted), 1)
