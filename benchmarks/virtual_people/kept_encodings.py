"""Encoders that encode every capture once, so that many pairings cost what one does."""

from __future__ import annotations

from typing import Any

from app.domain.captures import Capture
from app.domain.errors import FailureToAcquireError
from app.domain.ports.encoders import Encoder
from ml.runtime.encoding import Encoding


class KeepingEncoder:
    """An encoder that remembers; in everything else the one it wraps.

    Args:
        inner: The encoder.
    """

    def __init__(self, inner: Encoder) -> None:
        self._inner = inner
        self._kept: dict[int, tuple[Capture, Encoding | FailureToAcquireError]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def encode(self, capture: Capture) -> Encoding:
        """Encode a capture, or give what it gave before; the capture is kept, so its identity is its own."""
        if id(capture) not in self._kept:
            try:
                self._kept[id(capture)] = (capture, self._inner.encode(capture))
            except FailureToAcquireError as error:
                self._kept[id(capture)] = (capture, error)
        found = self._kept[id(capture)][1]
        if isinstance(found, FailureToAcquireError):
            raise found
        return found
