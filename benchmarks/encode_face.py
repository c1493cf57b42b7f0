"""One picture of a face to one vector, from bytes, on one thread."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import cv2

from benchmarks.bench import Bench
from benchmarks.measuring import SERVER_CORE, Timings, on_core, time_calls
from benchmarks.results import Line, at_most
from ml.runtime.bundle import BundleError, default_bundle
from ml.runtime.encoder import BundledEncoder, load_bundle
from ml.runtime.face.drawn_face import drawn_face
from ml.runtime.face.raw_face import RawFace

LIMIT_MS = 35.0
MODELS = Path("models")
_ROUNDS = 50
_PEOPLE = 4


def measure(bench: Bench) -> list[Line]:
    """Measure a photograph of a phone's front camera: 1280×960 as JPEG.

    Raises:
        RuntimeError: No face bundle was fetched.
    """
    try:
        encoder = load_bundle(default_bundle(MODELS, "face"))
    except BundleError as error:
        raise RuntimeError(f"{error}; run: python -m app.cli models fetch face") from error
    taken = _times(encoder, [phone_picture(person) for person in range(_PEOPLE)], bench)
    timings = Timings(tuple(taken))
    what = (
        f"{encoder.encoder_id}: JPEG of 1280×960 pixels from bytes, detection, crop and vector, one thread:"
        f" p50 (p95 {timings.p95_ms:.2f} ms)"
    )
    return [at_most(what, timings.p50_ms, LIMIT_MS, "ms", timings.raw())]


def phone_picture(person: int) -> RawFace:
    """Return a drawn face that fills two thirds of the height of a picture of 1280×960 pixels."""
    face = cv2.resize(drawn_face(person, size=480), (960, 960), interpolation=cv2.INTER_CUBIC)
    whole = cv2.copyMakeBorder(face, 0, 0, 160, 160, cv2.BORDER_REPLICATE)
    _, encoded = cv2.imencode(".jpg", whole, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return RawFace(encoded.tobytes())


def _times(encoder: BundledEncoder, pictures: list[RawFace], bench: Bench) -> list[float]:
    calls = [partial(encoder.encode, picture) for picture in pictures]
    taken: list[float] = []
    with on_core(SERVER_CORE):
        time_calls(calls)  # To warm up.
        for _ in bench.track(range(bench.repeat(_ROUNDS)), "encode-face"):
            taken += time_calls(calls)
    return taken
