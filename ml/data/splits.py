"""The four parts of CinC 2017 by person and permitted use, divided once and for all by a hash.

| part | people | may be used for |
|---|---|---|
| train | 5 726 | fitting encoders; tuning and augmentation, with or without the noisy class `~` |
| dev | 800 | choosing between encoders (D1-dev) |
| calibration | 1 200 | the map from cosine to decibans, and the null; nothing else |
| test | 800 | reported (D1); chooses nothing |

All classes are hashed alike, so that every part holds its natural share of `~` (3 %). Dev holds them too,
because D1 counts noisy probes, and D1-dev is only useful for choosing if it fails where D1 fails. Tuning and
augmentation with `~` (R peaks, quality, noise) use `~` recordings of train people only.

The rule: sort people by SHA-256 of salt and subject id; the first 800 are test, then 1 200 calibration, then
800 dev, the rest train. It reads no label, no signal and no library's random numbers. The two pairs of
identical recordings share a subject id (`A01176` is `A00227`, `A03123` is `A02656`) and so never part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import combinations
from types import MappingProxyType
from typing import Literal

from ml.data.records import EcgRecord

Part = Literal["train", "dev", "calibration", "test"]
Split = Mapping[Part, tuple[str, ...]]

# Chosen before any model was fitted; another salt is another split, and every published figure would be void.
CINC_SALT = "pulseprint/cinc2017/people/1:"
CINC_RECORDS = 8528
CINC_DUPLICATES = {"A01176": "A00227", "A03123": "A02656"}
CINC_SIZES: tuple[tuple[Part, int], ...] = (("test", 800), ("calibration", 1200), ("dev", 800))


@cache
def cinc_split() -> Split:
    """The four parts of CinC 2017, each a sorted tuple of subject ids."""
    records = [f"A{number:05d}" for number in range(1, CINC_RECORDS + 1)]
    people = sorted(set(records) - set(CINC_DUPLICATES))
    split = split_people(people, salt=CINC_SALT, sizes=CINC_SIZES)
    assert_disjoint(split)
    return split


def split_people(people: Iterable[str], *, salt: str, sizes: Sequence[tuple[Part, int]]) -> Split:
    """Divide people by hash; `train` gets all who remain after `sizes` are filled in order.

    Raises:
        ValueError: Fewer people than `sizes` need.
    """
    ranked = sorted(set(people), key=lambda person: (_rank(salt, person), person))
    wanted = sum(size for _, size in sizes)
    if wanted > len(ranked):
        raise ValueError(f"expected at least {wanted} people, found {len(ranked)}")
    parts: dict[Part, tuple[str, ...]] = {}
    start = 0
    for part, size in sizes:
        parts[part] = tuple(sorted(ranked[start : start + size]))
        start += size
    parts["train"] = tuple(sorted(ranked[start:]))
    return MappingProxyType(parts)


def _rank(salt: str, person: str) -> bytes:
    return hashlib.sha256(f"{salt}{person}".encode()).digest()


def records_of(part: Part, records: Iterable[EcgRecord], split: Split | None = None) -> list[EcgRecord]:
    """Return the records of one part's people (of CinC 2017 by default), in the order given."""
    people = frozenset((split or cinc_split())[part])
    return [record for record in records if record.subject_id in people]


def assert_disjoint(groups: Mapping[Part, Iterable[str]] | Mapping[str, Iterable[str]]) -> None:
    """Check that no person is in two groups.

    Raises:
        ValueError: Names the two groups and up to three shared people.
    """
    named = {name: frozenset(people) for name, people in groups.items()}
    for (first, some), (second, others) in combinations(named.items(), 2):
        if shared := sorted(some & others):
            raise ValueError(f"{first} and {second} share {len(shared)} people: {', '.join(shared[:3])}")


def digest(people: Iterable[str]) -> str:
    """Return the SHA-256 of the sorted ids, one per line; equal lists of people have equal digests."""
    return hashlib.sha256("\n".join(sorted(people)).encode()).hexdigest()
