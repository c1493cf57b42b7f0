"""Clients made from docs/openapi.json, with the commands that `/docs` shows."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from pathlib import Path
from typing import Final

from app.api.docs_page import CLIENT_COMMANDS
from tests.clients.tools import BIN, BUILD, DOCUMENT, HERE, npm_tool, run

PYTHON_PACKAGE: Final = "pulseprint_client"
KOTLIN_MODELS: Final = BUILD / "kotlin/src/main/kotlin/org/openapitools/client/models"


def lint() -> None:
    """Redocly's strictest rule set, and a few more: see redocly.yaml. A warning fails like an error."""
    run(npm_tool("redocly"), "lint", DOCUMENT, "--config", HERE / "redocly.yaml", "--max-problems=200")


def generate_python() -> None:
    """`openapi-python-client`, type-checked together with the program that uses it."""
    config = BUILD / "python.json"
    config.write_text(json.dumps({"package_name_override": PYTHON_PACKAGE}))
    (BUILD / "python").mkdir()
    package = BUILD / "python" / PYTHON_PACKAGE
    options = ("--config", config, "--meta", "none", "--fail-on-warning")
    run(
        *_shown("Python", package), *options, env={"PATH": f"{BIN}:{os.environ['PATH']}"}
    )  # It formats with ruff.
    run(BIN / "mypy", "--strict", HERE / "recognize.py", package, cwd=BUILD / "python")


def generate_typescript() -> None:
    """`openapi-typescript` and typescript-fetch, compiled together with the programs that use them."""
    folder = BUILD / "typescript"
    folder.mkdir()
    run(*_shown("TypeScript, types", folder))
    run(*_shown("TypeScript, fetch", folder / "fetch"), "--additional-properties=importFileExtension=.ts")
    for source in ("recognize_fetch.ts", "recognize_types.ts", "tsconfig.json"):
        shutil.copy(HERE / source, folder)
    (folder / "package.json").write_text('{"type": "module"}')
    run(npm_tool("tsc"), "--project", folder, "--outDir", folder / "out", cwd=folder)


def generate_kotlin() -> None:
    """openapi-generator with Jackson; recordings become classes that implement `AnyRecording`."""
    run(*_shown("Kotlin", BUILD / "kotlin"))


def _shown(language: str, folder: Path) -> list[str | Path]:
    """The command of the page, with the committed document and this folder."""
    tool, *arguments = shlex.split(CLIENT_COMMANDS[language])
    command: list[str | Path] = [npm_tool(tool) if (npm_tool(tool)).exists() else BIN / tool]
    for argument in arguments:
        if argument == "openapi.json":
            command.append(DOCUMENT)
        elif argument.split("/")[0] == "client":
            command.append(folder / argument.removeprefix("client").lstrip("/"))
        else:
            command.append(argument)
    return command
