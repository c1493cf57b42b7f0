"""The one translation: domain error → RFC 9457 problem response.

The table of codes is the contract (DESIGN §5): a code fixes its status. A problem carries pointers and
sentences of our own, never a part of the input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic_core import to_json
from starlette.responses import Response

from app.domain.errors import Fault, InvalidCredentialsError, PulseprintError, TemporaryError

PROBLEM_JSON = "application/problem+json"
MAX_FAULTS = 10
INTERNAL_ERROR = "internal_error"


class ProblemKind(NamedTuple):
    """What a code always means."""

    status: int
    title: str


PROBLEMS: Mapping[str, ProblemKind] = {
    "malformed_payload": ProblemKind(400, "The body is not JSON as the contract asks for"),
    "invalid_credentials": ProblemKind(401, "No valid API key"),
    "insufficient_scope": ProblemKind(403, "The API key may not do this"),
    "not_found": ProblemKind(404, "No such resource"),
    "subject_not_found": ProblemKind(404, "No such subject"),
    "gallery_not_found": ProblemKind(404, "No such gallery"),
    "reference_not_found": ProblemKind(404, "No such reference"),
    "method_not_allowed": ProblemKind(405, "The resource does not know this method"),
    "not_acceptable": ProblemKind(406, "No media type of the answer is accepted"),
    "request_timeout": ProblemKind(408, "The body did not arrive in time"),
    "gallery_exists": ProblemKind(409, "A gallery of this name exists"),
    "too_many_references": ProblemKind(409, "The subject holds as many references as it may"),
    "payload_too_large": ProblemKind(413, "The body is too large"),
    "unsupported_media_type": ProblemKind(415, "The body must be application/json"),
    "invalid_request": ProblemKind(422, "The request breaks the contract"),
    "signal_too_short": ProblemKind(422, "The signal is too short"),
    "signal_too_long": ProblemKind(422, "The signal is too long"),
    "signal_flat": ProblemKind(422, "The signal is flat"),
    "signal_saturated": ProblemKind(422, "The signal is saturated"),
    "samples_missing": ProblemKind(422, "Too many samples of the signal are missing"),
    "too_many_impulses": ProblemKind(422, "The signal holds too many odd samples"),
    "signal_not_finite": ProblemKind(422, "The signal holds infinite values"),
    "sampling_rate_unsupported": ProblemKind(422, "The sampling rate is not supported"),
    "no_heartbeat": ProblemKind(422, "The signal shows no heartbeat"),
    "paced_rhythm": ProblemKind(422, "The heart is paced, and cannot be told from others by its ECG"),
    "quality_too_low": ProblemKind(422, "The quality of the capture is too low"),
    "image_undecodable": ProblemKind(422, "The image cannot be decoded"),
    "image_too_large": ProblemKind(422, "The image is too large"),
    "dpi_required": ProblemKind(422, "The resolution of the fingerprint is not known"),
    "no_face": ProblemKind(422, "The image shows no face"),
    "multiple_faces": ProblemKind(422, "The image shows several faces"),
    "face_too_small": ProblemKind(422, "The face is too small"),
    "face_turned_away": ProblemKind(422, "The face does not look at the camera"),
    "dpi_implausible": ProblemKind(422, "The ridges of the fingerprint do not fit its resolution"),
    "no_fingerprint": ProblemKind(422, "The image shows no fingerprint"),
    "fingerprint_mirrored": ProblemKind(422, "The image of the fingerprint is mirrored"),
    "reference_mismatch": ProblemKind(422, "The recordings do not match the enrolled subject"),
    "not_comparable": ProblemKind(422, "Nothing of the probe compares with what is enrolled"),
    "policy_looser": ProblemKind(422, "The request is looser than its gallery's policy"),
    "policy_incomplete": ProblemKind(422, "The policy has no rule for a modality used"),
    "modality_unavailable": ProblemKind(422, "No encoder serves this modality here"),
    "fusion_unavailable": ProblemKind(422, "This fusion is not served here"),
    "idempotency_key_reused": ProblemKind(422, "The Idempotency-Key came with another body before"),
    "rate_limited": ProblemKind(429, "Too many requests"),
    "attempts_exhausted": ProblemKind(429, "Too many attempts"),
    INTERNAL_ERROR: ProblemKind(500, "The service failed"),
    "overloaded": ProblemKind(503, "The service is overloaded"),
    "index_not_ready": ProblemKind(503, "The index is not ready"),
    "store_unavailable": ProblemKind(503, "The store is not available"),
}


def problem(error: PulseprintError, transaction_id: str) -> Response:
    """The response to an error of the domain."""
    kind = PROBLEMS.get(error.code)
    if kind is None or error.code == INTERNAL_ERROR:
        return internal_problem(transaction_id)
    headers = {}
    if isinstance(error, InvalidCredentialsError):
        headers["WWW-Authenticate"] = 'Bearer realm="pulseprint"'
    if isinstance(error, TemporaryError):
        headers["Retry-After"] = str(error.retry_after_s)
    return problem_response(error.code, error.detail, transaction_id, faults=error.faults, headers=headers)


def internal_problem(transaction_id: str) -> Response:
    """The response to a defect of ours, which says nothing but that."""
    return problem_response(INTERNAL_ERROR, "Please report the transaction id.", transaction_id)


def problem_response(
    code: str,
    detail: str,
    transaction_id: str,
    *,
    faults: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document of the contract; its code fixes status, type and title."""
    kind = PROBLEMS[code]
    document: dict[str, object] = {
        "type": f"/docs#{code}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "code": code,
        "transaction_id": transaction_id,
    }
    if faults:
        document["errors"] = [
            {"pointer": fault.pointer, "code": fault.code, "detail": fault.detail}
            for fault in faults[:MAX_FAULTS]
        ]
    return Response(to_json(document), kind.status, headers=headers, media_type=PROBLEM_JSON)
