"""Run protocols through the service, and compare decision by decision with the in-process run."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

import httpx
import numpy as np
from numpy.typing import NDArray

from ml.evaluation.trials.scoring import Scored
from ml.evaluation.trials.trials import Cut, Presentation, Trials
from ml.runtime.matching.order import CandidateOrder

HTTP_PROTOCOLS = ("E2", "E3", "E3-multi")
"""Those that enroll every subject once for all probes."""
FMR = 0.01
FPIR = 0.01
_ALL_CANDIDATES = 100


@dataclass(frozen=True)
class Identified:
    """The answer to one probe, from the service or the in-process run."""

    match: bool
    verified: bool
    first: str | None
    score_db: dict[str, float]


@dataclass(frozen=True)
class Agreement:
    """Agreement of the two runs of one variant."""

    variant: str
    probes: int
    identical_decisions: bool
    identical_first_candidates: bool
    rank_1_errors: tuple[int, int]
    largest_difference_db: float

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form kept in `results`."""
        return {
            "variant": self.variant,
            "probes": self.probes,
            "identical_decisions": self.identical_decisions,
            "identical_first_candidates": self.identical_first_candidates,
            "rank_1_errors_in_process": self.rank_1_errors[0],
            "rank_1_errors_over_http": self.rank_1_errors[1],
            "largest_score_difference_db": self.largest_difference_db,
        }


class ServiceError(RuntimeError):
    """The service gave an answer that the protocol does not expect."""


class InProcess(Protocol):
    """The part of `ml.evaluation.runner.Runner` that is compared with the service."""

    def trials(self, name: str) -> list[Trials]: ...

    def scored(self, data_set: str, trials: Trials) -> Scored: ...


def service_client(url: str, api_key: str) -> httpx.Client:
    """Return a client of the service at `url`."""
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {api_key}"}, timeout=60.0)


def compare_with_service(
    runner: InProcess, client: httpx.Client, protocol: str = "E2"
) -> tuple[Agreement, ...]:
    """Enroll a protocol's people in a fresh gallery, identify and verify its probes, compare with `runner`.

    Args:
        runner: With the bundle that the service uses.
        client: Of the service, with the scopes enroll, verify, identify, read, read:scores and admin, and
            all galleries.
        protocol: One of `HTTP_PROTOCOLS`.

    Raises:
        ServiceError: An answer that is neither a decision nor a failure to acquire, or one without scores,
            for which the key lacks a scope.
    """
    variants = runner.trials(protocol)
    with _gallery(client) as gallery:
        for enrolled in variants[0].gallery:
            _call(client, "/enroll", _body(enrolled, gallery) | {"subject_id": enrolled.subject_id})
        return tuple(_compare_variant(runner, client, gallery, protocol, trials) for trials in variants)


@contextmanager
def _gallery(client: httpx.Client) -> Iterator[str]:
    name = f"evaluation-{uuid4().hex[:12]}"
    _call(client, "/galleries", {"name": name, "policy": {"kind": "calibrated", "fmr": FMR, "fpir": FPIR}})
    try:
        yield name
    finally:
        client.delete(f"/galleries/{name}")


def _compare_variant(
    runner: InProcess, client: httpx.Client, gallery: str, protocol: str, trials: Trials
) -> Agreement:
    here = _in_process(runner, protocol, trials)
    there = [_over_http(client, gallery, probe.presentation) for probe in trials.probes]
    subjects = [probe.presentation.subject_id for probe in trials.probes]
    pairs = list(zip(here, there, strict=True))
    return Agreement(
        variant=trials.name,
        probes=len(pairs),
        identical_decisions=all((a.match, a.verified) == (b.match, b.verified) for a, b in pairs),
        identical_first_candidates=all(a.first == b.first for a, b in pairs),
        rank_1_errors=(_rank_1_errors(here, subjects), _rank_1_errors(there, subjects)),
        largest_difference_db=max(_difference_db(a, b) for a, b in pairs),
    )


def _in_process(runner: InProcess, protocol: str, trials: Trials) -> list[Identified]:
    scored = runner.scored(protocol, trials)
    found = scored.search(FMR, FPIR)
    matches = scored.matches(FMR)
    names = [enrolled.subject_id for enrolled in trials.gallery]
    return [
        _identified(scored, row, CandidateOrder(margin_db, llr_db), matches[row], names)
        for row, (margin_db, llr_db) in enumerate(zip(found.margin_db, found.llr_db, strict=True))
    ]


def _identified(
    scored: Scored,
    row: int,
    order: CandidateOrder,
    matches: NDArray[np.bool_],
    names: Sequence[str],
) -> Identified:
    own = int(np.argmax(scored.comparisons.mated[row]))
    if np.isneginf(order.margin_db).all():
        return Identified(match=False, verified=False, first=None, score_db={})
    best = min(order.best(1).tolist(), key=order.key)
    return Identified(
        match=bool(order.margin_db[best] >= 0.0),
        verified=bool(matches[own]),
        first=names[best],
        score_db=dict(zip(names, scored.score_db[row].tolist(), strict=True)),
    )


def _over_http(client: httpx.Client, gallery: str, presentation: Presentation) -> Identified:
    body = _body(presentation, gallery)
    found = _call(client, "/identify", body | {"max_candidates": _ALL_CANDIDATES}, may_fail=True)
    if found is None:
        return Identified(match=False, verified=False, first=None, score_db={})
    if len(found["candidates"]) < min(found["gallery_size"], _ALL_CANDIDATES):
        raise ServiceError(
            "The API key needs the scopes read and read:scores: without them scores are omitted."
        )
    verified = _call(client, "/verify", body | {"subject_id": presentation.subject_id}) or {}
    return Identified(
        match=found["decision"] == "match",
        verified=verified["decision"] == "match",
        first=found["candidates"][0]["subject_id"],
        score_db={candidate["subject_id"]: candidate["score"] for candidate in found["candidates"]},
    )


def _call(
    client: httpx.Client, path: str, body: dict[str, Any], *, may_fail: bool = False
) -> dict[str, Any] | None:
    answer = client.post(path, json=body)
    if may_fail and answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
        return None
    if not answer.is_success:
        raise ServiceError(f"{path} answered {answer.status_code}: {answer.text[:300]}")
    return dict(answer.json())


def _body(presentation: Presentation, gallery: str) -> dict[str, Any]:
    return {"gallery": gallery, "recordings": [_recording(cut) for cut in presentation.strips]}


def _recording(cut: Cut) -> dict[str, Any]:
    day = cut.record.recorded_on
    # The sets state the day only; noon of it keeps a day one session and two days two.
    captured = {} if day is None else {"captured_at": f"{day.isoformat()}T12:00:00Z"}
    return captured | {
        "modality": "ecg",
        "fs_hz": cut.record.fs_hz,
        "unit": cut.record.unit,
        "signal": cut.signal.astype(np.float64).tolist(),  # Exact: a float32 survives JSON.
    }


def _rank_1_errors(found: Sequence[Identified], subjects: Sequence[str]) -> int:
    return sum(probe.first != subject for probe, subject in zip(found, subjects, strict=True))


def _difference_db(here: Identified, there: Identified) -> float:
    if here.score_db.keys() != there.score_db.keys():
        return float("inf")
    return max((abs(score - there.score_db[name]) for name, score in here.score_db.items()), default=0.0)
