"""Why a capture gives no vector.

CaptureError (ValueError)
├── NoVectorError   quality_too_low
└── SignalError     of ECG: see `ml.runtime.ecg.signal.errors`
"""

from typing import ClassVar


class CaptureError(ValueError):
    """A capture that cannot be used; `code` is the stable word of the HTTP contract."""

    code: ClassVar[str] = "invalid_request"


class NoVectorError(CaptureError):
    """The network's output has no direction, so there is nothing to compare."""

    code = "quality_too_low"
