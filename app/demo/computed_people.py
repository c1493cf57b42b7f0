"""People of the project's own generators: a computed heart and a computed finger each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from app.demo.people import Cast, Person
from app.demo.recordings import Picture, Strip, png
from ml.synthetic.person import ComputedPerson

MEMBERS, STRANGERS = 40, 12
STRIP_S = 20.0
FS_HZ = 250.0
FINGER, DPI = "right_index", 500


def computed_cast(track: Callable[[Sequence[int]], Iterable[int]] = iter) -> Cast:
    """Enrolled on two days, recognized on a third; a finger takes time to grow, which `track` may show."""
    people = [_person(seed) for seed in track(range(1, MEMBERS + STRANGERS + 1))]
    return Cast(
        about=f"{MEMBERS} computed people are enrolled by {STRIP_S:g} s of ECG and a fingerprint on each of "
        f"two days, and recognized by those of a third; electrodes are put on anew each day. "
        f"{STRANGERS} strangers are never enrolled.",
        members=tuple(people[:MEMBERS]),
        strangers=tuple(people[MEMBERS:]),
        strangers_join=False,
        caution="These people are computed, from normal ranges and not to suit any encoder; some are hard to "
        "tell apart. The rates say that the service works, not how well it tells real people apart.",
    )


def _person(seed: int) -> Person:
    strips = [
        replace(computed_strip(seed, take=day), captured_at=f"2026-01-0{day}T09:00:00Z") for day in (1, 2, 3)
    ]
    prints = [computed_print(seed, take=day) for day in (1, 2, 3)]
    return Person(f"person-{seed:02d}", (*strips[:2], *prints[:2]), strips[2], (prints[2],))


def computed_strip(person: int, take: int, seconds: float = STRIP_S) -> Strip:
    """An ECG strip of a computed person; every take is a day of its own."""
    samples = ComputedPerson(person).heart.record(seconds, FS_HZ, session=take, seed=take)
    return Strip(fs_hz=FS_HZ, signal=[round(float(value), 4) for value in samples], lead="I")


def computed_print(person: int, take: int) -> Picture:
    """A fingerprint of a computed person; every take is another impression of one finger."""
    impression = ComputedPerson(person).finger(FINGER).impression(take, dpi=DPI)
    return Picture("fingerprint", png(np.asarray(impression.image)), finger=FINGER, dpi=DPI)
