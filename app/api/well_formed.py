"""What can be said of a JSON body without making objects of it.

A parser makes a tree of all that it is given before anything is refused: 8 MiB of numbers became 340 MiB,
8 MiB of strings 510 MiB. So the parts of a body are counted in its bytes, and one with more than any request
has is refused unparsed. After a failure the bytes are looked at again for what the parser takes and JSON does
not know: NaN, Infinity and any depth.

All of this takes linear time and a few copies of the body. A regular expression promises neither: one for
strings kept 1 GiB of places to go back to, and the same unrolled keeps 480 MiB for a string of escapes.
"""

from __future__ import annotations

import json
import re
from typing import Final

from app.domain.errors import MalformedPayloadError, UnprocessableError

MAX_DEPTH: Final = 16
# The largest request of the contract has 24 recordings of some ten fields.
MAX_CONTAINERS: Final = 2_000
MAX_QUOTES: Final = 10_000
# A number costs up to 100 bytes while it is parsed. So many are 600 s at 500 Hz, and the fields around them.
MAX_COMMAS: Final = 302_000
# Larger bodies are looked at for what takes many times its size: an integer beyond 64 bits becomes objects of
# 300 bytes, a string that is not ASCII throughout takes four bytes a character, in several copies.
MAX_BYTES_UNSEEN: Final = 1024 * 1024
MAX_DIGITS: Final = 18

_ESCAPE_BEYOND_ASCII: Final = re.compile(rb"\\u(?!00[0-7])")
_NUMBERS_AND_SPACE: Final = b"0123456789+-.eE,: \t\r\n"
# Digits as 0, what may stand before a number as a comma: integers then are a comma and zeros.
_DIGITS_AND_STARTS: Final = bytes(
    ord("0") if byte in b"0123456789" else ord(",") if byte in b",[:- \t\r\n" else ord("x")
    for byte in range(256)
)
_LONG_INTEGER: Final = b"," + b"0" * (MAX_DIGITS + 1)
_ALL_BUT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
# What is long in a request and holds no names: numbers, and base64 without escapes.
_LONG: Final = re.compile(rb'\[[-+.0-9eEnul, \t\r\n]+\]|"[A-Za-z0-9+/=_-]{129,}"')


def check_parts(body: bytes) -> None:
    """Refuse bodies that cost much more to parse than any request of the contract.

    Raises:
        UnprocessableError: Too many parts, or text that no request has. Whether it is JSON was not looked at.
    """
    if body.count(b"[") + body.count(b"{") > MAX_CONTAINERS or body.count(b'"') > MAX_QUOTES:
        raise UnprocessableError("The body holds more arrays, objects or strings than any request.")
    if body.count(b",") > MAX_COMMAS:
        raise UnprocessableError("The body holds more than 300 000 numbers; send long signals as signal_b64.")
    if len(body) <= MAX_BYTES_UNSEEN:
        return
    if _is_beyond_ascii(body):
        raise UnprocessableError("What is long in a request is numbers or base64, and all of that is ASCII.")
    if _LONG_INTEGER in body.translate(_DIGITS_AND_STARTS):
        raise UnprocessableError(
            f"No number of a request has more than {MAX_DIGITS} digits before its point."
        )


def check_literals_and_depth(document: bytes) -> None:
    """Look for what the parser takes and JSON does not know.

    Args:
        document: What else is JSON, within the limits of `check_parts`.

    Raises:
        MalformedPayloadError: NaN, Infinity, or nesting beyond 16.
    """
    bare = _without_strings(document)
    if b"N" in bare or b"I" in bare:
        raise MalformedPayloadError("NaN and Infinity are not JSON.")
    if _depth(bare) > MAX_DEPTH:
        raise MalformedPayloadError(f"The body nests deeper than {MAX_DEPTH}.")


def check_names(document: bytes) -> None:
    """Refuse objects that hold one name twice, however it is spelled.

    Parsers keep the last value. Whoever decides by the first, such as a gateway, would have checked another
    request.

    Args:
        document: JSON within the limits of `check_parts` and `check_literals_and_depth`.

    Raises:
        MalformedPayloadError: A name stands twice in one object.
    """
    for text in (_LONG.sub(b"0", document), document):
        try:
            json.loads(text, object_pairs_hook=_require_different)
            return
        except ValueError:  # Shortened in the middle of a string.
            continue


def _require_different(pairs: list[tuple[str, object]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise MalformedPayloadError("The body holds an object with one name twice.")


def not_json() -> MalformedPayloadError:
    return MalformedPayloadError("The body is not valid JSON in UTF-8.")


def _is_beyond_ascii(body: bytes) -> bool:
    # Some clients write the + of base64 as \u002B; that is ASCII.
    return not body.isascii() or _ESCAPE_BEYOND_ASCII.search(body) is not None


def _without_strings(document: bytes) -> bytes:
    """The words and brackets of a JSON document outside its strings.

    Backslashes stand in strings only. With the escaped ones gone, and then the escaped quotes, every quote
    that is left begins or ends a string, and every other piece between quotes lies outside.
    """
    words = document.translate(None, _NUMBERS_AND_SPACE)  # Signals are most of it: this saves copies.
    return b"".join(words.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')[::2])


def _depth(bare: bytes) -> int:
    """How deep the brackets of a JSON document without its strings are nested."""
    depth = deepest = 0
    for bracket in bare.translate(None, _ALL_BUT_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest
