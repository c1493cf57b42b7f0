"""Another checkout of this repository: its own code fills a database and serves it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.filled_databases import DATABASE, FilledDatabase
from benchmarks.paths import CACHE
from benchmarks.serving import RunningServer, python_environment, running_server

# What every checkout since 2026.11 understands; the copy of the database outlives the process.
_FILL = """
import json, shutil, sys
from benchmarks.filled_databases import sqlite_database
with sqlite_database(int(sys.argv[1])) as database:
    shutil.copyfile(database.url.removeprefix("sqlite:///"), sys.argv[2])
    print(json.dumps({"master_key": database.master_key, "token": database.token}))
"""


@dataclass(frozen=True)
class Checkout:
    """A working tree; it keeps its filled databases under its own `var/bench-cache`."""

    folder: Path

    @property
    def revision(self) -> str:
        """The commit, marked `-dirty` if the tree has changed since."""
        command = ["git", "-C", str(self.folder), "describe", "--always", "--dirty"]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        return found.stdout.strip() or "unknown"

    @contextmanager
    def serving(self, subjects: int) -> Iterator[tuple[RunningServer, str]]:
        """Serve a SQLite database with so many computed subjects: the server, and a key with all scopes."""
        with self.filled(subjects) as database, running_server(database, self.folder) as server:
            yield server, database.token

    @contextmanager
    def filled(self, subjects: int) -> Iterator[FilledDatabase]:
        """A fresh SQLite database with so many computed subjects, enrolled by this checkout's own code."""
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="release-") as folder:
            copy = Path(folder) / DATABASE
            filled = subprocess.run(
                [sys.executable, "-c", _FILL, str(subjects), str(copy)],
                cwd=self.folder,
                env=python_environment(self.folder),
                stdout=subprocess.PIPE,
                check=True,
            )
            yield FilledDatabase(url=f"sqlite:///{copy}", **json.loads(filled.stdout))
