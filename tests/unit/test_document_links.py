"""What documents of the repository lead to is there: files, headings, modules and make targets."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "migrations" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_TARGET = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
_HEADING = re.compile(r"\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)")
_TASK = re.compile(r"(?:^|`)make ([a-z-]+)", re.MULTILINE)
_MODULE = re.compile(r"python -m ((?:app|benchmarks|ml)\b[\w.]*\w)")

pytestmark = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=[str(path.relative_to(ROOT)) for path in DOCUMENTS]
)


def anchors(document: Path) -> set[str]:
    """Return the anchors of all headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_relative_link_leads_to_a_file(document: Path) -> None:
    targets = _TARGET.findall(document.read_text(encoding="utf-8"))

    missing = [target for target in targets if not (document.parent / target).exists()]

    assert missing == []


def test_every_module_that_is_run_exists(document: Path) -> None:
    modules = set(_MODULE.findall(document.read_text(encoding="utf-8")))

    missing = [module for module in sorted(modules) if find_spec(module) is None]

    assert missing == []


def test_every_link_to_a_heading_finds_it(document: Path) -> None:
    links = _HEADING.findall(document.read_text(encoding="utf-8"))

    missing = [
        f"{file}#{heading}"
        for file, heading in links
        if heading not in anchors(document.parent / file if file else document)
    ]

    assert missing == []


def test_every_task_of_make_exists(document: Path) -> None:
    tasks = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    assert set(_TASK.findall(document.read_text(encoding="utf-8"))) <= tasks
