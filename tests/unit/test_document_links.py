"""What documents of the repository lead to is there: files, and modules to run."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_TARGET = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
_MODULE = re.compile(r"python -m ((?:app|benchmarks|ml)\b[\w.]*\w)")

pytestmark = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=[str(path.relative_to(ROOT)) for path in DOCUMENTS]
)


def test_every_relative_link_leads_to_a_file(document: Path) -> None:
    targets = _TARGET.findall(document.read_text(encoding="utf-8"))

    missing = [target for target in targets if not (document.parent / target).exists()]

    assert missing == []


def test_every_module_that_is_run_exists(document: Path) -> None:
    modules = set(_MODULE.findall(document.read_text(encoding="utf-8")))

    missing = [module for module in sorted(modules) if find_spec(module) is None]

    assert missing == []
