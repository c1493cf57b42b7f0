"""How many bytes of request bodies are in memory, over all connections of this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from app.domain.errors import TemporaryError

DEFAULT_MAX_BYTES: Final = 64 * 1024 * 1024


class BytesInFlight:
    """Counted on the event loop, so that no lock is needed."""

    def __init__(self, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._n_bytes = 0

    @contextmanager
    def body(self) -> Iterator[BodyInFlight]:
        """One body, which counts until its request is answered."""
        body = BodyInFlight(self)
        try:
            yield body
        finally:
            self._n_bytes -= body.n_bytes

    def take(self, n_bytes: int) -> None:
        if self._n_bytes + n_bytes > self._max_bytes:
            raise TemporaryError("Other requests hold too many bytes.")
        self._n_bytes += n_bytes


class BodyInFlight:
    """What has arrived of one body."""

    def __init__(self, all_bodies: BytesInFlight) -> None:
        self._all_bodies = all_bodies
        self.n_bytes = 0

    def grow(self, n_bytes: int) -> None:
        """Raises `TemporaryError` (`overloaded`) if all bodies together become too large."""
        self._all_bodies.take(n_bytes)
        self.n_bytes += n_bytes
