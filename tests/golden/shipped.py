"""Conversations with the shipped bundles, about computed people; 30 of them are enough to correct a gallery.

Enrolled strips differ in length, lead, day and number, so that evidence classes, several comparisons in one
modality, and pooling take part in thresholds.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.golden.exchanges import NO_SCORES, Exchange, Exchanges, Part
from tests.golden.strips import FIRST_STRANGER, FlatStrip, Probe, Strip

LENIENT = {"fmr": 0.05, "fpir": 0.2}
_LENGTHS_S = (3.0, 5.0, 10.0, 20.0)


def enrolled(person: int) -> list[Strip]:
    """What a person is enrolled with: one strip, two days, or two leads."""
    seconds = (20.0, 10.0, 5.0, 30.0, 12.0)[person % 5]
    if person % 4 == 1:
        return [Strip(person, seconds, session=1, fs_hz=500.0, lead="I")]
    if person % 4 == 2:
        return [
            Strip(person, seconds, session=1, day=1),
            Strip(person, 12.0, session=2, day=9),
            Strip(person, 8.0, session=2, day=9),
        ]
    if person % 4 == 3:
        return [Strip(person, seconds, session=1, lead=lead) for lead in ("I", "II")]
    return [Strip(person, seconds, session=1)]


def enrollments(people: Sequence[int], *, kept: bool = True) -> Exchanges:
    for person in people:
        yield Part("enrolled", kept=kept).enroll(person, enrolled(person))


def mated(people: Sequence[int], lengths_s: Sequence[float] = _LENGTHS_S) -> list[Probe]:
    return [_single(person, seconds, person) for person in people for seconds in lengths_s]


def impostors(people: Sequence[int], lengths_s: Sequence[float] = _LENGTHS_S) -> list[Probe]:
    """Enrolled people who claim to be the next one."""
    return [_single(person, seconds, person + 1) for person in people for seconds in lengths_s]


def strangers(people: Sequence[int], lengths_s: Sequence[float] = _LENGTHS_S) -> list[Probe]:
    """As many people who are not enrolled."""
    return [_single(FIRST_STRANGER + person, seconds, person) for person in people for seconds in lengths_s]


def several_strips() -> list[Probe]:
    """Pooled strips and leads."""
    leads = [Strip(3, lead="I"), Strip(3, lead="II")]
    return [
        Probe("pooled", 2, [Strip(2, 5.0, session=session) for session in (5, 6, 7)]),
        Probe("pooled stranger", 2, [Strip(FIRST_STRANGER, 5.0, session=session) for session in (5, 6, 7)]),
        Probe("pooled of two people", 2, [Strip(2), Strip(4)]),
        Probe("one strip three times", 0, [Strip(0, 5.0)] * 3),
        Probe("lead I", 3, leads[:1]),
        Probe("lead II", 3, leads[1:]),
        Probe("lead III", 3, [Strip(3, lead="III")]),
        Probe("leads I and II", 3, leads),
        Probe("leads of another person", 7, leads),
        Probe("leads against an unknown one", 0, [Strip(0, lead="I"), Strip(0, lead="II")]),
    ]


def other_forms() -> list[Probe]:
    return [
        Probe("inverted", 4, [Strip(4, inverted=True)]),
        Probe("bytes", 4, [Strip(4, fs_hz=360.0, as_bytes=True)]),
        Probe("noisy", 5, [Strip(5, noise=4.0)]),
        Probe("flat beside a strip", 5, [FlatStrip(), Strip(5)]),
        Probe("flat", 5, [FlatStrip()]),
        Probe("too short", 5, [Strip(5, 2.0)]),
    ]


def default_bundle() -> Exchanges:
    """In full: 29 people do not correct a gallery, 40 do."""
    yield from enrollments(range(29))
    few, full, lenient = Part("29 people"), Part("40 people"), Part("lenient")
    yield few.gallery()
    yield from few.both(mated((0, 3)))
    yield from enrollments(range(29, 40))
    yield full.gallery()
    yield from full.both([*mated((0, 1, 3)), *several_strips()])
    yield from full.both(strangers((0, 1)))
    yield from map(full.verify, impostors((0, 1)))
    yield lenient.policy(**LENIENT)
    yield from lenient.both([*mated(range(6)), *several_strips(), *other_forms()])
    yield from lenient.both(strangers((0, 1, 2)))
    yield from map(lenient.verify, impostors((0, 1, 2, 3)))
    yield from _stricter_and_looser(lenient)
    yield from Part("no scores", NO_SCORES).both([*mated((0, 1), (3.0, 20.0)), *strangers((0,), (10.0,))])
    yield from _other_policies()
    yield from _activities()
    yield from _changes()


def mean_beat_bundle() -> Exchanges:
    """In short."""
    full, lenient = Part("34 people"), Part("lenient")
    yield from enrollments(range(34))
    yield full.gallery()
    yield from full.both(mated((0, 1, 2, 3), (3.0, 10.0)))
    yield lenient.policy(**LENIENT)
    yield from lenient.both([*mated((0, 1, 2, 3), (3.0, 10.0)), *several_strips()])
    yield from lenient.both(strangers((0, 1), (5.0, 20.0)))
    yield from map(lenient.verify, impostors((0, 1), (5.0, 20.0)))


def eight_bit_bundle() -> Exchanges:
    """Only decisions far from their thresholds: processors round 8-bit networks differently."""
    lenient = Part("lenient")
    yield from enrollments(range(34), kept=False)
    yield lenient.policy(**LENIENT)
    yield from lenient.both(mated(range(1, 8), (10.0,)), max_candidates=1)
    yield from map(lenient.verify, [*impostors((0, 1, 2, 4, 5), (10.0,)), *strangers(range(6), (10.0,))])


def before_an_upgrade() -> Exchanges:
    yield Part("lenient").policy(**LENIENT)
    yield from enrollments(range(32))
    yield from Part("one bundle").both(mated((0, 3), (10.0,)))


def after_an_upgrade() -> Exchanges:
    """People of the old bundle, of the new one, and of both."""
    later, added, mixed = Part("nobody of the new bundle"), Part("added"), Part("two bundles")
    yield from later.both(mated((0, 3), (10.0,)))
    yield from enrollments(range(32, 64))
    for person in (0, 1, 2):
        yield added.enroll(person, [Strip(person, 20.0, session=3)], force=True)
    yield added.enroll(4, [Strip(FIRST_STRANGER, 20.0)])
    yield mixed.gallery()
    yield from mixed.both(mated((0, 2, 4, 7, 33, 39), (5.0, 20.0)), max_candidates=6)
    yield from mixed.both(several_strips())
    yield from mixed.both(strangers((1, 32), (10.0,)))
    yield from map(mixed.verify, impostors((1, 31, 32), (10.0,)))


def _stricter_and_looser(part: Part) -> Exchanges:
    probe = _single(0, 20.0, 0)
    yield from (part.verify(probe, fmr=fmr) for fmr in (0.01, 1e-4, 1e-7, 0.1))
    yield from (part.identify(probe, fpir=fpir) for fpir in (0.05, 1e-3, 0.5))
    yield from (part.identify(probe, max_candidates=n) for n in (1, 40))
    yield part.verify(probe, "nobody")


def _other_policies() -> Exchanges:
    """The same few probes under other demands."""
    probes = [*mated((0, 1), (5.0, 20.0)), *several_strips()]
    for label, policy, few in (
        ("cosine", _distance("cosine", 0.2), probes),
        ("euclidean", _distance("euclidean", 0.5), probes),
        ("quality", LENIENT | {"min_quality": 0.95}, probes[:6]),
        ("required", LENIENT | {"required": ["face"]}, probes[:2]),
    ):
        part = Part(label)
        yield part.policy(**policy)
        yield from part.both(few)
        yield part.verify(few[0], fmr=1e-3)
    yield Part("lenient again").policy(**LENIENT)


def _changes() -> Exchanges:
    """Recordings added to subjects, refused or forced; a person under two names, one of them erased."""
    part, stranger = Part("changed"), Strip(FIRST_STRANGER, 20.0)
    yield part.enroll(0, [Strip(0, 20.0, session=3)])
    yield part.enroll(1, [Strip(1, 20.0, session=3, lead="II")])
    yield part.enroll(2, [stranger])
    yield part.enroll(2, [stranger], force=True)
    yield part.enroll(60, [Strip(4, 20.0, session=1), Strip(4, 20.0, session=2)])
    yield part.enroll(61, [FlatStrip(), Strip(61, 20.0)])
    yield part.gallery()
    yield part.erase(4)
    yield from part.both([*mated((0, 1, 2, 4), (10.0,)), Probe("forced in", 2, [Strip(FIRST_STRANGER)])])


def _activities() -> Exchanges:
    strip, rest = Strip(8, 30.0).json(), Strip(8, 20.0, session=2).json()
    yield Exchange("activity", "POST", "/activity", {"recording": strip})
    yield Exchange("activity with rest", "POST", "/activity", {"recording": strip, "rest": rest})


def _single(person: int, seconds: float, claimed: int) -> Probe:
    return Probe(f"{person} {seconds:g} s", claimed, [Strip(person, seconds)])


def _distance(metric: str, max_distance: float) -> dict[str, object]:
    return {"kind": "distance", "rules": {"ecg": {"metric": metric, "max_distance": max_distance}}}
