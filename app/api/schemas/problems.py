"""RFC 9457 problem documents, as documented; `app/api/errors.py` writes them."""

from __future__ import annotations

from pydantic import Field

from app.api.schemas.base import ResponseSchema, described


class FaultAnswer(ResponseSchema):
    """One thing wrong with the request."""

    pointer: str = described("JSON pointer; empty for the whole.", example="/recordings/0/fs_hz")
    code: str = described("Stable code of this fault.", example="sampling_rate_unsupported")
    detail: str = described("One sentence; never a part of the input.", example="fs_hz must be 100 to 2000.")


class ProblemAnswer(ResponseSchema):
    """What went wrong; `code` is stable, the sentences are not."""

    type: str = described("Where the code is explained.", example="/docs#signal_too_short")
    title: str = described("What the code means.", example="The signal is too short")
    status: int = described("The status of the response.", example=422)
    detail: str = described("What is wrong with this request.", example="1.20 s are shorter than 3 s")
    code: str = described("Stable code of the contract.", example="signal_too_short")
    transaction_id: str = described(
        "Names this request in the log.", example="01932f3a-7c1e-7b7a-9d5e-0f6c2f9d7a10"
    )
    errors: list[FaultAnswer] = Field(
        default=[], max_length=10, description="The single faults, ten at most.", examples=[[]]
    )
