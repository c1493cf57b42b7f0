"""Durable enrollment over the cheapest durable thing the same database can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from app.api.schemas.enroll import EnrollAnswer
from app.bootstrap import open_services
from app.domain.captures import EcgStrip
from app.domain.subjects import DEFAULT_GALLERY
from app.services.enrollment import EnrollmentOutcome, EnrollmentRequest
from app.services.idempotency import Rendered
from benchmarks.bare_commits import bare_commits
from benchmarks.bench import Bench
from benchmarks.filled_databases import FilledDatabase, postgres_database, sqlite_database
from benchmarks.http_client import request_bytes
from benchmarks.measuring import LOAD_CORE, SERVER_CORE, Timings, on_core, time_calls
from benchmarks.ready_encoder import ready_encoders
from benchmarks.results import Line
from benchmarks.serving import running_server
from benchmarks.strips import drawn_vectors, enroll_body

SUBJECTS = 10_000
_ROUNDS = 20
_PER_ROUND = 50
_HTTP_REQUESTS = 200


def measure(bench: Bench) -> list[Line]:
    """On both databases: ready templates through the service, then the whole call over HTTP."""
    lines = []
    subjects = bench.gallery(SUBJECTS)
    for name, opened in (("SQLite", sqlite_database), ("PostgreSQL", postgres_database)):
        with opened(subjects) as database:
            lines += [_ready(bench, name, subjects, database), _over_http(bench, name, subjects, database)]
    return lines


def _ready(bench: Bench, name: str, subjects: int, database: FilledDatabase) -> Line:
    """Rounds of enrollments and of bare commits in turn: a disk has moods."""
    rounds = bench.repeat(_ROUNDS) + 1
    requests = iter(_requests(rounds * _PER_ROUND))
    enrolled: list[float] = []
    bare: list[float] = []
    with _enrollments(database) as enroll, bare_commits(database.url) as commit_row, on_core(SERVER_CORE):
        for number in bench.track(range(rounds), f"enroll, {name}"):
            enroll_s = time_calls([partial(enroll, next(requests)) for _ in range(_PER_ROUND)])
            bare_s = time_calls([commit_row] * _PER_ROUND)
            if number:  # The first round warms up.
                enrolled += enroll_s
                bare += bare_s
    enrolls, commits = Timings(tuple(enrolled)), Timings(tuple(bare))
    what = (
        f"{name}, durable enrollments of ready templates through the service ({enrolls.p50_ms:.2f} ms) over a"
        f" loop of one-row INSERT and commit on the driver ({commits.p50_ms:.2f} ms): new subjects,"
        f" {subjects:,} enrolled"
    )
    raw = {"enroll": enrolls.raw(), "bare_commit": commits.raw()}
    ratio = commits.p50_ms / enrolls.p50_ms
    return Line(what, f"{ratio:.3g} ×", ratio, raw=raw)


def _over_http(bench: Bench, name: str, subjects: int, database: FilledDatabase) -> Line:
    with running_server(database) as server, server.connect() as connection, on_core(LOAD_CORE):
        requests = [
            request_bytes("POST", "/enroll", database.token, enroll_body(number % 20, f"http-{number}"))
            for number in range(bench.repeat(_HTTP_REQUESTS))
        ]
        taken = []
        for request in bench.track(requests, f"POST /enroll, {name}"):
            taken += time_calls([partial(_created, connection.exchange, request)])
    timings = Timings(tuple(taken[len(taken) // 10 :]))
    what = (
        f"{name}, POST /enroll of one 20-s strip as JSON, new subjects, {subjects:,} enrolled: p50"
        f" (p95 {timings.p95_ms:.1f} ms)"
    )
    return Line(what, f"{timings.p50_ms:.1f} ms", timings.p50_ms, raw=timings.raw())


def _created(exchange: Callable[[bytes], tuple[int, bytes]], request: bytes) -> None:
    status, body = exchange(request)
    assert status == 201, body


@contextmanager
def _enrollments(database: FilledDatabase) -> Iterator[Callable[[EnrollmentRequest], Rendered]]:
    with open_services(database.settings(), encoders=ready_encoders()) as services:
        caller = services.access.authenticate(f"Bearer {database.token}")

        def enroll(request: EnrollmentRequest) -> Rendered:
            return services.enrollment.enroll(caller, request, render=_render)

        yield enroll


def _render(outcome: EnrollmentOutcome) -> Rendered:
    return Rendered(201, EnrollAnswer.of(outcome).to_bytes())


def _requests(n: int) -> list[EnrollmentRequest]:
    return [
        EnrollmentRequest(DEFAULT_GALLERY, f"ready-{number}", (EcgStrip(vector, 250.0),))
        for number, vector in enumerate(drawn_vectors(n, seed=7))
    ]
