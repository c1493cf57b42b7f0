"""How much faster or slower one checkout is than another, measured in one run.

    python -m benchmarks.releases --old <folder> [--new <folder>] [--gallery 10000] [--json <file>]

Two real servers, each with its own database of the same computed people, take turns in short blocks of equal
requests on core 0, and the next round begins with the other one; so whatever slows the machine slows both.
"""

from __future__ import annotations

import os

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_threads] = "1"  # Before numpy is imported anywhere: every figure here is of one thread.

import argparse  # noqa: E402
import json  # noqa: E402
from collections.abc import Callable, Iterable, Sequence  # noqa: E402
from contextlib import ExitStack  # noqa: E402
from dataclasses import dataclass, field  # noqa: E402
from functools import cache, partial  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, TypeVar  # noqa: E402

import numpy as np  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from benchmarks.checkouts import Checkout  # noqa: E402
from benchmarks.http_client import Connection, request_bytes  # noqa: E402
from benchmarks.measuring import (  # noqa: E402
    LOAD_CORE,
    Timings,
    machine_facts,
    on_core,
    processor_s,
    time_calls,
)
from benchmarks.paths import PROJECT  # noqa: E402
from benchmarks.serving import RunningServer  # noqa: E402
from benchmarks.strips import (  # noqa: E402
    KNOWN_PEOPLE,
    NEW_PEOPLE,
    enroll_body,
    identify_body,
    verify_body,
)

T = TypeVar("T")
GALLERIES = (1_000, 10_000, 100_000)
ROUNDS = 25
TABLE_WIDTH = 120
_PER_BLOCK = {"/verify": 20, "/identify": 20, "/enroll": 10}
AFTER_ENROLLMENTS = "/identify right after enrollments"


@dataclass(frozen=True)
class Block:
    """Equal requests sent to one server one after the other.

    Args:
        seconds: Until each was answered.
        processor_s: What the server's threads spent on processors meanwhile.
    """

    seconds: tuple[float, ...]
    processor_s: float


@dataclass
class Comparison:
    """One call at one gallery size: the blocks of both checkouts, round by round."""

    call: str
    subjects: int
    old: list[Block] = field(default_factory=list)
    new: list[Block] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Median of the new checkout over that of the old one."""
        return timings(self.new).p50_ms / timings(self.old).p50_ms

    @property
    def middle_ratios(self) -> tuple[float, float]:
        """Between which the ratio lies in the middle half of the rounds."""
        pairs = zip(self.old, self.new, strict=True)
        ratios = [np.median(new.seconds) / np.median(old.seconds) for old, new in pairs]
        low, high = np.quantile(ratios, (0.25, 0.75))
        return float(low), float(high)

    @property
    def processor_ratio(self) -> float:
        """The same of the processor time per block: other work on the machine hardly changes it."""
        old, new = ([block.processor_s for block in blocks] for blocks in (self.old, self.new))
        return float(np.median(new) / np.median(old))

    def raw(self) -> dict[str, Any]:
        """For the JSON."""
        return {
            "call": self.call,
            "subjects": self.subjects,
            "new_over_old": round(self.ratio, 4),
            "middle_half_of_rounds": [round(ratio, 4) for ratio in self.middle_ratios],
            "processor_new_over_old": round(self.processor_ratio, 4),
            "old": _raw(self.old),
            "new": _raw(self.new),
        }


def timings(blocks: Sequence[Block]) -> Timings:
    """Of all requests of the blocks."""
    return Timings(tuple(value for block in blocks for value in block.seconds))


def _raw(blocks: Sequence[Block]) -> dict[str, Any]:
    each_ms = [round(1e3 * block.processor_s / len(block.seconds), 4) for block in blocks]
    return timings(blocks).raw() | {"processor_ms_per_request": each_ms}


class _Caller:
    """Sends the same requests to one server as to the other."""

    def __init__(self, server: RunningServer, connection: Connection, token: str) -> None:
        self._pid = server.pid
        self._connection = connection
        self._token = token

    def block(self, path: str, bodies: Iterable[bytes]) -> Block:
        requests = [request_bytes("POST", path, self._token, body) for body in bodies]
        before_s = processor_s(self._pid)
        taken = time_calls([partial(self._succeed, request) for request in requests])
        return Block(tuple(taken), processor_s(self._pid) - before_s)

    def _succeed(self, request: bytes) -> None:
        status, body = self._connection.exchange(request)
        assert status in (200, 201), (status, body)


def compare(old: Checkout, new: Checkout, subjects: int, rounds: int) -> list[Comparison]:
    """Measure all calls at one gallery size; a first round warms up and does not count."""
    calls = (*_PER_BLOCK, AFTER_ENROLLMENTS)
    found = {call: Comparison(call, subjects) for call in calls}
    with ExitStack() as stack:
        callers = []
        for checkout in (old, new):
            server, token = stack.enter_context(checkout.serving(subjects))
            callers.append(_Caller(server, stack.enter_context(server.connect()), token))
        for number in range(rounds + 1):
            for call, path, bodies in round_of_requests(number):
                with on_core(LOAD_CORE):
                    blocks = in_turn(
                        [partial(caller.block, path, bodies) for caller in callers], reverse=number % 2 == 1
                    )
                if number:
                    found[call].old.append(blocks[0])
                    found[call].new.append(blocks[1])
    return list(found.values())


def in_turn(blocks: Sequence[Callable[[], T]], *, reverse: bool) -> list[T]:
    """What each block found, in the order of the blocks, whichever was made first."""
    found = [block() for block in (reversed(blocks) if reverse else blocks)]
    return found[::-1] if reverse else found


def round_of_requests(number: int) -> list[tuple[str, str, list[bytes]]]:
    """Call, path and bodies of the blocks of a round."""
    per_block = _PER_BLOCK["/enroll"]
    newcomers = range(per_block * number, per_block * (number + 1))
    enrollments = [enroll_body(NEW_PEOPLE + newcomer, f"new-{newcomer}") for newcomer in newcomers]
    searches = _search_bodies()
    return [
        ("/verify", "/verify", _verify_bodies()),
        ("/identify", "/identify", searches),
        ("/enroll", "/enroll", enrollments),
        (AFTER_ENROLLMENTS, "/identify", [searches[number % len(searches)]]),
    ]


@cache
def _verify_bodies() -> list[bytes]:
    return [verify_body(place % (KNOWN_PEOPLE // 2)) for place in range(_PER_BLOCK["/verify"])]


@cache
def _search_bodies() -> list[bytes]:
    return [identify_body(place % KNOWN_PEOPLE) for place in range(_PER_BLOCK["/identify"])]


def print_table(console: Console, revisions: tuple[str, str], found: Sequence[Comparison]) -> None:
    columns = (
        "subjects",
        "call",
        "old, p50",
        "new, p50",
        "new ÷ old",
        "half of the rounds",
        "processor time",
    )
    table = Table(*columns, title=f"{revisions[0]} (old) and {revisions[1]} (new)")
    for comparison in found:
        old, new = timings(comparison.old), timings(comparison.new)
        low, high = comparison.middle_ratios
        table.add_row(
            f"{comparison.subjects:,}",
            comparison.call,
            f"{old.p50_ms:.2f} ms",
            f"{new.p50_ms:.2f} ms",
            f"{comparison.ratio:.2f}",
            f"{low:.2f} to {high:.2f}",
            f"{comparison.processor_ratio:.2f}",
        )
    console.print(table)


def main() -> None:
    """Compare two checkouts, print a table, and keep every raw number if a file is named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.releases", description=__doc__)
    parser.add_argument("--old", type=Path, required=True, help="checkout to compare with")
    parser.add_argument("--new", type=Path, default=PROJECT, help="this one if not given")
    parser.add_argument("--gallery", type=int, action="append", help="subjects enrolled; may be repeated")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of blocks in turn")
    parser.add_argument("--json", type=Path, help="where to keep every raw number")
    options = parser.parse_args()
    old, new = Checkout(options.old.resolve()), Checkout(options.new.resolve())
    revisions = (old.revision, new.revision)
    machine = machine_facts()
    found: list[Comparison] = []
    for subjects in options.gallery or GALLERIES:
        found += compare(old, new, subjects, options.rounds)
        if options.json:
            document = {
                "old": revisions[0],
                "new": revisions[1],
                "rounds": options.rounds,
                "machine": machine,
            }
            lines = [comparison.raw() for comparison in found]
            options.json.write_text(json.dumps(document | {"lines": lines}, indent=1) + "\n")
    print_table(Console(width=TABLE_WIDTH), revisions, found)


if __name__ == "__main__":
    main()
