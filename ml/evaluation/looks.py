"""The log of looks at test sets. Two looks with a change in between are tuning on the test
set."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def log_look(path: Path, *, protocol: str, bundle: str, figures: dict[str, Any]) -> None:
    """Append one look.

    Args:
        path: `results/looks.jsonl`.
        protocol: Name as in DESIGN §9.
        bundle: Encoder id and weights.
        figures: Results seen in this look.
    """
    entry = {
        "date": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "commit": current_commit(),
        "protocol": protocol,
        "bundle": bundle,
        "figures": figures,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def current_commit() -> str:
    """Return the commit of the working tree, with "+" if tracked files differ; "unknown" outside git."""
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", "ml", "models")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + ("+" if changed else "")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)  # noqa: S603, S607
    return done.stdout.strip()
