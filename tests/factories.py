"""Valid things to start a test from."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from tests.fakes import PATTERN_SAMPLES

FS_HZ = 100.0


def strip(person: int, take: int = 0, *, seconds: float = 3.2, noise: float = 0.3) -> np.ndarray:
    """An ECG of a fake person: its pattern again and again, with noise of its own in every take.

    Returns:
        Millivolts at 100 Hz, float64 rounded to 4 decimals, shape (round(100 · seconds),).
    """
    pattern = np.random.default_rng([1, person]).standard_normal(PATTERN_SAMPLES)
    n_samples = round(seconds * FS_HZ)
    clean = np.resize(pattern, n_samples)
    noisy = clean + noise * np.random.default_rng([2, person, take]).standard_normal(n_samples)
    return np.round(noisy, 4)


def ecg(person: int, take: int = 0, **shape: float) -> dict[str, Any]:
    """A recording of a fake person, as JSON."""
    signal = strip(person, take, **shape).tolist()
    return {"modality": "ecg", "fs_hz": FS_HZ, "unit": "mV", "signal": signal}


def ecg_bytes(person: int, take: int = 0, *, dtype: str = "int16") -> dict[str, Any]:
    """The same as base64: microvolts as int16, or millivolts as float32."""
    millivolts = strip(person, take)
    samples = (millivolts * 1000).astype("<i2") if dtype == "int16" else millivolts.astype("<f4")
    return {
        "modality": "ecg",
        "fs_hz": FS_HZ,
        "unit": "uV" if dtype == "int16" else "mV",
        "signal_b64": base64.b64encode(samples.tobytes()).decode(),
        "dtype": dtype,
    }


def flat_ecg(seconds: float = 4.0) -> dict[str, Any]:
    """A strip without an electrode."""
    return {"modality": "ecg", "fs_hz": FS_HZ, "unit": "mV", "signal": [0.0] * round(seconds * FS_HZ)}


def enroll_body(subject_id: str, person: int, *, takes: int = 1, **more: Any) -> dict[str, Any]:
    """Enroll a fake person under a name."""
    recordings = [ecg(person, take) for take in range(takes)]
    return {"subject_id": subject_id, "recordings": recordings} | more


def verify_body(subject_id: str, person: int, *, take: int = 100, **more: Any) -> dict[str, Any]:
    """A probe of a fake person that claims to be somebody."""
    return {"subject_id": subject_id, "recordings": [ecg(person, take)]} | more


def identify_body(person: int, *, take: int = 100, **more: Any) -> dict[str, Any]:
    """A probe of a fake person."""
    return {"recordings": [ecg(person, take)]} | more
