"""Results of one kind in one file: a line of JSON each, identified and replaced by key fields."""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Json = Mapping[str, Any]


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read all lines, in order; none without a file."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8") as file:  # `splitlines` would part a text at U+2028.
        return [json.loads(line) for line in file]


def keep_lines(path: Path, lines: Iterable[Json], *key: str) -> None:
    """Add lines, each in place of the former line of the same key, and sort by key.

    An interrupted write leaves the former file. Processes that write the same file wait for each other, so
    that no line is lost.

    Args:
        path: File to write; its folder is created.
        lines: New or measured again.
        key: Text fields that identify a line.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone_in(path.parent):
        kept = {tuple(line[field] for field in key): line for line in (*read_lines(path), *lines)}
        draft = path.with_suffix(".tmp")
        draft.write_text(
            "".join(json.dumps(kept[name], ensure_ascii=False) + "\n" for name in sorted(kept)),
            encoding="utf-8",
        )
        draft.replace(path)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    # The folder is locked, not the file: replacing a file would leave its lock with the former one.
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)
