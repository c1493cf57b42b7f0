"""Everything the service may refuse, as one tree.

    PulseprintError
    ├── RequestError                 the caller can mend it (4xx)
    │   ├── MalformedPayloadError        400
    │   ├── InvalidCredentialsError      401
    │   ├── InsufficientScopeError       403
    │   ├── NotFoundError                404   subject, gallery, reference
    │   ├── ConflictError                409   gallery_exists, too_many_references
    │   ├── UnprocessableError           422   contract, policy, idempotency
    │   └── FailureToAcquireError        422   the capture cannot be used
    │       └── FailureToEnrollError     422   no capture of an enrollment could be used
    ├── TemporaryError               try again later (503): overloaded, index_not_ready, store_unavailable
    │   └── TemplateIntegrityError       503   until the operator mends what is stored
    └── ConfigurationError           the process must not start

Raised where the fact is known, translated once in `app/api/errors.py`. No message ever carries a
recording, a template or a key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a request: where (JSON pointer), which code, what."""

    pointer: str
    code: str
    detail: str


class PulseprintError(Exception):
    """Root of the tree.

    Args:
        detail: One sentence for the caller; names expected and actual, never the input.
        code: A stable code of the HTTP contract; defaults to the class's own.
        faults: The single faults behind it, if there are several.
    """

    code = "internal_error"

    def __init__(self, detail: str, *, code: str | None = None, faults: Sequence[Fault] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.faults = tuple(faults)


class RequestError(PulseprintError):
    """The request cannot be served as it is."""

    code = "invalid_request"


class MalformedPayloadError(RequestError):
    """The body is not the JSON the contract asks for."""

    code = "malformed_payload"


class InvalidCredentialsError(RequestError):
    """No API key, or not one that is valid now."""

    code = "invalid_credentials"


class InsufficientScopeError(RequestError):
    """The API key is valid and lacks the scope."""

    code = "insufficient_scope"


class NotFoundError(RequestError):
    """The named thing does not exist, or the caller may not know that it does."""

    code = "not_found"


class SubjectNotFoundError(NotFoundError):
    code = "subject_not_found"


class GalleryNotFoundError(NotFoundError):
    code = "gallery_not_found"


class ReferenceNotFoundError(NotFoundError):
    code = "reference_not_found"


class ConflictError(RequestError):
    """The state of the store forbids it: `gallery_exists` or `too_many_references`."""

    code = "gallery_exists"


class UnprocessableError(RequestError):
    """Well-formed, and yet not acceptable: `invalid_request`, `policy_looser`, `not_comparable`…"""

    code = "invalid_request"


class FailureToAcquireError(RequestError):
    """A capture yields no template (ISO/IEC 2382-37: failure-to-acquire)."""

    code = "quality_too_low"


class FailureToEnrollError(FailureToAcquireError):
    """No recording of an enrollment could be used."""


class TemporaryError(PulseprintError):
    """The service cannot answer now; `retry_after_s` says when to ask again."""

    code = "overloaded"

    def __init__(self, detail: str, *, code: str | None = None, retry_after_s: int = 1) -> None:
        super().__init__(detail, code=code)
        self.retry_after_s = retry_after_s


class ConfigurationError(PulseprintError):
    """Start-up must stop with this one line."""

    code = "configuration"


class TemplateIntegrityError(TemporaryError):
    """What is stored does not belong to its row or key: tampering or a lost key, never a low score.

    The caller cannot mend it, and the operator can.
    """

    code = "store_unavailable"
