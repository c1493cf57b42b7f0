"""Where the tools of the client checks lie, and how they are run."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
HERE: Final = Path(__file__).parent
DOCUMENT: Final = ROOT / "docs" / "openapi.json"
BUILD: Final = ROOT / "build" / "clients"  # Nothing generated is ever committed.
BIN: Final = ROOT / ".venv-clients" / "bin"
NODE_MODULES: Final = BUILD / "node_modules"
_QUOTED_CHARACTERS: Final = 6000


class CheckError(Exception):
    """A generator, a compiler or a client failed; the message ends with what it printed."""


def run(*command: str | Path, cwd: Path = BUILD, env: dict[str, str] | None = None) -> str:
    """What the command printed.

    Raises:
        CheckError: It failed.
    """
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, text=True, capture_output=True, check=False
    )
    if done.returncode:
        printed = (done.stdout + done.stderr)[-_QUOTED_CHARACTERS:]
        raise CheckError(f"{Path(command[0]).name} exited with {done.returncode}:\n{printed}")
    return done.stdout


def npm_tool(name: str) -> Path:
    """A command of an npm package."""
    return NODE_MODULES / ".bin" / name


@contextmanager
def step(title: str) -> Iterator[None]:
    """Say what is checked, and how long it took."""
    started_s = time.perf_counter()
    yield
    sys.stdout.write(f"clients: {title} ({time.perf_counter() - started_s:.0f} s)\n")
    sys.stdout.flush()
