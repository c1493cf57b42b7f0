"""An ECG signal in a request: numbers as JSON, or their bytes as base64, to one float32 array."""

from __future__ import annotations

import binascii
from enum import StrEnum
from typing import Annotated, Any

import numpy as np
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from app.domain.references import Vector

MAX_AMPLITUDE = 1e12  # Far above 32-bit counts and nanovolts with an offset; squares stay finite.
MAX_SIGNAL_SAMPLES = 7_200_000  # One hour at 2000 Hz.
MAX_NUMBERS = 240_000  # 120 s at 2000 Hz: no longer strip is taken as numbers.
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


class SampleType(StrEnum):
    """How the bytes of `signal_b64` are to be read; little-endian."""

    INT16 = "int16"
    FLOAT32 = "float32"


_DTYPES: dict[SampleType, np.dtype[Any]] = {
    SampleType.INT16: np.dtype("<i2"),
    SampleType.FLOAT32: np.dtype("<f4"),
}


class _JsonSignal:
    """Schema of a JSON array of numbers, or null for missing ones, that becomes a float32 array.

    The elements are checked in Rust and copied once: 240 000 samples take 11 ms. The list is not
    searched for more errors after the first.
    """

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        # Infinity passes here and not check_samples(), so that 1e999 gets the code of the contract.
        number = core_schema.float_schema(strict=True, allow_inf_nan=True)
        numbers = core_schema.list_schema(
            core_schema.nullable_schema(number),
            strict=True,
            min_length=1,
            max_length=MAX_SIGNAL_SAMPLES,
            fail_fast=True,
        )
        return core_schema.no_info_after_validator_function(_from_numbers, numbers)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        number = {"type": "number", "minimum": -MAX_AMPLITUDE, "maximum": MAX_AMPLITUDE}
        items = {"anyOf": [number, {"type": "null"}]}  # The form that client generators make nullable.
        return {"type": "array", "items": items, "minItems": 1, "maxItems": MAX_NUMBERS}


Signal = Annotated[Vector, _JsonSignal()]


def signal_from_base64(text: str, sample_type: SampleType) -> Vector:
    """Decode little-endian samples.

    Returns:
        float32, shape (n_samples,); NaN where one is missing.

    Raises:
        PydanticCustomError: Not base64, not whole samples, or values outside the contract.
    """
    content = decode_base64(text)
    dtype = _DTYPES[sample_type]
    if not content or len(content) % dtype.itemsize:
        raise PydanticCustomError(
            "invalid_request", "Expected whole samples of {size} bytes.", {"size": dtype.itemsize}
        )
    samples = np.frombuffer(content, dtype).astype(np.float32)
    samples[np.isnan(samples)] = np.nan  # Some bit patterns of NaN make later casts warn.
    return check_samples(samples)


def decode_base64(text: str) -> bytes:
    """Bytes of base64 (RFC 4648 §4 or §5), with or without padding and line breaks.

    Raises:
        PydanticCustomError: Not base64; the sentence says why.
    """
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return _decode_other_base64(text)


def _decode_other_base64(text: str) -> bytes:
    """As MIME, URL-safe and unpadded encoders write it; slower by a copy."""
    if text.startswith("data:"):
        raise _no_base64("without what stands before it in a data URI")
    if not text.isascii():
        raise _no_base64("found a character that is not ASCII")
    padded = text.encode().translate(None, b"\r\n")
    plain = padded.rstrip(b"=")
    if (b"+" in plain or b"/" in plain) and (b"-" in plain or b"_" in plain):
        raise _no_base64("found two alphabets: + or / beside - or _")
    padding = -len(plain) % 4
    if padding == 3 or len(padded) - len(plain) not in (0, padding):
        raise _no_base64("found a length or padding that no bytes have")
    try:
        return binascii.a2b_base64(plain.translate(_URL_SAFE) + b"=" * padding, strict_mode=True)
    except ValueError:
        raise _no_base64("found a character of neither alphabet, such as a space") from None


def _no_base64(found: str) -> PydanticCustomError:
    return PydanticCustomError("invalid_request", "Expected base64, {found}.", {"found": found})


def check_samples(samples: Vector) -> Vector:
    """The samples, if all lie within ±1e12 or are missing (NaN)."""
    # One pass each; `fmin` and `fmax` pass over NaN, and are NaN if nothing else is there.
    lowest, highest = float(np.fmin.reduce(samples)), float(np.fmax.reduce(samples))
    if np.isinf(lowest) or np.isinf(highest):
        raise PydanticCustomError("signal_not_finite", "The signal holds infinite values.")
    if lowest < -MAX_AMPLITUDE or highest > MAX_AMPLITUDE:
        raise PydanticCustomError("invalid_request", "Samples must lie within -1e12 and 1e12.")
    return samples


def _from_numbers(numbers: list[float | None]) -> Vector:
    with np.errstate(over="ignore"):  # What overflows float32 becomes infinite, and is refused as such.
        samples = check_samples(np.array(numbers, dtype=np.float32))
    # The parser takes a bare NaN too, which is no JSON: only null says that a number is missing.
    if any(numbers[place] is not None for place in np.flatnonzero(np.isnan(samples)).tolist()):
        raise PydanticCustomError("signal_not_finite", "The signal holds values that are not numbers.")
    return samples
