"""One pinned file from its own address: resumed where it broke off, never more bytes than are pinned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx

from app.fetching.errors import UnreachableError, WrongBytesError
from app.fetching.pins import PinnedFile

ATTEMPTS: Final = 4
_TIMEOUT_S: Final = 30.0

Progress = Callable[[int, int], None]
"""Takes the bytes that are there and those wanted."""


def download(file: PinnedFile, folder: Path, progress: Progress) -> bytes:
    """Download a file; what has arrived when a connection breaks is kept, for this attempt and later ones.

    Args:
        file: One with an address.
        folder: Where the part lies until it is whole.
        progress: Called as bytes arrive.

    Raises:
        UnreachableError: The address does not answer, or breaks off again and again.
        WrongBytesError: It gives other bytes than the pinned ones.
    """
    part = folder / f"{file.sha256}.part"
    reason = ""
    for _ in range(ATTEMPTS):
        try:
            _continue(file, part, progress)
            break
        except httpx.HTTPError as error:
            reason = f"{type(error).__name__}: {error}".rstrip(": ")
    else:
        raise UnreachableError(f"{file.url} cannot be reached ({reason}).")
    try:
        return file.require(part.read_bytes(), file.url)
    finally:
        part.unlink()


def _continue(file: PinnedFile, part: Path, progress: Progress) -> None:
    there = part.stat().st_size if part.exists() else 0
    if there >= file.size:
        return
    headers = {"Range": f"bytes={there}-", "Accept-Encoding": "identity"}
    with httpx.stream("GET", file.url, headers=headers, follow_redirects=True, timeout=_TIMEOUT_S) as answer:
        answer.raise_for_status()
        resumed = answer.status_code == httpx.codes.PARTIAL_CONTENT
        received = there if resumed else 0
        with part.open("ab" if resumed else "wb") as written:
            for chunk in answer.iter_raw():
                received += len(chunk)
                if received > file.size:
                    break
                written.write(chunk)
                progress(received, file.size)
    if received > file.size:
        part.unlink()
        raise WrongBytesError(f"{file.url} gives more than the {file.size} bytes of the pinned file.")
    if received < file.size:
        raise httpx.ReadError(f"it ended after {received} of {file.size} bytes")
