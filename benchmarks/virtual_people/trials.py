"""Verify and identify the people of one pairing through the service's own use cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from app.api.deps import Services
from app.domain.captures import Capture
from app.domain.errors import FailureToAcquireError, UnprocessableError
from app.domain.policies import CalibratedPolicy
from app.domain.references import Modality
from app.domain.scores import Decision
from app.domain.subjects import ApiClient
from app.services.enrollment import EnrollmentOutcome, EnrollmentRequest
from app.services.idempotency import Rendered
from app.services.identification import IdentificationRequest
from app.services.verification import VerificationRequest
from benchmarks.virtual_people.pairing import VirtualPerson

STRANGERS_PER_PROBE = 10
PARTS = 4
"""Strangers are searched in a gallery of the other three parts: large enough to correct its own null."""
FPIRS = (0.01, 0.05)
OF_SEARCHES = CalibratedPolicy(fmr=0.01, fpir=0.05)
"""At the default `fmr`, a search among 44 people could not reach an FPIR of 5 %."""


@dataclass
class Counts:
    """What happened with one combination of modalities under one condition.

    Attributes:
        mated, non_mated: Scores in dB; −inf where nothing could be compared.
        non_matches: Mated claims that were refused at the default policy.
        false_matches: Non-mated claims that were accepted.
        identified, searches: Mated searches whose answer was the right person, and all.
        positives, strangers: Per FPIR, searches of strangers that named somebody, and all.
        failures: Mated probes of which nothing was usable.
    """

    mated: list[float] = field(default_factory=list)
    non_mated: list[float] = field(default_factory=list)
    non_matches: int = 0
    false_matches: int = 0
    identified: int = 0
    searches: int = 0
    positives: dict[float, int] = field(default_factory=lambda: dict.fromkeys(FPIRS, 0))
    strangers: int = 0
    failures: int = 0


class PairingTrials:
    """The people of one pairing, enrolled in galleries of their own.

    Args:
        services: The service's use cases, with encoders that keep what they encoded.
        caller: Holds every scope.
        people: Of the pairing.
        seed: Names the galleries and chooses the strangers.
    """

    def __init__(
        self, services: Services, caller: ApiClient, people: Sequence[VirtualPerson], seed: int
    ) -> None:
        self._services, self._caller = services, caller
        self._people = people
        self._generator = np.random.default_rng([20261203, seed])
        self._all = f"all-{seed}"
        self._without = [f"all-{seed}-without-{part}" for part in range(PARTS)]

    @contextmanager
    def enrolled(self) -> Iterator[None]:
        """Enroll everybody in one gallery, and all but one part in each of others; erased afterwards."""
        policies = {self._all: CalibratedPolicy(), **dict.fromkeys(self._without, OF_SEARCHES)}
        for name, policy in policies.items():
            self._services.galleries.create(self._caller, name, policy)
        for number, person in enumerate(self._people):
            with_person = (name for part, name in enumerate(self._without) if part != number % PARTS)
            for gallery in (self._all, *with_person):
                request = EnrollmentRequest(gallery, person.name, tuple(person.enrolled.values()))
                self._services.enrollment.enroll(self._caller, request, render=_rendered)
        try:
            yield
        finally:
            for name in policies:
                self._services.galleries.delete(self._caller, name)

    def count(self, probes: Sequence[tuple[Capture, ...]], counts: Counts) -> None:
        """Verify and identify everybody with these probes, one per person in their order."""
        for number, recordings in enumerate(probes):
            self._verify(number, recordings, counts)
            self._identify(number, recordings, counts)

    def _verify(self, number: int, recordings: tuple[Capture, ...], counts: Counts) -> None:
        matched, score = self._claim(self._people[number].name, recordings)
        counts.mated.append(score)
        counts.non_matches += not matched
        counts.failures += score == -np.inf
        others = [other for other in range(len(self._people)) if other != number]
        for other in self._generator.choice(others, STRANGERS_PER_PROBE, replace=False).tolist():
            matched, score = self._claim(self._people[other].name, recordings)
            counts.non_mated.append(score)
            counts.false_matches += matched

    def _claim(self, name: str, recordings: tuple[Capture, ...]) -> tuple[bool, float]:
        try:
            decision = self._services.verification.verify(
                self._caller, VerificationRequest(self._all, name, recordings)
            )
        except (FailureToAcquireError, UnprocessableError):
            return False, -np.inf
        assert decision.score is not None
        return decision.decision is Decision.MATCH, decision.score

    def _identify(self, number: int, recordings: tuple[Capture, ...], counts: Counts) -> None:
        counts.searches += 1
        counts.identified += self._named(self._all, recordings, None) == self._people[number].name
        counts.strangers += 1
        for fpir in FPIRS:
            named = self._named(self._without[number % PARTS], recordings, fpir)
            counts.positives[fpir] += named is not None

    def _named(self, gallery: str, recordings: tuple[Capture, ...], fpir: float | None) -> str | None:
        request = IdentificationRequest(gallery, recordings, fpir=fpir)
        try:
            decision = self._services.identification.identify(self._caller, request).decision
        except FailureToAcquireError:
            return None
        return decision.subject_id if decision.decision is Decision.MATCH else None


def probes_of(people: Sequence[VirtualPerson], modalities: Sequence[Modality]) -> list[tuple[Capture, ...]]:
    """The probes of everybody, with these modalities only."""
    return [tuple(person.probe[modality] for modality in modalities) for person in people]


def _rendered(outcome: EnrollmentOutcome) -> Rendered:
    return Rendered(201, outcome.subject_id.encode())
