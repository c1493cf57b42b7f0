"""The real service in its own process: `python -m app.cli serve` on core 0."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from benchmarks.filled_databases import FilledDatabase
from benchmarks.http_client import Connection, request_bytes
from benchmarks.measuring import SERVER_CORE, on_core
from benchmarks.paths import MODELS, PROJECT

START_TIMEOUT_S = 120.0
POLL_S = 0.002
_READY = request_bytes("GET", "/readyz")


@dataclass(frozen=True)
class RunningServer:
    """A server whose /readyz has returned 200.

    Args:
        cold_start_s: From the start of the process to that response.
    """

    port: int
    pid: int
    cold_start_s: float

    def connect(self) -> Connection:
        return Connection(self.port)


@contextmanager
def running_server(
    database: FilledDatabase, project: Path = PROJECT, *, all_cores: bool = False
) -> Iterator[RunningServer]:
    """Serve a database until the block ends.

    Args:
        database: What to serve.
        project: Checkout whose code and bundles serve it.
        all_cores: Do not keep the server on one core, where encoders of several modalities run in turn.

    Raises:
        RuntimeError: The server did not start; the end of its log is in the message.
    """
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="pulseprint-bench-") as folder:
        errors = Path(folder) / "errors"
        with errors.open("wb") as stderr, nullcontext() if all_cores else on_core(SERVER_CORE):
            started_s = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "serve"],
                cwd=folder,  # Without the .env of `make run`.
                env=server_environment(database, project) | {"PULSEPRINT_PORT": str(port)},
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )
        try:
            _wait_until_ready(process, port, started_s, errors)
            yield RunningServer(port, process.pid, time.perf_counter() - started_s)
        finally:
            process.terminate()
            process.wait(timeout=30)


def server_environment(database: FilledDatabase, project: Path = PROJECT) -> dict[str, str]:
    """Return the settings of a server process."""
    return {
        **python_environment(project),
        "PULSEPRINT_DATABASE_URL": database.url,
        "PULSEPRINT_MASTER_KEYS": database.master_key,
        "PULSEPRINT_MODELS_DIR": str(project / MODELS.name),
    }


def python_environment(project: Path) -> dict[str, str]:
    """Variables of a process that runs a checkout's code, one thread per numerical library."""
    inherited: Mapping[str, str] = {k: v for k, v in os.environ.items() if not k.startswith("PULSEPRINT_")}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**inherited, **threads, "PYTHONPATH": str(project)}


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, started_s: float, errors: Path) -> None:
    while process.poll() is None and time.perf_counter() - started_s < START_TIMEOUT_S:
        try:
            with Connection(port) as connection:
                if connection.exchange(_READY)[0] == 200:
                    return
        except OSError:
            time.sleep(POLL_S)
    raise RuntimeError(f"the server did not come up: {errors.read_text(errors='replace')[-2000:]}")


def _free_port() -> int:
    with socket.socket() as candidate:
        candidate.bind(("127.0.0.1", 0))
        return int(candidate.getsockname()[1])
