"""People in the benchmarks' galleries, as encodings: with a heart alone, or with heart, face and finger.

The first ten are computed people whose captures the benchmarks send. The others are drawn, since encoding ten
thousand people takes ten minutes: vectors of ECG with mean and covariance of the encoder's own, faces in
directions of no preference, and prints of some computed fingers whose minutiae are moved so far that nobody
is alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from app.domain.captures import Capture, FaceImage, FingerprintImage
from app.domain.ports.encoders import Encoder
from app.domain.references import Modality
from benchmarks.encode_face import phone_picture
from benchmarks.paths import MODELS
from benchmarks.strips import (
    ENROLLED_S,
    drawn_vectors,
    ecg_encoder,
    encoders,
    enrolled_people,
    known_name,
    recording,
)
from ml.runtime.bundle import default_bundle
from ml.runtime.encoder import BundledEncoder, load_bundle
from ml.runtime.encoding import Encoding
from ml.runtime.evidence import IMAGES, SECONDS, Evidence
from ml.runtime.fingerprint.comparison.detail import write_detail
from ml.runtime.fingerprint.extraction.extractor import extract
from ml.runtime.fingerprint.minutiae import Minutiae
from ml.runtime.fingerprint.preparation import MOST_LOCAL_VECTORS
from ml.synthetic.person import ComputedPerson

DPI = 500
FINGER = "right_index"
_QUALITY = (0.6, 1.0)
_FINGERS_BEHIND_PRINTS = 60
_MOVED_PX, _TURNED = 12.0, 0.5
"""Standard deviations of what makes a drawn print of a computed one."""


@dataclass(frozen=True)
class EnrolledPeople:
    """Names and encodings, one of each encoder.

    Args:
        encoders: Whose.
        subjects: How many.
        encoded: Of the number of a subject.
    """

    encoders: Sequence[Encoder]
    subjects: int
    encoded: Callable[[int], tuple[Encoding, ...]]

    def __iter__(self) -> Iterator[tuple[str, tuple[Encoding, ...]]]:
        for number in range(self.subjects):
            name = known_name(number) if number in enrolled_people() else f"drawn-{number}"
            yield name, self.encoded(number)


MakePeople = Callable[[int], EnrolledPeople]
"""A number of subjects → who they are: `hearts` or `whole_people`."""


def hearts(subjects: int) -> EnrolledPeople:
    """People with ECG alone."""
    drawn = drawn_vectors(subjects)
    return EnrolledPeople([ecg_encoder()], subjects, lambda number: (_heart(number, drawn),))


def whole_people(subjects: int) -> EnrolledPeople:
    """People with ECG, face and fingerprint.

    Raises:
        RuntimeError: No face bundle was fetched.
    """
    drawn = drawn_vectors(subjects)
    used = kinds_of(whole_people)
    return EnrolledPeople(
        used, subjects, lambda number: (_heart(number, drawn), _face(number), _print(number))
    )


def kinds_of(make: MakePeople) -> list[Encoder]:
    """Return the encoders of `hearts` or `whole_people`, without making anybody."""
    wanted = (Modality.ECG,) if make is hearts else tuple(Modality)
    found = [one for modality in wanted if (one := encoders().default(modality)) is not None]
    if len(found) < len(wanted):
        raise RuntimeError("no bundle for every modality; run: python -m app.cli models fetch face")
    return found


def face_capture(person: int) -> FaceImage:
    """A known person's photograph of a phone's front camera."""
    return FaceImage(phone_picture(person).image)


def print_capture(person: int, take: int = 0) -> FingerprintImage:
    """A known person's print of 320×400 pixels, as PNG."""
    pressed = ComputedPerson(person).finger(FINGER).impression(take, quality="normal")
    _, encoded = cv2.imencode(".png", pressed.image)
    return FingerprintImage(encoded.tobytes(), dpi=pressed.dpi)


def captures(person: int, seconds: float, take: int) -> list[Capture]:
    """All three of a known person."""
    return [recording(person, seconds, session=take), face_capture(person), print_capture(person, take)]


def _heart(number: int, drawn: np.ndarray) -> Encoding:
    if number in enrolled_people():
        return ecg_encoder().encode(recording(number, ENROLLED_S, session=0))
    return Encoding(drawn[number], Evidence(ENROLLED_S, SECONDS, _quality(number)))


def _face(number: int) -> Encoding:
    encoder = encoders().default(Modality.FACE)
    assert encoder is not None
    if number in enrolled_people():
        return encoder.encode(face_capture(number))
    vector = np.random.default_rng([1, number]).standard_normal(encoder.vector_size)
    return Encoding((vector / np.linalg.norm(vector)).astype(np.float32), _image(number))


def _print(number: int) -> Encoding:
    encoder = encoders().default(Modality.FINGERPRINT)
    assert encoder is not None
    if number in enrolled_people():
        return encoder.encode(print_capture(number))
    generator = np.random.default_rng([2, number])
    one = _minutiae()[number % _FINGERS_BEHIND_PRINTS]
    moved = Minutiae(
        (one.xy + generator.normal(0.0, _MOVED_PX, one.xy.shape)).astype(np.float32),
        ((one.direction + generator.normal(0.0, _TURNED, len(one))) % (2 * np.pi)).astype(np.float32),
        one.quality,
    )
    written = write_detail(moved, dpi=DPI, quality=_quality(number))
    bundle = _print_bundle()
    outputs = bundle.infer({"cylinders": written.fillings[:MOST_LOCAL_VECTORS]})
    assert outputs.local is not None
    return Encoding(
        bundle.finish(outputs.vectors)[0],
        _image(number),
        detail=written.detail,
        local=bundle.finish(outputs.local[np.any(outputs.local != 0.0, axis=1)]),
    )


@lru_cache(maxsize=1)
def _print_bundle() -> BundledEncoder:
    return load_bundle(default_bundle(MODELS, "fingerprint"))


@lru_cache(maxsize=1)
def _minutiae() -> list[Minutiae]:
    """Of computed fingers of nobody else."""
    found = []
    for person in range(1_000, 1_000 + _FINGERS_BEHIND_PRINTS):
        pressed = ComputedPerson(person).finger(FINGER).impression(0, quality="normal")
        found.append(extract(pressed.image, float(pressed.dpi)).minutiae)
    return found


def _image(number: int) -> Evidence:
    return Evidence(1.0, IMAGES, _quality(number))


def _quality(number: int) -> float:
    return float(np.random.default_rng([3, number]).uniform(*_QUALITY))
