"""Requests per second under load, relative to the core's rate without HTTP."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from threading import Barrier

from benchmarks.bench import Bench
from benchmarks.filled_databases import sqlite_database
from benchmarks.http_client import request_bytes
from benchmarks.measuring import LOAD_CORE, SERVER_CORE, on_core
from benchmarks.pipeline import BarePipeline, bare_pipeline
from benchmarks.results import Line, at_least
from benchmarks.serving import RunningServer, running_server
from benchmarks.strips import KNOWN_PEOPLE, identify_body

SUBJECTS = 10_000
CLIENTS = 16
LIMIT = 0.8
_ROUNDS = 8
_ROUND_S = 3.0


def measure(bench: Bench) -> list[Line]:
    """Alternate rounds of 16 clients and of the bare loop; medians over the rounds."""
    bodies = [identify_body(person) for person in range(KNOWN_PEOPLE)]
    subjects = bench.gallery(SUBJECTS)
    served: list[float] = []
    looped: list[float] = []
    with (
        sqlite_database(subjects) as database,
        running_server(database) as server,
        bare_pipeline(database) as bare,
    ):
        requests = [request_bytes("POST", "/identify", database.token, body) for body in bodies]
        for number in bench.track(range(bench.repeat(_ROUNDS) + 1), f"{CLIENTS} clients"):
            rates = _serve(server, requests), _loop(bare, bodies)
            if number:  # The first round warms up.
                served.append(rates[0])
                looped.append(rates[1])
    http_hz, bare_hz = (sorted(rates)[len(rates) // 2] for rates in (served, looped))
    what = (
        f"POST /identify with {CLIENTS} keep-alive clients ({http_hz:.0f} requests/s) over the bare pipeline"
        f" looped on that core ({bare_hz:.0f}/s): {subjects:,} subjects, SQLite"
    )
    raw = {"clients": CLIENTS, "round_s": _ROUND_S, "http_hz": served, "pipeline_hz": looped}
    return [at_least(what, http_hz / bare_hz, LIMIT, "×", raw)]


def _serve(server: RunningServer, requests: list[bytes]) -> float:
    """Return requests per second of all clients together."""
    start = Barrier(CLIENTS)

    def client(number: int) -> int:
        count = 0
        with server.connect() as connection:
            start.wait()
            until_s = time.perf_counter() + _ROUND_S
            for request in islice(cycle(requests), number, None):
                status, body = connection.exchange(request)
                assert status == 200, body
                count += 1
                if time.perf_counter() >= until_s:
                    break
        return count

    with on_core(LOAD_CORE), ThreadPoolExecutor(CLIENTS) as pool:
        started_s = time.perf_counter()
        answered = sum(pool.map(client, range(CLIENTS)))
        return answered / (time.perf_counter() - started_s)


def _loop(bare: BarePipeline, bodies: list[bytes]) -> float:
    count = 0
    with on_core(SERVER_CORE):
        started_s = time.perf_counter()
        for body in cycle(bodies):
            bare.identify(body)
            count += 1
            if (taken_s := time.perf_counter() - started_s) >= _ROUND_S:
                return count / taken_s
    raise AssertionError
