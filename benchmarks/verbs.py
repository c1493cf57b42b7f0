"""Latency of the three verbs over HTTP, by the size of the gallery."""

from __future__ import annotations

from functools import partial

from benchmarks.bench import Bench
from benchmarks.filled_databases import sqlite_database
from benchmarks.http_client import Connection, request_bytes
from benchmarks.measuring import LOAD_CORE, Timings, on_core, time_calls
from benchmarks.results import Line
from benchmarks.serving import running_server
from benchmarks.strips import KNOWN_PEOPLE, NEW_PEOPLE, enroll_body, identify_body, verify_body

GALLERIES = (100, 1_000, 10_000, 100_000)
_REQUESTS = 300
_WARM_UP = 20


def measure(bench: Bench) -> list[Line]:
    """Measure one client on SQLite. The last line of each gallery is a search right after a change."""
    sizes = GALLERIES[:2] if bench.quick else GALLERIES
    return [line for subjects in bench.track(sizes, "galleries") for line in _of_gallery(bench, subjects)]


def _of_gallery(bench: Bench, subjects: int) -> list[Line]:
    requests = bench.repeat(_REQUESTS)
    with (
        sqlite_database(subjects) as database,
        running_server(database) as server,
        server.connect() as connection,
        on_core(LOAD_CORE),
    ):
        token = database.token
        identify = [
            request_bytes("POST", "/identify", token, identify_body(person)) for person in range(KNOWN_PEOPLE)
        ]
        verify = [
            request_bytes("POST", "/verify", token, verify_body(person))
            for person in range(KNOWN_PEOPLE // 2)
        ]
        enroll = [
            request_bytes("POST", "/enroll", token, enroll_body(NEW_PEOPLE + number, f"new-{number}"))
            for number in range(_WARM_UP + requests // 5)
        ]
        timings = {
            "/verify": _time(bench, connection, verify, requests, "verify"),
            "/identify": _time(bench, connection, identify, requests, "identify"),
        }
        timings["/enroll"], timings["/identify right after an enrollment"] = _in_turn(
            bench, connection, enroll, identify
        )
    return [
        Line(
            f"POST {name}, {subjects:,} subjects, SQLite, one client: p50 (p95 {found.p95_ms:.1f} ms)",
            f"{found.p50_ms:.1f} ms",
            found.p50_ms,
            raw={"subjects": subjects, **found.raw()},
        )
        for name, found in timings.items()
    ]


def _time(bench: Bench, connection: Connection, requests: list[bytes], n: int, what: str) -> Timings:
    taken = []
    for number in bench.track(range(_WARM_UP + n), what):
        taken += time_calls([partial(_ok, connection, requests[number % len(requests)])])
    return Timings(tuple(taken[_WARM_UP:]))


def _in_turn(
    bench: Bench, connection: Connection, enroll: list[bytes], identify: list[bytes]
) -> tuple[Timings, Timings]:
    enrolled, found = [], []
    for number, request in enumerate(bench.track(enroll, "enroll, identify")):
        enrolled += time_calls([partial(_ok, connection, request)])
        found += time_calls([partial(_ok, connection, identify[number % len(identify)])])
    return Timings(tuple(enrolled[_WARM_UP:])), Timings(tuple(found[_WARM_UP:]))


def _ok(connection: Connection, request: bytes) -> None:
    status, body = connection.exchange(request)
    assert status in (200, 201), (status, body)
