"""A conversation with a fake encoder in two versions: more people than any shortlist of a search holds."""

from __future__ import annotations

from collections.abc import Sequence

from tests.golden.exchanges import Exchanges, Part
from tests.golden.strips import FakeStrip, Probe

# A correction is fitted to at most 1 000 subjects, drawn by their random ids.
PEOPLE = 600
_OTHER_LEAD_OF = 5_000
_FIRST_STRANGER = 9_000
# Seconds and noise: with 6 s of much noise nothing repeats in some strips, which is a failure to acquire.
_FORMS = ((3.2, 0.3), (6.0, 1.2), (10.0, 1.0), (20.0, 0.3))


def first_version() -> Exchanges:
    yield from _enrollments(range(PEOPLE // 2))
    yield from Part("first version").both(_singles((0, 1, 3)), max_candidates=5)


def second_version() -> Exchanges:
    """Half of the people under each version, some under both."""
    yield from _enrollments(range(PEOPLE // 2, PEOPLE))
    for person in range(40):
        yield Part("added", kept=False).enroll(person, _enrolled(person), force=True)
    strict, lenient, cosine = Part("strict"), Part("lenient"), Part("cosine")
    probes = [*_singles((0, 1, 2, 45, 101, 304, 305, 599)), *_several_strips()]
    yield strict.gallery()
    yield from strict.both([*probes, *_strangers()], max_candidates=5)
    yield strict.identify(probes[0], max_candidates=100)
    yield lenient.policy(fmr=0.01, fpir=0.5)
    yield from lenient.both(probes, max_candidates=5)
    yield cosine.policy(kind="distance", rules={"ecg": {"metric": "cosine", "max_distance": 0.05}})
    yield from cosine.both(probes[::3], max_candidates=5)


def _enrollments(people: Sequence[int]) -> Exchanges:
    for person in people:
        yield Part("enrolled", kept=False).enroll(person, _enrolled(person))


def _enrolled(person: int) -> list[FakeStrip]:
    """Lengths of all evidence classes, some with two leads, some pooled."""
    seconds = (4.0, 6.0, 10.0, 15.0, 3.2)[person % 5]
    if person % 7 == 3:
        return [_lead("I", person, seconds), _lead("II", person, seconds)]
    return [FakeStrip(person, take, seconds) for take in range(2 if person % 11 == 5 else 1)]


def _singles(people: Sequence[int]) -> list[Probe]:
    return [
        Probe(f"{person} {seconds:g} s", person, [FakeStrip(person, 90, seconds, noise)])
        for person in people
        for seconds, noise in _FORMS
    ]


def _strangers() -> list[Probe]:
    people = range(_FIRST_STRANGER, _FIRST_STRANGER + 8)
    return [Probe(probe.name, number, probe.strips) for number, probe in enumerate(_singles(people))]


def _several_strips() -> list[Probe]:
    leads = [_lead(name, 10, 10.0, take=90) for name in ("I", "II", "III")]
    return [
        Probe("lead I", 10, leads[:1]),
        Probe("lead III", 10, leads[2:]),
        Probe("leads I and II", 10, leads[:2]),
        Probe("pooled", 6, [FakeStrip(6, take, noise=1.0) for take in (91, 92, 93)]),
        Probe("pooled strangers", 6, [FakeStrip(_FIRST_STRANGER + other, 91) for other in range(3)]),
    ]


def _lead(name: str, person: int, seconds: float, take: int = 0) -> FakeStrip:
    return FakeStrip(person + (_OTHER_LEAD_OF if name == "II" else 0), take, seconds, lead=name)
