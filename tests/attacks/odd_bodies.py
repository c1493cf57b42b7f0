"""A grammar of odd bodies, and what the service spends on each: run as a process of its own.

    python -m tests.attacks.odd_bodies sqlite:///…/pulseprint.db WHICH

A body is one *filler*, repeated until the body is as large as its route allows, at one *place* of a request.
Fillers that the service counts are repeated densely, and as often as it lets pass, spread over the body.
"""

from __future__ import annotations

import ctypes
import gc
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Final

MIB: Final = 1024 * 1024
ROUTES: Final = {
    "/enroll": 8 * MIB,
    "/activity": 8 * MIB,
    "/verify": 4 * MIB,
    "/identify": 4 * MIB,
    "/quality": 4 * MIB,
    "/galleries": 4 * MIB,
}
# As often as the service lets pass.
CONTAINERS, STRINGS, NUMBERS = 1_990, 4_900, 300_000

# Those that cost most before parts were counted: always in the sample.
KNOWN: Final = {
    ("text: 'a' closed", "/enroll"),
    ("text: '\\\\n' closed", "/enroll"),
    ("text: '\\\\\"' closed", "/verify"),
    ("name of a field: '\\xf0\\x9f\\x98\\x80' closed", "/enroll"),
    ("base64 of a recording: 'AAAA' closed", "/activity"),
    ("signal: '0,' closed", "/enroll"),
    ("signal: '0.12345678901234567,' spread", "/enroll"),
    ("signal of a recording: '12345678901234567890' closed", "/enroll"),
    ("list: '\"\",' closed", "/verify"),
    ("list: '[],' closed", "/verify"),
    ("after a full signal: 'a' closed", "/verify"),
}

_ECG = b'{"modality":"ecg","fs_hz":500,"unit":"mV","lead":"I"'
_IN_STRINGS: Final = [
    b"a", b"AAAA", b"A-_A", b"====", b"\\n", b"\\\\", b'\\"', b"\\u0041", b"\\u002B", b"\\ud83d\\ude00",
    b"\\ud800", b"\\u", b"\\", b'"', b"\xc3\xa9", b"\xf0\x9f\x98\x80", b"\xff", b"\xed\xa0\x80", b"\x00",
    b" ",
]  # fmt: skip
_CONTAINERS: Final = [
    b"[", b"{", b'{"":', b"[]", b"{}", b"[],", b"{},", b"[1],", b"[[],[]],", b'{"modality":"ecg"},',
    b'{"a":{"a":1}},', b'{"signal":[0,0],"signal":[0,0]},', _ECG + b"},", _ECG + b',"signal":[0]},',
]  # fmt: skip
_STRINGS: Final = [b'"', b'""', b'"",', b'"a"', b'"a":1,', b'"NaN",', b'"\\"",', b'"\\\\",', b'"signal":0,']
_NUMBERS: Final = [
    b"0,", b"1,", b"-1,", b"1e999,", b"0.12345678901234567,", b"123456789012345678901234567890,",
    b"1" * 4_000 + b",", b"0." + b"1" * 4_000 + b",", b"1" * 5_000 + b",", b"NaN,", b"-Infinity,", b"null,",
    b"true,", b"nul,", b",",
]  # fmt: skip
_OTHERS: Final = [b"1", b"0.", b"1e", b"-", b"N", b":", b"]", b"}", b"\n", b"/", b"\xef\xbb\xbf"]

_COUNTED: Final = ((_CONTAINERS, CONTAINERS), (_STRINGS, STRINGS), (_NUMBERS, NUMBERS))

# What stands before; the string, array or object that it leaves open takes the filler.
_STRING_PLACES: Final = {
    "text": b'"',
    "name of a field": b'{"',
    "unknown field": b'{"x":"',
    "subject": b'{"subject_id":"',
    "gallery": b'{"subject_id":"a","gallery":"',
    "gallery's name": b'{"name":"',
    "kind": b'{"name":"a","policy":{"kind":"',
    "modality": b'{"subject_id":"a","recordings":[{"modality":"',
    "lead": b'{"subject_id":"a","recordings":[' + _ECG[:-2],
    "time": b'{"subject_id":"a","recordings":[' + _ECG + b',"captured_at":"',
    "base64": b'{"subject_id":"a","recordings":[' + _ECG + b',"dtype":"float32","signal_b64":"',
    "base64 of a recording": b'{"recording":' + _ECG + b',"dtype":"int16","signal_b64":"',
    "image": b'{"subject_id":"a","recordings":[{"modality":"face","image_b64":"',
    "after a full signal": b'{"recordings":[' + _ECG + b',"signal":[' + b"0," * 299_900 + b'0],"x":"',
}  # fmt: skip
_OTHER_PLACES: Final = {
    "document": b"",
    "list": b"[",
    "object": b"{",
    "recordings": b'{"subject_id":"a","recordings":[',
    "recording": b'{"recording":',
    "fields": b'{"subject_id":"a","recordings":[' + _ECG + b",",
    "signal": b'{"subject_id":"a","recordings":[' + _ECG + b',"signal":[',
    "signal of a recording": b'{"recording":' + _ECG + b',"signal":[',
    "rate": b'{"subject_id":"a","recordings":[{"modality":"ecg","fs_hz":',
    "policy": b'{"name":"a","policy":',
}


@dataclass(frozen=True)
class OddBody:
    """One body of the grammar, made when it is needed."""

    name: str
    route: str
    make: Callable[[], bytes]


@dataclass(frozen=True)
class Cost:
    """What one request cost the service."""

    name: str
    route: str
    body_mib: float
    status: int
    code: str
    peak_mib: float
    cpu_s: float

    @property
    def allowed_mib(self) -> float:
        return 4 * self.body_mib + 32


def grammar() -> Iterator[OddBody]:
    """All odd bodies, of all routes."""
    for place, before in _STRING_PLACES.items():
        closing = b'"' + _closing(before + b'"')
        for (route, size), filler in product(ROUTES.items(), _IN_STRINGS):
            for end in (closing, b""):
                yield _odd(route, size, place, (before, filler, end))
    for place, before in _OTHER_PLACES.items():
        end = b"0" + _closing(before)
        for route, size in ROUTES.items():
            for fillers, at_most in (*_COUNTED, (_OTHERS, None)):
                for filler in fillers:
                    yield _odd(route, size, place, (before, filler, end))
                    if at_most is not None:
                        yield _odd(route, size, place, (before, filler, end), at_most)


def legitimate() -> Iterator[OddBody]:
    """The largest requests of the contract: all the seconds it allows, as numbers and as base64."""
    numbers = _ECG + b',"signal":[' + b",".join(b"%d.%04d" % (n % 3, n % 9973) for n in range(60_000)) + b"]}"
    at_2000_hz = (
        _ECG.replace(b"500", b"2000") + b',"dtype":"float32","signal_b64":"' + b"AAAA" * 320_000 + b'"}'
    )
    for route, n_strips in (("/enroll", 5), ("/verify", 2), ("/identify", 2), ("/quality", 2)):
        before = (
            b'{"subject_id":"a","recordings":[' if route in ("/enroll", "/verify") else b'{"recordings":['
        )
        for name, strip in (("numbers", numbers), ("base64", at_2000_hz)):
            body = before + b",".join([strip] * n_strips) + b"]}"
            yield OddBody(name, route, partial(bytes, body))
    hour = _ECG + b',"dtype":"int16","signal_b64":"' + b"AAAA" * 1_200_000 + b'"}'
    yield OddBody("an hour", "/activity", partial(bytes, b'{"recording":' + hour + b"}"))


def _odd(
    route: str, size: int, place: str, parts: tuple[bytes, bytes, bytes], at_most: int | None = None
) -> OddBody:
    before, filler, end = parts

    def make() -> bytes:
        room = size - len(before) - len(end)
        # Padding is not counted: so a filler stands as often as it may, over all of the body.
        padding = 0 if at_most is None else room // at_most - len(filler)
        unit = filler + b" " * padding
        return before + unit * (room // len(unit)) + end

    shown = repr(filler[:20])[1:]
    kind = "spread" if at_most is not None else ("closed" if end else "open")
    return OddBody(f"{place}: {shown} {kind}", route, make)


def _closing(before: bytes) -> bytes:
    """The brackets that close what a beginning has opened."""
    opened: list[int] = []
    for mark in b"".join(before.split(b'"')[::2]):
        if mark in b"[{":
            opened.append(mark)
        elif mark in b"]}":
            opened.pop()
    closing = bytes(mark + 2 for mark in reversed(opened))  # In ASCII ] comes two after [, and } after {.
    return b":1" + closing if before.endswith(b'{""') else closing


def _status_mib(field: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise AssertionError(field)


def _settle() -> float:
    """Return back what is free, forget the peak; what is resident now, in MiB."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    return _status_mib("VmRSS")


def _chunks(body: bytes) -> Callable[[], object]:
    sent = 0

    async def receive() -> dict[str, object]:
        nonlocal sent
        chunk = body[sent : sent + 65_536]
        sent += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": sent < len(body)}

    return receive


def main(database_url: str, which: str) -> None:
    """Print the cost of every body.

    Args:
        database_url: A migrated database.
        which: `all`, the number of a sample, or `legitimate` for the largest honest ones.
    """
    from tests.api.application import Exchange, open_api

    bodies = list(legitimate() if which == "legitimate" else grammar())
    if which.isdecimal():
        sample = random.Random(12).sample(bodies, int(which))
        bodies = [body for body in bodies if (body.name, body.route) in KNOWN] + sample
    with open_api(database_url) as api:

        def spend(odd: OddBody) -> Cost:
            body = odd.make()
            before_mib = _settle()
            started_s = time.process_time()
            exchange = Exchange(api, path=odd.route).run(_chunks(body))
            cpu_s = time.process_time() - started_s
            peak_mib = _status_mib("VmHWM") - before_mib
            code = exchange.problem["code"] if exchange.status >= 400 else ""
            return Cost(odd.name, odd.route, len(body) / MIB, exchange.status, code, peak_mib, cpu_s)

        honest = b'{"subject_id":"a","recordings":[' + _ECG + b',"signal":[0,1]}]}'
        for route in ROUTES:  # What a first request loads is no cost of the body.
            spend(OddBody("warm-up", route, partial(bytes, honest)))
        gc.collect()
        gc.freeze()  # Collecting it again and again would take most of the time.
        resident_mib = _settle()
        for odd in bodies:
            cost = spend(odd)
            if cost.cpu_s > 0.2:  # Caches are shared: what counts is what it takes undisturbed.
                cost = min(cost, spend(odd), key=lambda cost: cost.cpu_s)
            sys.stdout.write(json.dumps(asdict(cost)) + "\n")
        time.sleep(0.2)  # On a busy machine a thread lets go of its last job only after the answer.
        sys.stdout.write(json.dumps({"kept_mib": _settle() - resident_mib}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
