"""What a benchmark found: lines of a table, kept as JSON with every raw number."""

from __future__ import annotations

import datetime
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.measuring import machine_facts

JSON_FILE = Path("results/benchmarks.json")
MARKDOWN_FILE = Path("docs/results/benchmarks.md")
INTRODUCTION = """# Speed and memory: every benchmark

How fast is the service, and does it keep its budgets? This page lists every benchmark with its budget. It
is for developers who change something that costs time. [Performance](../performance.md) has the summary for
operators.

**What was measured.** The service ran on core 0 and the load generator on core 1 of one machine. p50 is the
median, p95 the time that 95 % of requests stay within. A ratio compares medians of rounds that alternate,
so that a busy machine disturbs both sides alike.

**How to read the table.** *Budget* is the limit that DESIGN sets, *figure* what was measured, *kept*
whether the figure is within the budget. Lines without a budget are for information. The second table says
when and on which machine each benchmark ran, and whether it had priority over other work (*scheduling*).

**The three figures that matter** are p50 of `POST /verify`, `POST /identify` and `POST /enroll` among
10,000 subjects, in the rows *verbs*.

`make bench` writes this page. [benchmarks.json](../../results/benchmarks.json) has every raw number.
"""


@dataclass(frozen=True)
class Line:
    """One figure.

    Args:
        what: What was measured, so that nobody has to guess.
        figure: As printed, with its unit.
        value: The same as a number, in the unit of the budget.
        budget: As printed; empty if there is none.
        kept: Whether the budget is kept; None without one.
        raw: Every number behind it.
    """

    what: str
    figure: str
    value: float
    budget: str = ""
    kept: bool | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)


def at_most(what: str, value: float, limit: float, unit: str, raw: Mapping[str, Any]) -> Line:
    return Line(
        what, f"{value:.3g} {unit}".strip(), value, f"≤ {limit:g} {unit}".strip(), value <= limit, raw
    )


def at_least(what: str, value: float, limit: float, unit: str, raw: Mapping[str, Any]) -> Line:
    return Line(
        what, f"{value:.3g} {unit}".strip(), value, f"≥ {limit:g} {unit}".strip(), value >= limit, raw
    )


def print_table(console: Console, found: Mapping[str, Sequence[Line]]) -> None:
    table = Table("benchmark", "what was measured", "budget", "figure", "", title="Budgets of DESIGN §10")
    for name, lines in found.items():
        for number, line in enumerate(lines):
            mark = {True: "[green]kept", False: "[bold red]MISSED", None: ""}[line.kept]
            table.add_row("" if number else name, line.what, line.budget, line.figure, mark)
        table.add_section()
    console.print(table)


def save(found: Mapping[str, Sequence[Line]], *, quick: bool) -> None:
    """Replace what was measured this time; what was not stays, with the machine and moment of its own run."""
    for file in (JSON_FILE, MARKDOWN_FILE):
        file.parent.mkdir(parents=True, exist_ok=True)
    kept = json.loads(JSON_FILE.read_text()) if JSON_FILE.exists() else {}
    run = {"at": _now(), "revision": _revision(), "quick": quick, "machine": machine_facts()}
    for name, lines in found.items():
        kept[name] = {"run": run, "lines": [vars(line) | {"raw": dict(line.raw)} for line in lines]}
    ordered = {name: kept[name] for name in sorted(kept)}
    JSON_FILE.write_text(_compact_numbers(json.dumps(ordered, indent=1, ensure_ascii=False)) + "\n")
    MARKDOWN_FILE.write_text(_markdown(ordered))


def _markdown(kept: Mapping[str, Any]) -> str:
    lines = [
        INTRODUCTION,
        "| benchmark | what was measured | budget | figure | kept |",
        "|---|---|---|---|---|",
    ]
    for name, entry in kept.items():
        for line in entry["lines"]:
            mark = {True: "yes", False: "**no**", None: ""}[line["kept"]]
            lines.append(f"| {name} | {line['what']} | {line['budget']} | {line['figure']} | {mark} |")
    lines += [
        "",
        "| benchmark | measured at | revision | cpu | cores | load before | scheduling |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, entry in kept.items():
        run, machine = entry["run"], entry["run"]["machine"]
        load = " ".join(map(str, machine["load_average_before"]))
        quick = " (quick)" if run["quick"] else ""
        facts = (
            name + quick,
            run["at"],
            run["revision"],
            machine["cpu"],
            machine["cores"],
            load,
            machine["scheduling"],
        )
        lines.append(f"| {' | '.join(map(str, facts))} |")
    return "\n".join(lines) + "\n"


def _compact_numbers(text: str) -> str:
    """Arrays of numbers on one line; everything else stays indented."""
    out, inside = [], False
    for line in text.splitlines():
        bare = line.strip()
        is_number = bare.rstrip(",").replace(".", "", 1).replace("-", "").replace("e", "").isdigit()
        if is_number and out and (inside or out[-1].endswith("[")):
            out[-1] += bare + (" " if bare.endswith(",") else "")
            inside = True
        elif inside and bare.startswith("]"):
            out[-1] += bare
            inside = False
        else:
            out.append(line)
            inside = False
    return "\n".join(out)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _revision() -> str:
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "unknown"
