"""Cells of Markdown tables: shares, counts and rates with intervals, written alike on every page."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]

NOT_MEASURED = "not measured"


def count_cell(share: Json) -> str:
    """Write a share as a count of a whole."""
    return f"{share['count']}/{share['n']}"


def rate_cell(value: float, interval: Sequence[float], digits: int = 1) -> str:
    """Write a share in percent with its 95 % interval."""
    low, high = (100 * end for end in interval)
    return f"{100 * value:.{digits}f} % ({low:.{digits}f}–{high:.{digits}f})"


def over_nominal_cell(share: Json, nominal: float) -> str:
    """Write a measured rate relative to the stated one; as counts where the data do not resolve it."""
    if not share["resolvable"]:
        return f"not resolvable ({share['count']} of {share['n']}, {share['n'] * nominal:.0f} nominal)"
    return f"{share['value'] / nominal:.2f}"


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a Markdown table."""
    lines = [f"| {' | '.join(line)} |\n" for line in (columns, *rows)]
    # No spaces: the README counts its words, and each dash would be one.
    return f"{lines[0]}|{'---|' * len(columns)}\n{''.join(lines[1:])}"
