"""Memory growth of the server over many requests."""

from __future__ import annotations

from itertools import cycle

import numpy as np

from benchmarks.bench import Bench
from benchmarks.filled_databases import sqlite_database
from benchmarks.http_client import Connection, request_bytes
from benchmarks.measuring import LOAD_CORE, on_core, resident_mib
from benchmarks.results import Line, at_most
from benchmarks.serving import running_server
from benchmarks.strips import KNOWN_PEOPLE, enroll_body, identify_body, verify_body

SUBJECTS = 1_000
REQUESTS = 10_000
WARM_UP = 1_000
LIMIT_SHARE = 0.02
_EVERY = 250
_PEOPLE = KNOWN_PEOPLE // 2


def measure(bench: Bench) -> list[Line]:
    """Send a mix of calls, and erase each enrolled subject again, so that only leaks can grow."""
    requests = bench.repeat(REQUESTS)
    warm_up = requests // 10
    sizes: dict[int, float] = {}
    with (
        sqlite_database(SUBJECTS) as database,
        running_server(database) as server,
        server.connect() as connection,
        on_core(LOAD_CORE),
    ):
        calls = cycle(_mix(database.token))
        for number in bench.track(range(1, requests + 1), "memory"):
            _call(connection, *next(calls))
            if number >= warm_up and number % _EVERY == 0:
                sizes[number] = resident_mib(server.pid)
    counts, mib = np.array(list(sizes)), np.array(list(sizes.values()))
    slope_mib = float(np.polyfit(counts, mib, 1)[0]) * 1000
    growth = float((mib[-1] - mib[0]) / mib[0])
    what = (
        f"resident memory after {counts[0]:,} requests ({mib[0]:.1f} MiB) and after {counts[-1]:,}"
        f" ({mib[-1]:.1f}): growth; slope {slope_mib:+.2f} MiB per 1,000; 17 identify, 5 verify, 1 enroll,"
        f" 1 erase in turn, {SUBJECTS:,} subjects"
    )
    raw = {"requests": counts.tolist(), "resident_mib": mib.tolist(), "mib_per_1000": slope_mib}
    return [at_most(what, 100 * growth, 100 * LIMIT_SHARE, "%", raw)]


def _mix(token: str) -> list[tuple[bytes, int]]:
    """Return requests and their expected status."""
    identify = [
        (request_bytes("POST", "/identify", token, identify_body(person)), 200)
        for person in range(KNOWN_PEOPLE)
    ]
    verify = [
        (request_bytes("POST", "/verify", token, verify_body(person)), 200) for person in range(_PEOPLE)
    ]
    return [
        (request_bytes("POST", "/enroll", token, enroll_body(_PEOPLE, "passing")), 201),
        *identify[:9],
        *verify[:5],
        *identify[9:17],
        (request_bytes("DELETE", "/subjects/passing", token), 204),
    ]


def _call(connection: Connection, request: bytes, expected: int) -> None:
    status, body = connection.exchange(request)
    assert status == expected, (status, body)
