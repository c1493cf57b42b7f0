"""Synthetic ECG: the people in the benchmarks' galleries, and their probes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from app.adapters.activity import BundleRecognizer, load_recognizer
from app.adapters.encoders import LoadedEncoders, load_encoders
from app.domain.captures import EcgStrip
from app.domain.ports.encoders import Encoder
from app.domain.references import Modality, Vector
from benchmarks.http_client import to_json
from benchmarks.paths import MODELS
from ml.synthetic.ecg import SyntheticPerson

FS_HZ = 250.0
PROBE_S = 10.0
ENROLLED_S = 20.0
KNOWN_PEOPLE = 20
"""People with strips; half of them are enrolled in every gallery, half are not."""
NEW_PEOPLE = 2000
"""From this number on, people are in no gallery."""
_PEOPLE_BEHIND_VECTORS = 300


@lru_cache(maxsize=1)
def encoders() -> LoadedEncoders:
    return load_encoders(MODELS, {})


@lru_cache(maxsize=1)
def recognizer() -> BundleRecognizer | None:
    return load_recognizer(MODELS)


def ecg_encoder() -> Encoder:
    found = encoders().default(Modality.ECG)
    assert found is not None
    return found


def recording(person: int, seconds: float, session: int, seed: int = 0, *, fs_hz: float = FS_HZ) -> EcgStrip:
    """A strip of a known person as the encoder takes it."""
    strip = SyntheticPerson.draw(person).record(seconds, fs_hz, session=session, seed=seed)
    return EcgStrip(strip, fs_hz)


def recording_json(person: int, seconds: float = PROBE_S, session: int = 1, seed: int = 0) -> dict[str, Any]:
    """The same as the API takes it: millivolts with four decimals."""
    strip = recording(person, seconds, session, seed).signal
    return {
        "modality": "ecg",
        "fs_hz": 250,
        "unit": "mV",
        "signal": np.round(strip.astype(float), 4).tolist(),
    }


def identify_body(person: int) -> bytes:
    return to_json({"recordings": [recording_json(person)]})


def verify_body(person: int) -> bytes:
    return to_json({"subject_id": known_name(person), "recordings": [recording_json(person)]})


def enroll_body(person: int, subject_id: str) -> bytes:
    return to_json({"subject_id": subject_id, "recordings": [recording_json(person, ENROLLED_S, session=0)]})


def known_name(person: int) -> str:
    return f"known-{person}"


def enrolled_people() -> range:
    return range(KNOWN_PEOPLE // 2)


def drawn_vectors(n: int, seed: int = 20261120) -> Vector:
    """Draw unit vectors with mean and covariance of real encodings: float32, shape (n, d)."""
    mean, root = _spread()
    normal = np.random.default_rng(seed).standard_normal((n, mean.size))
    vectors = mean + normal @ root
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


@lru_cache(maxsize=1)
def _spread() -> tuple[np.ndarray, np.ndarray]:
    encoder = ecg_encoder()
    found = np.stack(
        [encoder.encode(recording(1000 + i, PROBE_S, 0)).vector for i in range(_PEOPLE_BEHIND_VECTORS)]
    ).astype(np.float64)
    values, axes = np.linalg.eigh(np.cov(found, rowvar=False))
    return found.mean(axis=0), (axes * np.sqrt(np.maximum(values, 0.0))).T
