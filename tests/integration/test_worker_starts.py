"""Several workers start while the database goes away and comes back."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import make_url

from app.worker_starts import WorkerStarts
from tests.integration.server import environment

MASTER_KEY = base64.b64encode(hashlib.sha256(b"a master key for tests").digest()).decode()


class Gate:
    """A TCP port before PostgreSQL's socket, which can be shut: as a restart looks to clients."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open = True
        self._sockets: list[socket.socket] = []
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.shut()
        self._listener.close()
        for one in self._sockets:
            one.close()

    def shut(self) -> None:
        self._open = False
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def reopen(self) -> None:
        self._open = True

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if not self._open:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._target)
            self._sockets += [client, server]
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=pair, daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class Service:
    """`serve` with two workers, and what it says."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve"],
            cwd=folder,
            env=env | {"PULSEPRINT_PORT": str(self.port)},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.lines.extend(iter(self.process.stderr.readline, ""))

    def wait_for(self, text: str, times: int = 1) -> None:
        deadline = time.monotonic() + 60
        while sum(text in line for line in self.lines) < times:
            assert time.monotonic() < deadline, "".join(self.lines)
            assert self.process.poll() is None, "".join(self.lines)
            time.sleep(0.02)

    def readiness(self) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=30)
        self._reader.join(timeout=30)
        assert self.process.stderr is not None
        self.process.stderr.close()


@pytest.fixture
def postgres_url(postgres_server, postgres_template):
    name = f"starts_{uuid4().hex}"
    yield postgres_server.create(name, postgres_template)
    postgres_server.drop(name)


def test_a_restart_of_the_database_while_workers_start_ends_none_of_them(postgres_url, tmp_path):
    url = make_url(postgres_url)
    gate = Gate(f"{url.query['host']}/.s.PGSQL.{url.query.get('port', url.port or 5432)}")
    through = url.set(host="127.0.0.1", port=gate.port, query={}).render_as_string(hide_password=False)
    env = environment(tmp_path, through, MASTER_KEY, workers="2")

    with Service(tmp_path, env) as service:
        service.wait_for("Started parent process")
        gate.shut()
        service.wait_for("worker.start_postponed", times=2)
        assert service.process.poll() is None
        assert service.readiness() != 200
        gate.reopen()
        service.wait_for("Application startup complete", times=2)

        assert service.readiness() == 200
        service.process.terminate()
        assert service.process.wait(timeout=30) == 0
    gate.close()


class TestWorkerStarts:
    def test_all_have_started_when_there_is_a_file_of_each(self, tmp_path):
        starts = WorkerStarts(tmp_path, 2)
        (tmp_path / "1.started").touch()
        assert not starts.all_started

        starts.add()

        assert starts.all_started

    def test_one_that_dies_later_changes_nothing(self, tmp_path):
        starts = WorkerStarts(tmp_path, 1)
        starts.add()
        assert starts.all_started
        for file in tmp_path.iterdir():
            file.unlink()

        assert starts.all_started

    def test_a_process_of_its_own_waits_for_nobody(self):
        assert WorkerStarts(None, 1).all_started
