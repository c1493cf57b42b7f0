"""Why weights could not be fetched.

FetchError (PulseprintError)
├── UnreachableError   no source could be reached; another time or `--from` may do
└── WrongBytesError    a source gave other bytes than the pinned ones; nothing of them was used
"""

from app.domain.errors import PulseprintError


class FetchError(PulseprintError):
    """Weights could not be fetched; nothing was changed, and the service runs without them."""

    code = "fetch"


class UnreachableError(FetchError):
    """No source could be reached."""


class WrongBytesError(FetchError):
    """The bytes are not the pinned ones."""
