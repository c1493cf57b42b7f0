"""One strip to one vector, on one thread."""

from __future__ import annotations

from functools import partial

from benchmarks.bench import Bench
from benchmarks.measuring import SERVER_CORE, Timings, on_core, time_calls
from benchmarks.results import Line, at_most
from benchmarks.strips import FS_HZ, KNOWN_PEOPLE, PROBE_S, ecg_encoder, recording

LIMIT_MS = 8.0
_ROUNDS = 50


def measure(bench: Bench) -> list[Line]:
    """Measure once for both polarities: the encoder settles polarity by an odd functional."""
    encoder = ecg_encoder()
    strips = [recording(person, PROBE_S, session=1) for person in range(KNOWN_PEOPLE)]
    taken: list[float] = []
    with on_core(SERVER_CORE):
        time_calls([partial(encoder.encode, strip) for strip in strips])  # To warm up.
        for _ in bench.track(range(bench.repeat(_ROUNDS)), "encode"):
            taken += time_calls([partial(encoder.encode, strip) for strip in strips])
    timings = Timings(tuple(taken))
    what = (
        f"{encoder.encoder_id}: conditioning, beats and vector of {PROBE_S:g} s at {FS_HZ:g} Hz, either"
        f" polarity, one thread: p50 (p95 {timings.p95_ms:.2f} ms)"
    )
    return [at_most(what, timings.p50_ms, LIMIT_MS, "ms", timings.raw())]
