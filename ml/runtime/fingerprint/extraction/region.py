"""The part of a picture that holds the print, cut out and equalized."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ml.runtime.fingerprint.errors import NoFingerprintError
from ml.runtime.fingerprint.extraction import constants as c
from ml.runtime.fingerprint.extraction.contrast import equalized
from ml.runtime.fingerprint.extraction.grids import FloatImage, Mask, repeated
from ml.runtime.fingerprint.extraction.segmentation import foreground
from ml.runtime.fingerprint.extraction.surroundings import filled, flat_surroundings

Number = TypeVar("Number", np.uint8, np.float32)

_STEP = c.PERIOD_STEP // c.BLOCK


@dataclass(frozen=True, eq=False)
class PrintRegion:
    """The print within its picture.

    Args:
        contrast: Equalized, 0 outside the foreground; float32, both sides multiples of `PERIOD_STEP`.
        mask: The foreground in blocks of `BLOCK`, uint8; not empty.
        rows: Blocks of the picture from which the region was cut.
        columns: Likewise.
        picture_blocks: Rows and columns of blocks of the whole picture.
    """

    contrast: FloatImage
    mask: Mask
    rows: slice
    columns: slice
    picture_blocks: tuple[int, int]

    @property
    def corner_xy(self) -> NDArray[np.float32]:
        """Pixel of the picture at the region's upper left."""
        return np.array([self.columns.start, self.rows.start], np.float32) * np.float32(c.BLOCK)

    def in_picture(self, blocks: NDArray[Number]) -> NDArray[Number]:
        """Put a map of the region's blocks into one of the whole picture, 0 around it."""
        whole = np.zeros(self.picture_blocks, blocks.dtype)
        whole[self.rows, self.columns] = blocks
        return whole


def print_region(picture: FloatImage) -> PrintRegion:
    """Find the print.

    Args:
        picture: From `at_working_resolution`.

    Raises:
        NoFingerprintError: Nothing in the picture stands out.
    """
    missing = flat_surroundings(picture)
    complete = filled(picture, missing)
    mask = foreground(complete)
    middle = c.BLOCK // 2
    mask[missing[middle :: c.BLOCK, middle :: c.BLOCK] > 0] = 0
    if not mask.any():
        raise NoFingerprintError("the picture holds no area with ridges")
    rows, columns = (_span(mask.max(axis=axis)) for axis in (1, 0))
    cut = complete[_pixels(rows), _pixels(columns)]
    own = np.ascontiguousarray(mask[rows, columns])
    return PrintRegion(equalized(cut) * repeated(own, c.BLOCK), own, rows, columns, mask.shape)


def _span(occupied: Mask) -> slice:
    """Return where the print lies along one axis with a margin, in whole steps."""
    first, last = np.flatnonzero(occupied)[[0, -1]]
    start = max(0, first - c.CROP_MARGIN_BLOCKS) // _STEP * _STEP
    stop = min(len(occupied), -(-(last + 1 + c.CROP_MARGIN_BLOCKS) // _STEP) * _STEP)
    return slice(int(start), int(stop))


def _pixels(blocks: slice) -> slice:
    return slice(blocks.start * c.BLOCK, blocks.stop * c.BLOCK)
