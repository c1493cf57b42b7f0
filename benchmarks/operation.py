"""What strangers and blocked writers cost those who verify: `python -m benchmarks.operation`.

readyz   /verify alone, and beside 16 clients without a key that ask /readyz all the time, 1 000 galleries
writers  /verify within 4 s, alone, and while enrollments wait for a write lock that another process holds
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from benchmarks.filled_databases import FilledDatabase, sqlite_database
from benchmarks.http_client import Connection, request_bytes, to_json
from benchmarks.paths import PROJECT
from benchmarks.serving import RunningServer, running_server
from benchmarks.strips import NEW_PEOPLE, enroll_body, verify_body

SUBJECTS, GALLERIES, STRANGERS, WRITERS = 100, 1_000, 16, 8
LOCKED_S = 4.0


def readyz(database: FilledDatabase, server: RunningServer) -> None:
    """Print the latency of /verify, alone and beside strangers at /readyz."""
    with server.connect() as connection:
        for number in range(GALLERIES):
            body = to_json({"name": f"g{number}"})
            status, _ = connection.exchange(request_bytes("POST", "/galleries", database.token, body))
            assert status == 201, status
        _verify_times(connection, database, 20)
        print(f"/verify alone, {GALLERIES} galleries: {_median_ms(connection, database):.1f} ms")
        for path in ("/healthz", "/readyz"):  # The first costs what any request does.
            with _clients(server, [request_bytes("GET", path)] * STRANGERS) as asked:
                time.sleep(1.0)
                print(
                    f"/verify beside {STRANGERS} at {path}: {_median_ms(connection, database):.1f} ms",
                    end=" ",
                )
            print(f"({len(asked)} answers of {path})")


def writers(database: FilledDatabase, server: RunningServer) -> None:
    """Print how many of one client are verified while others wait for the write lock."""
    requests = [
        request_bytes("POST", "/enroll", database.token, enroll_body(NEW_PEOPLE + n, f"w{n}"))
        for n in range(WRITERS)
    ]
    with server.connect() as connection:
        _verify_times(connection, database, 20)
        print(f"/verify within {LOCKED_S:g} s, nobody writes: {_verified(connection, database)}")
        with closing(sqlite3.connect(database.url.removeprefix("sqlite:///"))) as other:
            other.isolation_level = None
            other.execute("BEGIN IMMEDIATE")
            with _clients(server, requests) as answers:
                time.sleep(0.3)
                print(f"… {WRITERS} wait for the lock: {_verified(connection, database)}", end=" ")
                other.execute("ROLLBACK")
                time.sleep(1.5)
        print(f"(answers to the writers: {sorted(answers)})")


def _verified(connection: Connection, database: FilledDatabase) -> str:
    end_s, done, refused = time.perf_counter() + LOCKED_S, 0, 0
    request = request_bytes("POST", "/verify", database.token, verify_body(0))
    while time.perf_counter() < end_s:
        status, _ = connection.exchange(request)
        done, refused = done + (status == 200), refused + (status != 200)
    return f"{done} verified, {refused} refused"


def _median_ms(connection: Connection, database: FilledDatabase) -> float:
    return 1000 * statistics.median(_verify_times(connection, database, 60))


def _verify_times(connection: Connection, database: FilledDatabase, n: int) -> list[float]:
    request, times = request_bytes("POST", "/verify", database.token, verify_body(0)), []
    for _ in range(n):
        started_s = time.perf_counter()
        status, _ = connection.exchange(request)
        assert status == 200, status
        times.append(time.perf_counter() - started_s)
    return times


@contextmanager
def _clients(server: RunningServer, requests: list[bytes]) -> Iterator[list[int]]:
    """A client for each request, which sends it again and again; the statuses they get."""
    stop, statuses = threading.Event(), []

    def ask(request: bytes) -> None:
        with suppress(OSError), server.connect() as connection:
            while not stop.is_set():
                statuses.append(connection.exchange(request)[0])

    threads = [threading.Thread(target=ask, args=(request,), daemon=True) for request in requests]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, default=PROJECT, help="checkout that serves")
    chosen = parser.parse_args()
    for measure in (writers, readyz):
        with sqlite_database(SUBJECTS) as database, running_server(database, chosen.project) as server:
            measure(database, server)
    return 0


if __name__ == "__main__":
    sys.exit(main())
