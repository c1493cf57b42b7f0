"""What the demo asks a service over HTTP, step by step, and what it notes of the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from app.demo.people import MAX_PEOPLE, Cast, Person
from app.demo.recordings import Strip
from app.demo.report import Line, Scores, Tally
from app.demo.service import Answer, Service, problem

# The gallery's policy, as for a door among colleagues; the stricter one is the service's default.
FMR, FPIR = 0.01, 0.1
STRICT_FMR, STRICT_FPIR = 1e-3, 0.01
# Beyond what one modality's calibration can show: the answer says so and tells what is missing.
UNREACHABLE_FMR = 1e-7
SHORT_S = 5.0

IDENTIFY = "identify"
IDENTIFY_STRICT = f"identify,\nfpir {STRICT_FPIR:g}"
STRANGERS = "identify\nstrangers"
FALSE_CLAIMS = "verify\nfalse claims"
VERIFY = "verify"
STRICT = f"verify,\nfmr {STRICT_FMR:g}"
SHORT = f"verify,\nfirst {SHORT_S:g} s"
UNREACHABLE = f"verify,\nfmr {UNREACHABLE_FMR:g}"
INVERTED = "identify,\ninverted"

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
            recordings = [recording.body() for recording in person.enrollment]
            body = {"subject_id": person.subject_id, "recordings": recordings}
            answer = self.service.post("/enroll", body | {"gallery": self.gallery})
            if answer.is_refusal:
                self.not_enrolled[person.subject_id] = problem(answer.body)
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
        causes = [reason for reason in body.get("reasons", []) if reason != "uncorrected_sensor"]
        text = ": ".join(["non-match", *causes]).replace("_", " ")
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
