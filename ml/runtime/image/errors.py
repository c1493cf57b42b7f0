"""Reasons why a picture cannot be used.

ImageError (CaptureError)
├── ImageUndecodableError   image_undecodable
├── ImageTooLargeError      image_too_large
└── DpiRequiredError        dpi_required
"""

from ml.runtime.errors import CaptureError


class ImageError(CaptureError):
    """A picture that cannot be used."""


class ImageUndecodableError(ImageError):
    """Not a picture of a known format, cut short, damaged, or of a kind that no camera or scanner makes."""

    code = "image_undecodable"


class ImageTooLargeError(ImageError):
    """More pixels than are decoded, by what the header says."""

    code = "image_too_large"


class DpiRequiredError(ImageError):
    """Nobody stated the resolution of a picture whose scale matters."""

    code = "dpi_required"
