"""How many dots an inch has: stated by somebody, never guessed."""

from __future__ import annotations

from typing import Final

from ml.runtime.image.errors import DpiRequiredError
from ml.runtime.image.header import ImageHeader

# Below lie 72 and 96, which programs write that do not know.
MIN_DPI: Final = 100
MAX_DPI: Final = 2000
MAX_ASPECT: Final = 1.01  # Of a pixel's sides; pixels per meter are rounded.
METER_INCHES: Final = 1.0 / 0.0254
CENTIMETER_INCHES: Final = 1.0 / 2.54


def stated_dpi(across: float, down: float, inches: float = 1.0) -> int | None:
    """Read a file's claim about its resolution.

    Args:
        across: Pixels per unit of length along a row.
        down: Pixels per unit of length along a column.
        inches: Length of that unit.

    Returns:
        Whole dots per inch, since 500 dpi are stored as 19 685 per meter; None if no scanner has that
        resolution, or its pixels are not square.
    """
    low, high = sorted((across / inches, down / inches))
    dpi = round((low + high) / 2.0)
    return dpi if MIN_DPI <= dpi <= MAX_DPI and high <= low * MAX_ASPECT else None


def required_dpi(requested: int | None, header: ImageHeader) -> int:
    """Return the resolution of a picture: what came with it, else what its file states.

    Raises:
        DpiRequiredError: Nobody stated it.
    """
    dpi = header.dpi if requested is None else requested
    if dpi is None:
        raise DpiRequiredError("The resolution is not known: neither the request nor the file states dpi.")
    return dpi
