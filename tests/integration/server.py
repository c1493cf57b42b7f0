"""The service as its own process, for what only a process can show: kill -9, start-up errors, workers."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.shipped_models import shipped_models

ROOT = Path(__file__).parents[2]
_LISTENING = re.compile(rb"Uvicorn running on http://127\.0\.0\.1:(\d+)")


def environment(folder: Path, database_url: str, master_key: str, **settings: str) -> dict[str, str]:
    """Variables of a service whose files lie in a folder; nothing of the developer's own .env."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PULSEPRINT_")}
    return kept | {
        "PYTHONPATH": str(ROOT),
        "PULSEPRINT_DATABASE_URL": database_url,
        "PULSEPRINT_MASTER_KEYS": master_key,
        "PULSEPRINT_MODELS_DIR": settings.pop("models_dir", str(shipped_models())),
        "PULSEPRINT_PORT": "0",
        "HOME": str(folder),
        **{f"PULSEPRINT_{name.upper()}": value for name, value in settings.items()},
    }


def cli(folder: Path, env: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments],
        cwd=folder,
        env=dict(env),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class ServerProcess:
    """`serve` on a port of the kernel's choice; killed on leaving."""

    def __init__(self, folder: Path, env: Mapping[str, str], key: str) -> None:
        self._key = key
        self._process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve"],
            cwd=folder,
            env=dict(env),
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.port = self._read_port(workers=int(env.get("PULSEPRINT_WORKERS", "1")))

    def __enter__(self) -> ServerProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL to it and its workers: no handler runs, nothing is flushed."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=30)
        self._drain.join(timeout=30)
        if self._process.stderr is not None:
            self._process.stderr.close()

    def stop(self) -> int:
        """SIGTERM, as service managers send it; the exit status."""
        self._process.terminate()
        return self._process.wait(timeout=30)

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """One request on a connection of its own; raises OSError or HTTPException if the server dies."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            content = answer.read()
            return answer.status, json.loads(content) if content else None
        finally:
            connection.close()

    def _read_port(self, workers: int) -> int:
        """Read the log until every worker has started; what follows is thrown away."""
        assert self._process.stderr is not None
        seen, port, started = [], None, 0
        for line in self._process.stderr:
            seen.append(line)
            found = _LISTENING.search(line)
            port = int(found[1]) if found else port
            started += b"Application startup complete" in line
            if port is not None and started == workers:
                self._drain = threading.Thread(target=self._process.stderr.read, daemon=True)
                self._drain.start()
                return port
        self._process.wait(timeout=30)
        raise AssertionError(b"".join(seen).decode())
