"""Cost of activity recognition: within a decision, and for an hour of ECG."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from functools import partial

import numpy as np

from app.domain.activity import ActivityRecognizer, ActivitySegment, Pieces
from app.domain.captures import EcgFacts, EcgStrip
from benchmarks.bench import Bench
from benchmarks.measuring import SERVER_CORE, Timings, on_core, time_calls
from benchmarks.results import Line
from benchmarks.strips import KNOWN_PEOPLE, PROBE_S, ecg_encoder, recognizer, recording

_ROUNDS = 20
_HOUR_FS_HZ = 500.0
_MINUTES = 60


def measure(bench: Bench) -> list[Line]:
    """Return no lines if `models/` holds no activity bundle."""
    found = recognizer()
    if found is None:
        return []
    with on_core(SERVER_CORE):
        return [_in_a_decision(bench, found), *_of_an_hour(bench, found)]


def _in_a_decision(bench: Bench, found: ActivityRecognizer) -> Line:
    encoder = ecg_encoder()
    probes = [recording(person, PROBE_S, session=1) for person in range(KNOWN_PEOPLE)]
    facts = [encoder.encode(probe).facts for probe in probes]
    strips = [one.strip for one in facts if isinstance(one, EcgFacts)]
    calls: dict[str, list[Callable[[], object]]] = {
        "encode": [partial(encoder.encode, probe) for probe in probes],
        "activity": [partial(found.estimate, strip) for strip in strips],
    }
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in bench.track(range(bench.repeat(_ROUNDS)), "activity of a probe"):
        for name, each in calls.items():
            taken[name] += time_calls(each)
    head, encode = Timings(tuple(taken["activity"])), Timings(tuple(taken["encode"]))
    share = head.p50_ms / encode.p50_ms
    what = (
        f"{found.card.encoder_id}: activity of {PROBE_S:g} s that {encoder.encoder_id} has conditioned, one"
        f" thread: p50 (p95 {head.p95_ms:.2f} ms; {share:.2f} × encoding)"
    )
    return Line(what, f"{head.p50_ms:.3g} ms", head.p50_ms, raw=head.raw() | {"ratio_to_encoding": share})


def _of_an_hour(bench: Bench, found: ActivityRecognizer) -> list[Line]:
    minutes = bench.repeat(_MINUTES)
    minute = recording(0, 60.0, session=1, fs_hz=_HOUR_FS_HZ).signal
    strip = EcgStrip(np.tile(minute, minutes), _HOUR_FS_HZ)
    taken = _piece_seconds(found.timeline(strip, None))
    tracemalloc.start()
    _piece_seconds(found.timeline(strip, None))
    peak_mib = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    about = f"{found.card.encoder_id}: timeline of {minutes} minutes at {_HOUR_FS_HZ:g} Hz, one thread: "
    longest_ms = 1e3 * max(taken)
    raw = Timings(tuple(taken)).raw()
    return [
        Line(about + "all of it", f"{sum(taken):.3g} s", sum(taken), raw=raw),
        Line(about + "longest piece, which others wait for", f"{longest_ms:.3g} ms", longest_ms, raw=raw),
        Line(about + "memory beyond the strip itself", f"{peak_mib:.3g} MiB", peak_mib),
    ]


def _piece_seconds(pieces: Pieces[tuple[ActivitySegment, ...]]) -> list[float]:
    """Duration of each piece."""
    taken = []
    while True:
        started_s = time.perf_counter()
        ended = next(pieces, "ended") == "ended"
        taken.append(time.perf_counter() - started_s)
        if ended:
            return taken
