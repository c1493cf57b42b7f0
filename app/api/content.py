"""What a body says it is: its media type and its content coding."""

from __future__ import annotations

import codecs
import zlib
from email.message import Message
from typing import Final

from fastapi import Request

from app.domain.errors import MalformedPayloadError, RequestError

_JSON: Final = ("application/json", "text/json")
_UTF_8: Final = ("utf-8", "ascii")
_GZIP: Final = ("gzip", "x-gzip")
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
# Signals as JSON shrink to a fifth, and the emptiest strip to a hundredth. What grows more is no recording.
MAX_GROWTH: Final = 100
FREE_BYTES: Final = 64 * 1024


def check_media_type(request: Request) -> None:
    """Refuse what is not JSON in UTF-8; other parameters say nothing (RFC 8259, section 11).

    Raises:
        MalformedPayloadError: There is no body at all.
        RequestError: `unsupported_media_type`.
    """
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    if header.get_content_type() not in _JSON:
        if "content-type" not in request.headers and not _announces_body(request):
            raise no_body()
        raise RequestError(
            "Send the body as 'Content-Type: application/json'.", code="unsupported_media_type"
        )
    charset = header.get_param("charset", "utf-8")
    if not isinstance(charset, str) or not _is_utf_8(charset):
        raise RequestError(
            "Send JSON in UTF-8; the parameter charset of Content-Type says something else.",
            code="unsupported_media_type",
        )


def is_gzip(request: Request) -> bool:
    """Whether the body is coded with gzip, once.

    Raises:
        RequestError: `unsupported_media_type`: another coding.
    """
    coding = ",".join(request.headers.getlist("content-encoding")).strip().lower()
    if coding in _GZIP:
        return True
    if coding not in ("", "identity"):
        raise RequestError(
            "Send the body as it is, or with 'Content-Encoding: gzip'.", code="unsupported_media_type"
        )
    return False


def gunzip(coded: bytes, max_bytes: int) -> bytes:
    """The content of one gzip member (RFC 1952).

    Raises:
        RequestError: `payload_too_large`: it is larger than a body may be, or grows more than a hundredfold.
        MalformedPayloadError: Not gzip, cut short, or followed by something else.
    """
    limit = min(max_bytes, max(FREE_BYTES, MAX_GROWTH * len(coded)))
    member = zlib.decompressobj(_GZIP_WINDOW)
    try:
        content = member.decompress(coded, limit + 1)
    except zlib.error:
        raise MalformedPayloadError("The body is not what gzip makes.") from None
    if len(content) > limit:
        raise RequestError(
            f"A body holds at most {max_bytes} bytes, and with gzip at most {MAX_GROWTH} times its size.",
            code="payload_too_large",
        )
    if not member.eof or member.unused_data:
        raise MalformedPayloadError("The gzip of the body is cut short, or something follows it.")
    return content


def no_body() -> MalformedPayloadError:
    return MalformedPayloadError("The request has no body; send JSON.")


def _announces_body(request: Request) -> bool:
    headers = request.headers
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def _is_utf_8(charset: str) -> bool:
    try:
        return codecs.lookup(charset.strip()).name in _UTF_8
    except (LookupError, ValueError):
        return False
