"""Overhead of HTTP: an identification over HTTP, relative to the bare pipeline."""

from __future__ import annotations

from functools import partial

from benchmarks.bench import Bench
from benchmarks.filled_databases import sqlite_database
from benchmarks.http_client import request_bytes
from benchmarks.measuring import LOAD_CORE, SERVER_CORE, Timings, on_core, time_calls
from benchmarks.pipeline import bare_pipeline
from benchmarks.results import Line, at_most
from benchmarks.serving import running_server
from benchmarks.strips import KNOWN_PEOPLE, identify_body

SUBJECTS = 10_000
LIMIT = 1.25
_ROUNDS = 30


def measure(bench: Bench) -> list[Line]:
    """Alternate rounds of 20 probes over HTTP and 20 in process, so that a busy machine slows both."""
    bodies = [identify_body(person) for person in range(KNOWN_PEOPLE)]
    subjects = bench.gallery(SUBJECTS)
    over_http: list[float] = []
    in_process: list[float] = []
    with (
        sqlite_database(subjects) as database,
        running_server(database) as server,
        bare_pipeline(database) as bare,
        server.connect() as connection,
    ):
        requests = [request_bytes("POST", "/identify", database.token, body) for body in bodies]
        status, _ = connection.exchange(requests[0])
        assert status == 200
        for number in bench.track(range(bench.repeat(_ROUNDS) + 2), f"/identify, {subjects:,} subjects"):
            with on_core(LOAD_CORE):
                http_s = time_calls([partial(connection.exchange, request) for request in requests])
            with on_core(SERVER_CORE):
                bare_s = time_calls([partial(bare.identify, body) for body in bodies])
            if number >= 2:  # Two rounds to warm up.
                over_http += http_s
                in_process += bare_s
    http, pipeline = Timings(tuple(over_http)), Timings(tuple(in_process))
    ratio = http.p50_ms / pipeline.p50_ms
    what = (
        f"p50 of POST /identify ({http.p50_ms:.2f} ms; p95 {http.p95_ms:.2f}) over the bare pipeline in"
        f" process ({pipeline.p50_ms:.2f} ms: parse, SQL, encode, search, decide): 10 s of ECG at 250 Hz as"
        f" JSON ({len(bodies[0]) / 1000:.0f} kB), {subjects:,} subjects, SQLite, one client"
    )
    return [at_most(what, ratio, LIMIT, "×", {"http": http.raw(), "pipeline": pipeline.raw()})]
