"""Tables between HTML comments of the pages that people read first; the text around them is written by hand.

<!-- generated: speed -->
…
<!-- end generated -->
"""

import re
from collections.abc import Mapping
from pathlib import Path

PAGES = ("README.md", "docs/accuracy.md", "docs/activity.md", "docs/performance.md")
_MARKED = re.compile(
    r"(<!-- generated: (?P<name>[a-z0-9-]+) -->\n).*?(<!-- end generated -->)", flags=re.DOTALL
)


class UnknownTableError(LookupError):
    """A page asks for a table that nobody makes."""


def table_names(text: str) -> list[str]:
    """List the tables that a page has markers for."""
    return [found["name"] for found in _MARKED.finditer(text)]


def fill(text: str, tables: Mapping[str, str]) -> str:
    """Replace what stands between each pair of markers.

    Args:
        text: A page in Markdown.
        tables: Markdown by name; tables without markers are ignored.

    Raises:
        UnknownTableError: A marker names none of the tables.
    """

    def replaced(found: re.Match[str]) -> str:
        name = found["name"]
        if name not in tables:
            raise UnknownTableError(f"no table {name!r}; known: {', '.join(sorted(tables))}")
        return f"{found[1]}\n{tables[name].strip()}\n\n{found[3]}"

    return _MARKED.sub(replaced, text)


def fill_pages(root: Path, tables: Mapping[str, str]) -> list[Path]:
    """Write the tables into all `PAGES` below `root`, and list those that are there."""
    pages = [path for page in PAGES if (path := root / page).is_file()]
    for path in pages:
        path.write_text(fill(path.read_text(encoding="utf-8"), tables), encoding="utf-8")
    return pages
