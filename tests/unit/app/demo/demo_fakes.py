"""A service for the demo's tests: HTTP in memory, people told apart by the first value of a strip."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import replace

import httpx

from app.demo.people import Cast, Person
from app.demo.recordings import Picture, Strip
from app.demo.story import FMR, FPIR

THRESHOLD_DB = 20.0


def strip(identity: float, n_samples: int = 8) -> Strip:
    return Strip(1.0, [identity] * n_samples, lead="I")


def person(name: str, identity: float, probe: float | None = None) -> Person:
    return Person(name, (strip(identity),), strip(identity if probe is None else probe))


def with_picture(somebody: Person, identity: int) -> Person:
    """The same person with a fingerprint too; the fake service takes its first byte for the identity."""
    picture = Picture("fingerprint", bytes([identity]), dpi=500)
    return replace(somebody, enrollment=(*somebody.enrollment, picture), pictures=(picture,))


def cast(members=(), strangers=(), *, strangers_join=False) -> Cast:
    return Cast("about them", tuple(members), tuple(strangers), strangers_join, "a caution")


class FakeService:
    """Scores 30 dB for the same identity, −10 dB for another; a strip that begins with 0 is flat."""

    def __init__(self) -> None:
        self.galleries = ["default"]
        self.enrolled: dict[str, float] = {}
        self.not_ready = 0
        self.requests: list[tuple[str, dict]] = []
        self.inversion_error_db = 0.0
        self.served = ["ecg", "fingerprint"]

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else {}
        self.requests.append((request.url.path, body))
        if request.url.path == "/readyz":
            self.not_ready -= 1
            return httpx.Response(503 if self.not_ready >= 0 else 200, json={})
        if request.headers["Authorization"] != "Bearer pp_demo_key":
            return httpx.Response(401, json={"code": "invalid_credentials", "detail": "No such key."})
        if request.url.path == "/galleries":
            return self._make_gallery(body["name"])
        if request.url.path == "/models":
            return httpx.Response(200, json={"items": [{"modality": name} for name in self.served]})
        if request.url.path.startswith("/galleries/"):
            return httpx.Response(200, json=self._gallery())
        return self._recognize(request.url.path, body)

    def _recognize(self, path: str, body: dict) -> httpx.Response:
        first = next((shown for one in body["recordings"] if (shown := _shown(one)) is not None), 0)
        if first == 0:
            return httpx.Response(422, json={"code": "signal_flat", "detail": "The strip is constant."})
        if path == "/enroll":
            self.enrolled[body["subject_id"]] = first
            return httpx.Response(201, json={"subject_id": body["subject_id"]})
        if path == "/verify":
            score = self._score(body["subject_id"], first)
            return httpx.Response(200, json=self._decision(body["subject_id"], score, body.get("fmr", FMR)))
        return httpx.Response(200, json=self._search(first))

    def _make_gallery(self, name: str) -> httpx.Response:
        if name in self.galleries:
            return httpx.Response(409, json={"code": "gallery_exists", "detail": f"There is a {name}."})
        self.galleries.append(name)
        return httpx.Response(201, json={"name": name})

    def _gallery(self) -> dict:
        policy = {"kind": "calibrated", "fmr": FMR, "fpir": FPIR}
        part = {"encoder": "ecg-beat@2026.11", "corrected": False, "subjects": len(self.enrolled), "pairs": 2}
        return {"subjects": len(self.enrolled), "policy": policy, "correction": [part]}

    def _score(self, subject_id: str, first: float) -> float:
        same = abs(self.enrolled[subject_id]) == abs(first)
        return (30.0 if same else -10.0) + (self.inversion_error_db if first < 0 else 0.0)

    def _decision(self, subject_id: str, score: float, fmr: float) -> dict:
        # Three decades stricter, a threshold that this service never reaches.
        threshold = THRESHOLD_DB if fmr > 1e-6 else 70.0
        body = {
            "subject_id": subject_id,
            "score": score,
            "threshold": threshold,
            "reasons": [],
            "processing_ms": 1.0,
        }
        if score >= threshold:
            return body | {"decision": "match"}
        return body | {"decision": "non_match", "shortfall_db": threshold - score, "further_seconds": 9.0}

    def _search(self, first: float) -> dict:
        scores = {subject_id: self._score(subject_id, first) for subject_id in self.enrolled}
        ranked = sorted(scores, key=lambda subject_id: (-scores[subject_id], subject_id))
        candidates = [{"subject_id": subject_id, "score": scores[subject_id]} for subject_id in ranked]
        return self._decision(ranked[0], scores[ranked[0]], FMR) | {"candidates": candidates}


def _shown(recording: dict) -> float | None:
    """Whose recording it is; None for noise, which steps begin differently from."""
    if "signal" in recording:
        first = recording["signal"][0]
        return first if first == int(first) else None
    image = b64decode(recording["image_b64"])
    return image[0] if len(image) == 1 else None
