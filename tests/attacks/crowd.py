"""Real people (ECG-ID) before the real application: some enrolled, some strangers of the same sensor."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from ml.data.readers import read_ecg_id
from ml.data.records import EcgRecord
from tests.api.application import Api

ENROLLED = 60
STRANGERS = 30
GALLERY = "default"


@dataclass(frozen=True)
class Person:
    """One person of ECG-ID: the first recording is enrolled, the second is the probe."""

    name: str
    first: EcgRecord
    second: EcgRecord | None


@dataclass(frozen=True)
class Crowd:
    """60 people to enroll and 30 strangers, by a fixed shuffle; those enrolled have two recordings."""

    enrolled: tuple[Person, ...]
    strangers: tuple[Person, ...]

    def enroll(self, api: Api, people: Iterable[Person] | None = None) -> None:
        """Enroll everybody's first recording, each under the person's own name."""
        for person in self.enrolled if people is None else people:
            answer = api.post("/enroll", enrollment(person.name, [recording(person.first)]))
            assert answer.status_code == 201, answer.text

    def genuine_matches(self, api: Api, people: Sequence[Person], **policy: Any) -> int:
        """How many of these people are verified by their second recording."""
        return sum(matches(verify(api, p.name, [recording(p.second)], **policy)) for p in people if p.second)


@cache
def read_crowd(data_dir: Path) -> Crowd:
    """The same people at every call, in the same roles."""
    by_person: dict[str, dict[str, EcgRecord]] = {}
    for record in read_ecg_id(data_dir / "ecg" / "ecg_id"):
        by_person.setdefault(record.subject_id, {})[record.record_id.rpartition("/")[2]] = record
    people = [
        Person(name.lower(), records["rec_1"], records.get("rec_2")) for name, records in by_person.items()
    ]
    order = np.random.default_rng(12).permutation(len(people))
    shuffled = sorted((people[i] for i in order), key=lambda person: person.second is None)
    return Crowd(tuple(shuffled[:ENROLLED]), tuple(shuffled[ENROLLED : ENROLLED + STRANGERS]))


def recording(
    source: EcgRecord | NDArray[np.floating], fs_hz: float = 500.0, lead: str | None = None, **more: Any
) -> dict[str, Any]:
    """A strip as the body of a request has it; float32 as base64."""
    if isinstance(source, EcgRecord):
        source, fs_hz = source.signal, source.fs_hz
    made = {
        "modality": "ecg",
        "fs_hz": fs_hz,
        "unit": "mV",
        "dtype": "float32",
        "signal_b64": base64.b64encode(np.asarray(source, dtype="<f4").tobytes()).decode(),
        **more,
    }
    return made if lead is None else {**made, "lead": lead}


def cut(record: EcgRecord, start_s: float, seconds: float) -> NDArray[np.float32]:
    """Part of a recording."""
    start = round(start_s * record.fs_hz)
    return record.signal[start : start + round(seconds * record.fs_hz)]


def enrollment(subject_id: str, recordings: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """The body of `POST /enroll`."""
    return {"subject_id": subject_id, "recordings": list(recordings), **more}


def verify(
    api: Api, subject_id: str, recordings: Sequence[dict[str, Any]], *, key: str | None = "", **policy: Any
) -> httpx.Response:
    """`POST /verify` in the default gallery."""
    body = {"subject_id": subject_id, "recordings": list(recordings), **policy}
    return api.post("/verify", body, key=key)


def identify(
    api: Api, recordings: Sequence[dict[str, Any]], *, key: str | None = "", **policy: Any
) -> httpx.Response:
    """`POST /identify` in the default gallery."""
    return api.post("/identify", {"recordings": list(recordings), **policy}, key=key)


def matches(answer: httpx.Response) -> bool:
    """Whether the answer is a match; a refused probe is none."""
    return answer.status_code == 200 and answer.json()["decision"] == "match"
