"""What is kept of a recording beside its vector: the encoder's own detail, and vectors of its parts."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

_HEAD: Final = struct.Struct(">BIHH")
_VERSION: Final = 1
_LOCAL_DTYPE: Final = np.dtype("<f2")
"""Three decimal digits: a shortlist needs no more, and a finger has dozens of these vectors."""


class Detail:
    """The detail of one recording, parsed when it is first compared, and kept then.

    To parse one takes as long as to compare several, so a gallery does not parse all of them at the start.

    Args:
        content: As the encoder gave it.
        parse: The encoder's.
    """

    __slots__ = ("_content", "_opened", "_parse")

    def __init__(self, content: bytes, parse: Callable[[bytes], Any]) -> None:
        self._content = content
        self._parse = parse
        self._opened: Any = None

    def __repr__(self) -> str:
        return f"Detail({len(self._content)} bytes)"

    @classmethod
    def of_opened(cls, opened: Any) -> Detail:
        """One that is parsed already."""
        return cls(b"", lambda _: opened)

    @property
    def opened(self) -> Any:
        """What the encoder compares. Threads may parse the same twice."""
        if self._opened is None:
            self._opened = self._parse(self._content)
        return self._opened


@dataclass(frozen=True, eq=False, repr=False)
class Parts:
    """What a template has beside its vector, where details are compared.

    Attributes:
        details: Of each recording, in the order of the recordings.
        local: Vectors of parts of all of them, for shortlists; float32, shape (n, l).
    """

    details: tuple[Detail, ...]
    local: Vector

    def __repr__(self) -> str:
        return f"Parts({len(self.details)} details)"

    @property
    def opened(self) -> list[Any]:
        """Every detail as the encoder compares it."""
        return [detail.opened for detail in self.details]

    @classmethod
    def joined(cls, many: Sequence[Parts]) -> Parts:
        """Those of several recordings, at least one."""
        if len(many) == 1:
            return many[0]
        details = tuple(detail for one in many for detail in one.details)
        return cls(details, np.concatenate([one.local for one in many]))


def pack(detail: bytes, local: Vector) -> bytes:
    """Put a detail and the local vectors, as they are rotated, into what is sealed.

    Args:
        detail: The encoder's.
        local: Float, shape (n, l).
    """
    head = _HEAD.pack(_VERSION, len(detail), *local.shape)
    return head + detail + np.ascontiguousarray(local, _LOCAL_DTYPE).tobytes()


def unpack(content: bytes) -> tuple[bytes, Vector]:
    """Take apart what `pack` put together.

    Raises:
        ValueError: Something else.
    """
    if len(content) < _HEAD.size:
        raise ValueError("a detail begins with its sizes")
    version, length, n, size = _HEAD.unpack_from(content)
    end = _HEAD.size + length
    if version != _VERSION or len(content) != end + n * size * _LOCAL_DTYPE.itemsize:
        raise ValueError("a detail of another version, or cut short")
    local = np.frombuffer(content, _LOCAL_DTYPE, offset=end).reshape(n, size)
    return content[_HEAD.size : end], local.astype(np.float32)


def rotated_local(local: Vector | None, matrix: Vector) -> Vector:
    """Multiply local vectors by a gallery's matrix; shape (n, l), (0, l) if there are none."""
    if local is None or not len(local):
        return np.zeros((0, len(matrix)), dtype=np.float32)
    return np.asarray(local @ matrix.T)
