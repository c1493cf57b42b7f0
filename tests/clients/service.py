"""A service of its own for the clients: fresh SQLite, the shipped bundles, a key with what they need."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.clients.tools import CheckError
from tests.integration.server import ServerProcess, cli, environment

SCOPES = "enroll,verify,identify,activity,read,erase,admin"
_KEY = re.compile(r"\bpp_[A-Za-z0-9]+_[A-Za-z0-9_-]+")


@contextmanager
def running_service(folder: Path) -> Iterator[tuple[ServerProcess, str]]:
    """The process and an API key."""
    master_key = base64.b64encode(secrets.token_bytes(32)).decode()
    env = environment(folder, f"sqlite:///{folder / 'clients.db'}", master_key)
    for arguments in (
        ["migrate"],
        ["keys", "create", "--name", "clients", "--scopes", SCOPES, "--galleries", "*"],
    ):
        done = cli(folder, env, *arguments)
        if done.returncode:
            raise CheckError(done.stdout + done.stderr)
    key = _KEY.search(done.stdout)
    if key is None:
        raise CheckError("`keys create` printed no API key")
    with ServerProcess(folder, env, key[0]) as server:
        yield server, key[0]
