"""Reasons why a picture cannot be used as a fingerprint.

FingerprintError (CaptureError)
├── NoFingerprintError          no_fingerprint
├── DpiImplausibleError         dpi_implausible
└── FingerprintQualityError     quality_too_low
"""

from ml.runtime.errors import CaptureError


class FingerprintError(CaptureError):
    """A picture that cannot be used as a fingerprint."""


class NoFingerprintError(FingerprintError):
    """Nothing in the picture looks like the ridges of a finger."""

    code = "no_fingerprint"


class DpiImplausibleError(FingerprintError):
    """At the stated resolution the ridges lie closer or further apart than those of fingers."""

    code = "dpi_implausible"


class FingerprintQualityError(FingerprintError):
    """Ridges are there, but too little of them is legible to compare."""

    code = "quality_too_low"
