"""Do the common generators make working clients of docs/openapi.json? Run by `make clients`.

Lints the document, generates Python, TypeScript and Kotlin, type-checks or compiles each, and enrolls and
identifies a computed person through all of them at a service that really runs.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from app.api.schemas.example_strips import EXAMPLE_PROBE, EXAMPLE_RECORDING
from tests.clients import generators, kotlin
from tests.clients.service import running_service
from tests.clients.tools import BIN, BUILD, HERE, CheckError, run, step


def main() -> None:
    """Stop at the first thing that does not hold."""
    with step("installed npm packages"):
        _install()
    with step("linted docs/openapi.json"):
        generators.lint()
    strips = BUILD / "strips.json"
    strips.write_text(json.dumps([EXAMPLE_RECORDING, EXAMPLE_PROBE]))
    body = _generate(strips)
    with tempfile.TemporaryDirectory() as folder, running_service(Path(folder)) as (server, key):
        _recognize(f"http://127.0.0.1:{server.port}", key, strips)
        with step("enrolled what Kotlin serialized"):
            status, answer = server.call("POST", "/enroll", body)
            if status != 201:
                raise CheckError(f"answered with {answer}")


def _generate(strips: Path) -> dict[str, Any]:
    """What the Kotlin models make of an enrollment."""
    with step("generated and type-checked Python"):
        generators.generate_python()
    with step("generated and compiled TypeScript, twice"):
        generators.generate_typescript()
    with step("generated Kotlin"):
        generators.generate_kotlin()
        kotlin.check_names()
    with step("compiled the Kotlin models"):
        return kotlin.enroll_body(strips)


def _recognize(url: str, key: str, strips: Path) -> None:
    typescript = BUILD / "typescript/out"
    for command in (
        (BIN / "python", HERE / "recognize.py"),
        ("node", typescript / "recognize_fetch.js"),
        ("node", typescript / "recognize_types.js"),
    ):
        sys.stdout.write(run(*command, url, key, strips, env=_client_environment()))


def _install() -> None:
    """From exact versions: a lock file would name the registry that it was made with."""
    BUILD.mkdir(parents=True, exist_ok=True)
    for generated in ("python", "typescript", "kotlin"):
        shutil.rmtree(BUILD / generated, ignore_errors=True)
    for name in ("package.json", ".npmrc"):
        shutil.copy(HERE / name, BUILD)
    run("npm", "install")


def _client_environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(BUILD / "python")}


if __name__ == "__main__":
    try:
        main()
    except CheckError as error:
        sys.exit(f"clients: {error}")
