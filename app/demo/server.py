"""A service of its own for the demo: fresh directory, settings, database, key, and the server as a child.

Everything lies in one directory (`var/demo`), which is emptied at each start; a directory that this module
has not made is never touched. Commands run inside it, so that they read its `.env`, not that of `make run`.
"""

from __future__ import annotations

import base64
import fcntl
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PROJECT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
PREFERRED_PORT = 8000
MARKER = ".pulseprint-demo"
LOG_FILE = "server.log"
SCOPES = "enroll,erase,verify,identify,activity,read,read:scores,admin"
API_KEY = re.compile(r"\bpp_[A-Za-z0-9]+_[A-Za-z0-9_-]+")
STOP_TIMEOUT_S = 10.0


class DemoError(Exception):
    """The demo cannot go on; the message says why and what to do."""


@dataclass(frozen=True)
class DemoServer:
    """A running service with an empty database."""

    url: str
    api_key: str
    process: subprocess.Popen[bytes]
    log: Path

    def check_alive(self) -> None:
        """Raise `DemoError` with the end of the log if the server has stopped."""
        if self.process.poll() is not None:
            raise DemoError(f"The server stopped. The end of {self.log}:\n{last_lines(self.log)}")


@contextmanager
def demo_server(directory: Path, port: int | None) -> Iterator[DemoServer]:
    """Start a service in a fresh directory; stop it on leaving, whatever the reason.

    Args:
        directory: Made, or emptied if an earlier demo made it.
        port: None for 8000 or, if that is taken, any free one; 0 for any free one.

    Raises:
        DemoError: Port taken, directory not ours or in use, or a command failed.
    """
    chosen_port = choose_port(port)
    with fresh_directory(directory) as marker:
        write_settings(directory, chosen_port)
        run_cli(directory, "migrate")
        created = run_cli(
            directory, "keys", "create", "--name", "demo", "--scopes", SCOPES, "--galleries", "*"
        )
        api_key = API_KEY.search(created)
        if api_key is None:
            raise DemoError("`keys create` printed no API key.")
        log_path = directory / LOG_FILE
        with log_path.open("wb") as log, _serving(directory, log, marker) as process:
            yield DemoServer(f"http://{HOST}:{chosen_port}", api_key[0], process, log_path)


def choose_port(port: int | None) -> int:
    """The port to serve on: the requested one, or a free one.

    Raises:
        DemoError: The requested one is taken.
    """
    wishes = [PREFERRED_PORT, 0] if port is None else [port]
    for wish in wishes:
        with socket.socket() as candidate:
            # As the server will: a port in TIME_WAIT counts as free, one that is listened on does not.
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind((HOST, wish))
            except OSError:
                continue
            return int(candidate.getsockname()[1])
    raise DemoError(
        f"Port {port} is taken. Stop what listens there, or choose another: make demo PORT={_other(port)}"
    )


def _other(port: int | None) -> int:
    return (port or PREFERRED_PORT) % 65535 + 1


@contextmanager
def fresh_directory(directory: Path) -> Iterator[IO[str]]:
    """Make or empty the demo's directory and hold it, so that no second demo empties it meanwhile.

    Returns:
        The locked file; the directory is held while any process has it open.

    Raises:
        DemoError: Something else lies there, or another demo runs in it.
    """
    if directory.is_symlink() or (directory.exists() and not directory.is_dir()):
        raise DemoError(f"{directory} is no plain directory; choose another with --dir.")
    if directory.is_dir() and any(directory.iterdir()) and not (directory / MARKER).is_file():
        raise DemoError(
            f"{directory} does not look like a demo directory ({MARKER} is missing), so nothing in it was "
            "touched. Move it away or choose another with --dir."
        )
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    # Opened without truncating: until it is locked, the file may be another demo's.
    with (directory / MARKER).open("a", encoding="utf-8") as marker:
        try:
            fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(
                f"Another demo is running in {directory}; stop it or choose another --dir."
            ) from None
        marker.truncate(0)
        marker.write("Made by `make demo`, which empties this directory at every start.\n")
        marker.flush()
        _empty(directory)
        yield marker


def _empty(directory: Path) -> None:
    for path in directory.iterdir():
        if path.name == MARKER:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def write_settings(directory: Path, port: int) -> None:
    """Write the demo's `.env`, readable by its owner only, with a master key of its own."""
    settings = {
        "DATABASE_URL": f"sqlite:///{directory.resolve()}/pulseprint.db",
        "MASTER_KEYS": base64.b64encode(secrets.token_bytes(32)).decode(),
        "MODELS_DIR": str(PROJECT / "models"),
        "HOST": HOST,
        "PORT": str(port),
        "LOG_FORMAT": "text",
    }
    lines = [f"PULSEPRINT_{name}='{value}'\n" for name, value in settings.items()]
    descriptor = os.open(directory / ".env", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as env_file:
        env_file.writelines(lines)


def run_cli(directory: Path, *arguments: str) -> str:
    """Run one command of `app.cli` under the demo's settings and return what it printed.

    Raises:
        DemoError: It failed; the message ends with what it said.
    """
    done = subprocess.run(  # noqa: S603 - our own interpreter and module
        _command(*arguments), cwd=directory, env=_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise DemoError(f"`app.cli {arguments[0]}` failed:\n{said}")
    return done.stdout


@contextmanager
def _serving(directory: Path, log: IO[bytes], marker: IO[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        _command("serve"),
        cwd=directory,
        env=_environment(),
        stdout=log,
        stderr=subprocess.STDOUT,
        # Should the demo be killed, its server still holds the directory that it works in.
        pass_fds=[marker.fileno()],
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "app.cli", *arguments]


def _environment() -> dict[str, str]:
    """Ours without any PULSEPRINT_ setting: those of another installation must not leak into the demo."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PULSEPRINT_")}
    search_path = [str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return kept | {"PYTHONPATH": os.pathsep.join(search_path)}


def last_lines(path: Path, count: int = 5) -> str:
    """The last lines of a text file."""
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-count:])
