"""Requests with ECG, face and fingerprint, relative to the encodings that they need, one after the other.

The server may use all cores, since it encodes modalities side by side.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.domain.captures import Capture
from benchmarks.bench import Bench
from benchmarks.filled_databases import sqlite_database
from benchmarks.http_client import Connection, request_bytes, to_json
from benchmarks.measuring import SERVER_CORE, Timings, on_core, time_calls
from benchmarks.people import face_capture, kinds_of, print_capture, whole_people
from benchmarks.results import Line, at_most
from benchmarks.serving import running_server
from benchmarks.strips import KNOWN_PEOPLE, NEW_PEOPLE, PROBE_S, known_name, recording, recording_json

SMALL, LIMIT = 100, 1.25
ENROLL_LIMIT = 1.2
BUDGETS_MS = {1_300: 150.0, 10_000: 600.0}
_ROUNDS = 15
_PEOPLE = range(KNOWN_PEOPLE)


@dataclass(frozen=True)
class _Service:
    port: int
    token: str

    def request(self, path: str, body: dict[str, Any]) -> bytes:
        return request_bytes("POST", path, self.token, to_json(body))

    def answers(self, requests: Sequence[bytes], expected: int) -> list[float]:
        """Seconds of each; a connection of its own, since servers close those that rest."""

        def exchange(connection: Connection, request: bytes) -> None:
            status, body = connection.exchange(request)
            assert status == expected, body

        with Connection(self.port) as connection:
            return time_calls([partial(exchange, connection, request) for request in requests])


def measure(bench: Bench) -> list[Line]:
    """Alternate rounds of requests over HTTP and of bare encodings, so that a busy machine slows both.

    Raises:
        RuntimeError: No face bundle was fetched.
    """
    lines = []
    for subjects in (SMALL, *BUDGETS_MS):
        lines += _of_gallery(bench, bench.gallery(subjects), BUDGETS_MS.get(subjects))
    return lines


def _of_gallery(bench: Bench, subjects: int, budget_ms: float | None) -> list[Line]:
    with (
        sqlite_database(subjects, whole_people) as database,
        running_server(database, all_cores=True) as server,
    ):
        service = _Service(server.port, database.token)
        whole = _identifications(bench, service, subjects)
        enrolled = _enrollments(bench, service, subjects)
    return [_identify_line(subjects, *whole, budget_ms), _enroll_line(subjects, *enrolled)]


def _identifications(bench: Bench, service: _Service, subjects: int) -> tuple[Timings, Timings]:
    """Over HTTP and bare."""
    requests = [service.request("/identify", {"recordings": _json(person)}) for person in _PEOPLE]
    encodings = [partial(_encode, _captures(person)) for person in _PEOPLE]
    found: tuple[list[float], list[float]] = ([], [])
    for number in bench.track(range(bench.repeat(_ROUNDS) + 1), f"/identify, {subjects:,} people"):
        took = service.answers(requests, 200), _bare(encodings)
        if number:  # The first round warms up.
            found[0].extend(took[0])
            found[1].extend(took[1])
    return Timings(tuple(found[0])), Timings(tuple(found[1]))


def _enrollments(bench: Bench, service: _Service, subjects: int) -> tuple[Timings, Timings]:
    """Over HTTP and bare; the gallery grows by a few hundred people."""
    encodings = [partial(_encode, [print_capture(person, 1)]) for person in _PEOPLE]
    found: tuple[list[float], list[float]] = ([], [])
    for number in bench.track(range(bench.repeat(_ROUNDS) + 1), f"/enroll, {subjects:,} people"):
        requests = [service.request("/enroll", _enrollment(person, number)) for person in _PEOPLE]
        took = service.answers(requests, 201), _bare(encodings)
        if number:
            found[0].extend(took[0])
            found[1].extend(took[1])
    return Timings(tuple(found[0])), Timings(tuple(found[1]))


def _identify_line(subjects: int, over_http: Timings, bare: Timings, budget_ms: float | None) -> Line:
    ratio = over_http.p50_ms / bare.p50_ms
    captures = "ECG of 10 s, a photograph of 1280×960 and a print of 320×400"
    what = (
        f"POST /identify with {captures}, {subjects:,} people, two cores: p50 {over_http.p50_ms:.1f} ms (p95"
        f" {over_http.p95_ms:.1f}); bare encodings one after the other {bare.p50_ms:.1f} ms: {ratio:.2f} ×"
    )
    raw = {"identify": over_http.raw(), "bare": bare.raw()}
    if budget_ms is None:
        return at_most(what, ratio, LIMIT, "×", raw)
    return at_most(what, over_http.p50_ms, budget_ms, "ms", raw)


def _enroll_line(subjects: int, over_http: Timings, bare: Timings) -> Line:
    what = (
        f"POST /enroll of a print, new people, {subjects:,} enrolled: p50 {over_http.p50_ms:.1f} ms over its"
        f" bare encoding {bare.p50_ms:.1f} ms"
    )
    raw = {"enroll": over_http.raw(), "bare": bare.raw()}
    return at_most(what, over_http.p50_ms / bare.p50_ms, ENROLL_LIMIT, "×", raw)


def _captures(person: int) -> list[Capture]:
    return [recording(person, PROBE_S, session=1), face_capture(person), print_capture(person, 1)]


def _json(person: int) -> list[dict[str, Any]]:
    return [
        recording_json(person),
        {"modality": "face", "image_b64": b64encode(face_capture(person).image).decode()},
        _print_json(person),
    ]


def _print_json(person: int, take: int = 1) -> dict[str, Any]:
    capture = print_capture(person, take)
    return {
        "modality": "fingerprint",
        "dpi": capture.dpi,
        "image_b64": b64encode(capture.image).decode(),
    }


def _enrollment(person: int, number: int) -> dict[str, Any]:
    """Of somebody who is not enrolled."""
    new = NEW_PEOPLE + len(_PEOPLE) * number + person
    return {"subject_id": known_name(new), "recordings": [_print_json(new, take=0)]}


def _encode(captures: Sequence[Capture]) -> None:
    by_modality = {encoder.modality: encoder for encoder in kinds_of(whole_people)}
    for capture in captures:
        by_modality[capture.modality].encode(capture)


def _bare(encodings: Sequence[Callable[[], None]]) -> list[float]:
    with on_core(SERVER_CORE):
        return time_calls(encodings)
