"""A bundle appears whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from app.fetching.errors import FetchError
from ml.runtime.bundle import BUNDLE_FILE, CARD_FILE, BundleError, read_bundle
from ml.runtime.encoder import BundledEncoder, load_bundle

_PREFIX: Final = "fetching-"
"""Of the folder in which a bundle is written; no bundle is named so, and services do not look into it."""


def is_current(folder: Path, fields: Mapping[str, Any]) -> bool:
    """Whether a bundle lies there undamaged, with these very fields of `bundle.json`.

    One that an earlier release made under the same name, with other constants, is made anew: its vectors are
    the same.
    """
    try:
        read_bundle(folder)
        there = json.loads((folder / BUNDLE_FILE).read_text(encoding="utf-8"))
    except (BundleError, OSError):
        return False
    return {name: value for name, value in there.items() if name != "files"} == dict(fields)


def put_bundle(
    folder: Path,
    fields: Mapping[str, Any],
    card: str,
    networks: Mapping[str, bytes],
    check: Callable[[BundledEncoder], None],
) -> None:
    """Write a bundle beside its place, load and check it there, and move it in by one renaming.

    Args:
        folder: `models/<id>@<version>`; what lay there before is replaced.
        fields: Of `bundle.json`, without the checksums.
        card: Its text.
        networks: ONNX files by name.
        check: Raises `FetchError` if the bundle does not do what it should.

    Raises:
        FetchError: The folder cannot be written, or the bundle cannot be served.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=folder.parent) as beside:
            written = Path(beside) / folder.name
            _write(written, fields, card, networks)
            check(load_bundle(written))
            if folder.exists():
                shutil.move(folder, Path(beside) / "former")
            written.rename(folder)
    except BundleError as error:
        raise FetchError(f"The converted networks make no bundle: {error}.") from error
    except OSError as error:
        raise FetchError(f"'{folder}' cannot be written: {error.strerror}.") from error


def _write(folder: Path, fields: Mapping[str, Any], card: str, networks: Mapping[str, bytes]) -> None:
    contents = {**networks, CARD_FILE: card.encode()}
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    folder.mkdir(mode=0o755)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    text = json.dumps({**fields, "files": checksums}, ensure_ascii=False, indent=1)
    (folder / BUNDLE_FILE).write_text(text + "\n", encoding="utf-8")
