"""Time from the start of the process to the first 200 of /readyz."""

from __future__ import annotations

from benchmarks.bench import Bench
from benchmarks.filled_databases import FilledDatabase, postgres_database, sqlite_database
from benchmarks.measuring import Timings, resident_mib
from benchmarks.results import Line, at_most
from benchmarks.serving import running_server

SUBJECTS = 100_000
LIMIT_S = 3.0
_STARTS = 7


def measure(bench: Bench) -> list[Line]:
    """Start once to warm the page cache, as after a restart, then take the median of further starts."""
    lines = []
    subjects = bench.gallery(SUBJECTS)
    for name, opened in (("SQLite", sqlite_database), ("PostgreSQL", postgres_database)):
        with opened(subjects) as database:
            lines.append(_starts(bench, name, subjects, database))
    return lines


def _starts(bench: Bench, name: str, subjects: int, database: FilledDatabase) -> Line:
    taken = []
    memory_mib = 0.0
    for number in bench.track(range((3 if bench.quick else _STARTS) + 1), f"cold start, {name}"):
        with running_server(database) as server:
            if number:
                taken.append(server.cold_start_s)
            memory_mib = resident_mib(server.pid)
    timings = Timings(tuple(taken))
    what = (
        f"{name}, `python -m app.cli serve` until /readyz answers 200, {subjects:,} templates, one core,"
        f" files in the page cache: median of {len(taken)} starts (memory then {memory_mib:.0f} MiB)"
    )
    return at_most(what, timings.p50_ms / 1e3, LIMIT_S, "s", {**timings.raw(), "resident_mib": memory_mib})
