"""The page of one bundle: all tables of a protocol in a section of their own."""

import re
from pathlib import Path

_HEADING = "\n## "


def keep_section(path: Path, protocol: str, tables: str) -> None:
    """Write the section of a protocol in place of its former one; others stay.

    Args:
        path: Of the page, named after the bundle.
        protocol: Title of the section.
        tables: Markdown without headings.
    """
    sections = _read_sections(path) | {protocol: tables.strip("\n")}
    head = (
        f"# All tables of `{path.stem}`\n\n"
        "Every table that was measured for one encoder, protocol by protocol. Start with\n"
        "[accuracy](../../accuracy.md). [ECG identity](../ecg-identity.md) explains the columns and puts\n"
        "encoders side by side. [DESIGN §9](../../DESIGN.md) defines the protocols.\n"
        "`python -m ml.cli evaluate` writes this page.\n"
    )
    parts = (f"## {name}\n\n{sections[name]}\n" for name in sorted(sections, key=_natural_order))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([head, *parts]), encoding="utf-8")


def _read_sections(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    sections = path.read_text(encoding="utf-8").split(_HEADING)[1:]
    parted = (section.partition("\n") for section in sections)
    return {name: text.strip("\n") for name, _, text in parted}


def _natural_order(name: str) -> list[str | int]:
    """E2 comes before E10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]
