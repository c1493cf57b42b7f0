"""What the demo asks a service over HTTP, step by step, and what it notes of the answers."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import numpy as np

from app.demo.report import Line, Scores, Tally
from app.demo.server import DemoError

# A hundred is what /identify lists at most; with all candidates listed, every score can be counted.
MAX_PEOPLE = 100
# The gallery's policy, as for a door among colleagues; the stricter one is the service's default.
FMR, FPIR = 0.01, 0.1
STRICT_FMR, STRICT_FPIR = 1e-3, 0.01
# Beyond what one modality's calibration can show: the answer says so and tells what is missing.
UNREACHABLE_FMR = 1e-7
SHORT_S = 5.0
READY_TIMEOUT_S = 60.0
READY_POLL_S = 0.1

IDENTIFY = "identify"
IDENTIFY_STRICT = f"identify,\nfpir {STRICT_FPIR:g}"
STRANGERS = "identify\nstrangers"
FALSE_CLAIMS = "verify\nfalse claims"
VERIFY = "verify"
STRICT = f"verify,\nfmr {STRICT_FMR:g}"
SHORT = f"verify,\nfirst {SHORT_S:g} s"
UNREACHABLE = f"verify,\nfmr {UNREACHABLE_FMR:g}"
INVERTED = "identify,\ninverted"


@dataclass(frozen=True, repr=False)
class Strip:
    """One ECG strip as it goes over the wire."""

    fs_hz: float
    signal: Sequence[float]
    unit: str = "mV"
    lead: str = "unknown"
    captured_at: str | None = None

    def body(self) -> dict[str, Any]:
        """The recording of DESIGN §5."""
        when = {"captured_at": self.captured_at} if self.captured_at else {}
        return when | {
            "modality": "ecg",
            "fs_hz": self.fs_hz,
            "unit": self.unit,
            "lead": self.lead,
            "signal": self.signal,
        }

    def bytes_body(self) -> dict[str, Any]:
        """The same with its samples as whole microvolts in base64, which is how long strips are sent."""
        assert self.unit == "mV"
        body = {name: value for name, value in self.body().items() if name != "signal"}
        samples = np.rint(1000.0 * np.array(self.signal)).astype("<i2")
        return body | {"unit": "uV", "signal_b64": b64encode(samples.tobytes()).decode(), "dtype": "int16"}

    def first(self, seconds: float) -> Strip:
        """Its beginning."""
        return replace(self, signal=self.signal[: round(seconds * self.fs_hz)])

    def inverted(self) -> Strip:
        """As if the electrodes of the two arms were swapped."""
        return replace(self, signal=[-value for value in self.signal])


@dataclass(frozen=True)
class Person:
    """Somebody with strips to be enrolled by and another to be recognized by, where there is one."""

    subject_id: str
    enrollment: tuple[Strip, ...]
    probe: Strip | None


@dataclass(frozen=True)
class Cast:
    """Who takes part.

    Attributes:
        about: Who they are, in a sentence or two.
        members: Enrolled from the start.
        strangers: Not enrolled when they are first identified.
        strangers_join: Whether they are enrolled afterwards.
        caution: What the figures must not be taken for.
    """

    about: str
    members: tuple[Person, ...]
    strangers: tuple[Person, ...]
    strangers_join: bool
    caution: str


@dataclass(frozen=True)
class Answer:
    """An HTTP answer with the time it took."""

    status: int
    body: Mapping[str, Any]
    client_ms: float

    @property
    def is_refusal(self) -> bool:
        """The service answered that it cannot use the recordings."""
        return self.status == httpx.codes.UNPROCESSABLE_ENTITY


class Service:
    """A Pulseprint service over HTTP."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def wait_until_ready(
        self, check_alive: Callable[[], None], pause: Callable[[float], None] = time.sleep
    ) -> None:
        """Return once `/readyz` says so.

        Raises:
            DemoError: Not within a minute; or whatever `check_alive` raises.
        """
        tries = round(READY_TIMEOUT_S / READY_POLL_S)
        last = "no answer"
        for _ in range(tries):
            check_alive()
            try:
                answer = self._client.get("/readyz")
            except httpx.TransportError as error:
                last = str(error)
            else:
                if answer.is_success:
                    return
                last = f"{answer.status_code}"
            pause(READY_POLL_S)
        raise DemoError(f"{self._client.base_url} is not ready after {READY_TIMEOUT_S:g} s: {last}")

    def get(self, path: str) -> Answer:
        """GET; every refusal is a `DemoError`."""
        answer = self._ask("GET", path, None)
        if answer.is_refusal:
            raise DemoError(f"GET {path}: {_problem(answer.body)}")
        return answer

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """POST; a recording that cannot be used (422) is an answer, any other refusal a `DemoError`."""
        return self._ask("POST", path, body)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> Answer:
        start = time.perf_counter()
        try:
            response = self._client.request(method, path, json=body)
        except httpx.TransportError as error:
            raise DemoError(f"{method} {path}: {error}") from error
        client_ms = 1000.0 * (time.perf_counter() - start)
        try:
            content = response.json()
        except ValueError:
            raise DemoError(f"{method} {path}: {response.status_code} with a body that is no JSON") from None
        answer = Answer(response.status_code, content, client_ms)
        if not (response.is_success or answer.is_refusal):
            raise DemoError(f"{method} {path}: {response.status_code} {_problem(content)}")
        return answer


def _problem(body: Mapping[str, Any]) -> str:
    return f"{body.get('code', 'unknown')}: {body.get('detail') or body.get('title', '')}"


Track = Callable[[str, Sequence[Person]], Iterable[Person]]


@dataclass
class Story:
    """Plays a cast against a service; `track` wraps each step's people, to show progress."""

    service: Service
    cast: Cast
    gallery: str
    track: Track
    lines: list[Line] = field(default_factory=list)
    scores: Scores = field(default_factory=Scores)
    enrolled: list[str] = field(default_factory=list)
    not_enrolled: dict[str, str] = field(default_factory=dict)
    enroll_ms: list[float] = field(default_factory=list)
    largest_change_db: float = 0.0
    right_first: Tally = field(default_factory=Tally)
    _identified: dict[str, Answer] = field(default_factory=dict)

    def play(self) -> None:
        """All steps in order."""
        # A gallery of its own: one that exists already is refused (409), and so never touched.
        policy = {"kind": "calibrated", "fmr": FMR, "fpir": FPIR}
        self.service.post("/galleries", {"name": self.gallery, "policy": policy})
        self._enroll("enroll", self.cast.members)
        strangers = [person for person in self.cast.strangers if person.probe]
        self._identify(STRANGERS, strangers)
        self._claim_falsely(strangers)
        if self.cast.strangers_join:
            self._enroll("enroll the strangers", self.cast.strangers)
        known = [
            person for person in self._everybody() if person.probe and person.subject_id in self.enrolled
        ]
        self._identify(IDENTIFY, known)
        self.right_first = Tally(sum(self._comes_first(person.subject_id) for person in known), len(known))
        self._identify(IDENTIFY_STRICT, known, fpir=STRICT_FPIR)
        self._verify(VERIFY, known)
        self._verify(STRICT, known, fmr=STRICT_FMR)
        self._verify(SHORT, known, seconds=SHORT_S)
        self._verify(UNREACHABLE, known[:1], fmr=UNREACHABLE_FMR, match_expected=False)
        self._identify_inverted(known)
        self._count_scores(known, [] if self.cast.strangers_join else strangers)

    def _everybody(self) -> Iterator[Person]:
        yield from self.cast.members
        if self.cast.strangers_join:
            yield from self.cast.strangers

    def _enroll(self, step: str, people: Sequence[Person]) -> None:
        for person in self.track(step, people):
            recordings = [strip.body() for strip in person.enrollment]
            body = {"subject_id": person.subject_id, "recordings": recordings}
            answer = self.service.post("/enroll", body | {"gallery": self.gallery})
            if answer.is_refusal:
                self.not_enrolled[person.subject_id] = _problem(answer.body)
            else:
                self.enrolled.append(person.subject_id)
                self.enroll_ms.append(answer.client_ms)

    def _identify(self, step: str, people: Sequence[Person], fpir: float | None = None) -> None:
        for person, probe in self._with_probes(step, people):
            answer = self._ask_who(probe, fpir)
            own_id = person.subject_id if person.subject_id in self.enrolled else None
            if fpir is None:
                self._identified[person.subject_id] = answer
            self.lines.append(_line(step, person.subject_id, answer, expected_id=own_id))

    def _comes_first(self, subject_id: str) -> bool:
        candidates = self._identified[subject_id].body.get("candidates", [])
        return bool(candidates) and candidates[0]["subject_id"] == subject_id

    def _claim_falsely(self, strangers: Sequence[Person]) -> None:
        """Each stranger claims to be the member with the same place in the list."""
        for (person, probe), claimed in zip(
            self._with_probes(FALSE_CLAIMS, strangers), self.enrolled, strict=False
        ):
            answer = self._ask_whether(claimed, probe)
            self.lines.append(_line(FALSE_CLAIMS, person.subject_id, answer, None, claim=claimed))

    def _verify(
        self,
        step: str,
        people: Sequence[Person],
        *,
        fmr: float | None = None,
        seconds: float | None = None,
        match_expected: bool = True,
    ) -> None:
        for person, probe in self._with_probes(step, people):
            answer = self._ask_whether(person.subject_id, probe.first(seconds) if seconds else probe, fmr)
            expected_id = person.subject_id if match_expected else None
            self.lines.append(_line(step, person.subject_id, answer, expected_id, claim=person.subject_id))

    def _identify_inverted(self, people: Sequence[Person]) -> None:
        for person, probe in self._with_probes(INVERTED, people):
            answer = self._ask_who(probe.inverted())
            upright, inverted = (
                candidate_scores(self._identified[person.subject_id]),
                candidate_scores(answer),
            )
            changes = [abs(upright[key] - inverted[key]) for key in upright.keys() & inverted.keys()]
            self.largest_change_db = max(self.largest_change_db, *changes, 0.0)
            line = _line(INVERTED, person.subject_id, answer, expected_id=person.subject_id)
            same = _decided(self._identified[person.subject_id]) == _decided(answer)
            self.lines.append(replace(line, as_expected=same))

    def _count_scores(self, known: Sequence[Person], strangers: Sequence[Person]) -> None:
        """Count every comparison of the plain identifications against the threshold of 1:1 comparison."""
        judged = [line for line in self.lines if line.step in {VERIFY, FALSE_CLAIMS}]
        # Strangers who joined are in both steps; the later threshold is that of the gallery with them.
        thresholds = {line.probe: line.threshold for line in judged}
        for person in [*known, *strangers]:
            answer = self._identified[person.subject_id]
            threshold = thresholds.get(person.subject_id)
            own_id = person.subject_id if person in known else None
            if answer.is_refusal and own_id:
                self.scores.add_failure()
            elif threshold is not None:
                self.scores.add(candidate_scores(answer), own_id, threshold)

    def _with_probes(self, step: str, people: Sequence[Person]) -> Iterator[tuple[Person, Strip]]:
        for person in self.track(step.replace("\n", " "), people):
            if person.probe is not None:
                yield person, person.probe

    def _ask_who(self, probe: Strip, fpir: float | None = None) -> Answer:
        body = {"gallery": self.gallery, "recordings": [probe.body()], "max_candidates": MAX_PEOPLE}
        return self.service.post("/identify", body if fpir is None else body | {"fpir": fpir})

    def _ask_whether(self, claimed: str, probe: Strip, fmr: float | None = None) -> Answer:
        body = {"subject_id": claimed, "gallery": self.gallery, "recordings": [probe.body()]}
        return self.service.post("/verify", body if fmr is None else body | {"fmr": fmr})


def candidate_scores(answer: Answer) -> dict[str, float]:
    """Subject ids and scores of an identification's candidates."""
    return {candidate["subject_id"]: candidate["score"] for candidate in answer.body.get("candidates", [])}


def _decided(answer: Answer) -> str | None:
    """Whom the answer names, if it is a match."""
    return answer.body["subject_id"] if answer.body.get("decision") == "match" else None


def _line(
    step: str, probe_id: str, answer: Answer, expected_id: str | None, claim: str | None = None
) -> Line:
    if answer.is_refusal:
        code = str(answer.body.get("code", "refused"))
        return Line(step, probe_id, claim, code, expected_id is None, client_ms=answer.client_ms)
    body, decided = answer.body, _decided(answer)
    if decided is None:
        text = ": ".join(["non-match", *body.get("reasons", [])]).replace("_", " ")
    else:
        text = "match" if decided in {probe_id, claim} else f"match {decided}"
    return Line(
        step=step,
        probe=probe_id,
        claim=claim,
        answer=text,
        as_expected=decided == expected_id,
        client_ms=answer.client_ms,
        score=body.get("score"),
        threshold=body.get("threshold"),
        shortfall_db=body.get("shortfall_db"),
        further_seconds=body.get("further_seconds"),
        processing_ms=body.get("processing_ms"),
    )
