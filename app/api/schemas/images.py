"""An image in a request: base64, decoded once to the bytes of its file."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from app.api.schemas.signals import decode_base64

MAX_IMAGE_BYTES = 4 * 1024 * 1024
_MIN_CHARACTERS = 4


class _Base64Image:
    """Schema of a string that becomes bytes: the text is dropped as soon as it is read."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        text = core_schema.str_schema(strict=True, min_length=_MIN_CHARACTERS)
        return core_schema.no_info_after_validator_function(_from_base64, text)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "contentEncoding": "base64", "minLength": _MIN_CHARACTERS}


ImageBytes = Annotated[bytes, _Base64Image()]


def _from_base64(text: str) -> bytes:
    image = decode_base64(text)
    if len(image) > MAX_IMAGE_BYTES:
        raise PydanticCustomError("image_too_large", "An image holds at most 4 MiB.")
    return image
