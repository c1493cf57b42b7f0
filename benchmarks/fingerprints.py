"""Fingerprints on one thread: a picture to its template, and comparisons of templates that are open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.bench import Bench
from benchmarks.measuring import SERVER_CORE, Timings, on_core, time_calls
from benchmarks.results import Line, at_most
from ml.runtime.bundle import default_bundle
from ml.runtime.details import DetailComparer
from ml.runtime.encoder import BundledEncoder, load_bundle
from ml.runtime.fingerprint.raw_fingerprint import RawFingerprint
from ml.synthetic.fingerprint import ComputedFinger

FloatArray = NDArray[np.float64]

ENCODE_MS = 60.0
COMPARE_MS = 0.5
MODELS = Path("models")
DPI = 500
_FINGERS = 16
_TAKES = 3
_ROUNDS = 30


@dataclass(frozen=True, repr=False)
class OpenTemplates:
    """Templates of fingers: the last impression of each is the probe, those before are enrolled."""

    comparer: DetailComparer
    by_finger: Sequence[Sequence[object]]

    def single(self, *, mated: bool) -> list[Callable[[], FloatArray]]:
        """One probe against one reference at a time."""
        references = self.by_finger if mated else [*self.by_finger[1:], self.by_finger[0]]
        return [
            partial(self.comparer.compare, [own[-1]], [[other[0]]])
            for own, other in zip(self.by_finger, references, strict=True)
        ]

    def batched(self) -> list[Callable[[], FloatArray]]:
        """Each probe against all that are enrolled, as a search compares its shortlist."""
        enrolled = [[template] for templates in self.by_finger for template in templates[:-1]]
        return [partial(self.comparer.compare, [own[-1]], enrolled) for own in self.by_finger]

    @property
    def batch(self) -> int:
        """Comparisons of one call of `batched`."""
        return sum(len(templates) - 1 for templates in self.by_finger)


def measure(bench: Bench) -> list[Line]:
    """Measure computed impressions of 320×400 pixels at 500 dpi, from bytes.

    Raises:
        RuntimeError: The bundle does not compare details.
    """
    encoder = load_bundle(default_bundle(MODELS, "fingerprint"))
    if encoder.comparer is None:
        raise RuntimeError(f"{encoder.encoder_id} does not compare details")
    fingers = _pictures(bench.repeat(_FINGERS), bench)
    firsts = [pictures[0] for pictures in fingers]
    details = [[_detail(encoder, picture) for picture in pictures] for pictures in fingers]
    opened = OpenTemplates(
        encoder.comparer, [[encoder.comparer.open(one) for one in each] for each in details]
    )
    opening = [partial(encoder.comparer.open, each[0]) for each in details]
    name, batch = encoder.encoder_id, opened.batch
    picture = f"{name}: PNG of 320×400 pixels from bytes to minutiae, detail and vectors, one thread"
    many = f"{name}: one of {batch} comparisons with open templates at once, one thread"
    return [
        _line(picture, [partial(encoder.encode, one) for one in firsts], ENCODE_MS, bench),
        _line(f"{name}: opening a stored detail, one thread", opening, None, bench),
        _line(
            f"{name}: one comparison of mates, open templates", opened.single(mated=True), COMPARE_MS, bench
        ),
        _line(
            f"{name}: one comparison of strangers, likewise", opened.single(mated=False), COMPARE_MS, bench
        ),
        _line(many, opened.batched(), COMPARE_MS, bench, each=batch),
    ]


def _pictures(fingers: int, bench: Bench) -> list[list[RawFingerprint]]:
    drawn = map(ComputedFinger.draw, range(fingers))
    return [
        [_picture(finger, take) for take in range(_TAKES)]
        for finger in bench.track(drawn, "computing fingers", fingers)
    ]


def _picture(finger: ComputedFinger, take: int) -> RawFingerprint:
    _, encoded = cv2.imencode(".png", finger.impression(take, quality="normal").image)
    return RawFingerprint(encoded.tobytes(), DPI)


def _detail(encoder: BundledEncoder, picture: RawFingerprint) -> bytes:
    detail = encoder.encode(picture).detail
    assert detail is not None
    return detail


def _line(
    what: str, calls: Sequence[Callable[[], object]], limit_ms: float | None, bench: Bench, each: int = 1
) -> Line:
    taken: list[float] = []
    with on_core(SERVER_CORE):
        time_calls(calls)  # To warm up.
        for _ in bench.track(range(bench.repeat(_ROUNDS)), "fingerprints"):
            taken += time_calls(calls)
    timings = Timings(tuple(second / each for second in taken))
    text = f"{what}: p50 (p95 {timings.p95_ms:.3g} ms)"
    if limit_ms is None:
        return Line(text, f"{timings.p50_ms:.3g} ms", timings.p50_ms, raw=timings.raw())
    return at_most(text, timings.p50_ms, limit_ms, "ms", timings.raw())
