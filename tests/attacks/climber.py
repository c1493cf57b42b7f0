"""A climber: builds strips of public heartbeats and follows whatever an answer lets slip of its nearness.

It knows what everybody may know: the code, the contract, public recordings. It has a key, and it is not told
which field of an answer to follow: every field of every answer is a candidate, unless it stays the same
whatever is sent, or depends on what is sent alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from ml.data.readers import read_ludb
from ml.data.records import EcgRecord
from ml.runtime.ecg.signal.beats import beat_units, cut_beats
from ml.runtime.ecg.signal.conditioning import condition
from ml.runtime.ecg.signal.errors import SignalError

FS_HZ = 250.0
_BEFORE_S, _AFTER_S = 0.25, 0.45
_COMPONENTS = 20
_RR_S = 0.8
_FEWEST_BEATS = 4
_LOOKS = 20
_SAME_ORDER = 0.7  # rank correlation of two fields that one ascent is enough for
_FOLLOWED = 4  # fields

Answer = Mapping[str, Any]
Features = dict[str, float]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class PublicBeats:
    """Mean beats of people whom everybody can download (LUDB), and their principal components.

    Attributes:
        mean: Shape (n_samples,).
        axes: Components, each as long as its standard deviation; shape (k, n_samples).
        people: Everybody in units of the components; shape (n_people, k).
    """

    mean: Vector
    axes: Vector
    people: Vector

    @classmethod
    def read(cls, data_dir: Path) -> PublicBeats:
        """Of the people of LUDB, lead I."""
        beats = map(mean_beat, read_ludb(data_dir / "ecg" / "ludb"))
        units = np.stack([beat for beat in beats if beat is not None])
        mean = units.mean(axis=0)
        _, scales, axes = np.linalg.svd(units - mean, full_matrices=False)
        axes = axes[:_COMPONENTS] * scales[:_COMPONENTS, None] / np.sqrt(len(units))
        people = (units - mean) @ axes.T / (axes**2).sum(axis=1)
        return cls(mean, axes, people)

    def strip(self, coefficients: Vector) -> NDArray[np.float32]:
        """Ten seconds of one heartbeat, in millivolts."""
        return strip_of(self.mean + coefficients @ self.axes)


def mean_beat(record: EcgRecord) -> Vector | None:
    """About the R peak, upright, of length 1; None if there are too few beats."""
    try:
        clean = condition(record.signal, record.fs_hz)
    except SignalError:
        return None
    beats = cut_beats(clean.ecg, clean.fs_hz, clean.accepted_r_peaks, _BEFORE_S, _AFTER_S)
    if len(beats) < _FEWEST_BEATS:
        return None
    beat = np.median(beat_units(beats), axis=0)
    return np.asarray(beat * np.sign(beat[np.argmax(np.abs(beat))]))


def strip_of(beat: Vector, seconds: float = 10.0, seed: int = 1) -> NDArray[np.float32]:
    """One heartbeat again and again; noise of another seed makes another strip of it."""
    edge = np.minimum(1.0, np.arange(beat.size) / 12.0)
    shape = beat * np.minimum(edge, edge[::-1])
    shape = shape / np.abs(shape).max()
    r_peaks_s = np.cumsum(_RR_S + 0.03 * np.sin(np.arange(round(seconds / _RR_S) - 1)))
    signal = 0.005 * np.random.default_rng(seed).standard_normal(round(seconds * FS_HZ))
    for start in np.rint((r_peaks_s - _BEFORE_S) * FS_HZ).astype(int):
        part = signal[start : start + shape.size]
        part += shape[: part.size]
    return np.asarray(signal, dtype=np.float32)


@dataclass(frozen=True)
class Climb:
    """How it went: after how many queries there was a match, None if there was none; what was followed."""

    matched_after: int | None
    followed: tuple[str, ...]


class Climber:
    """Climbs towards one victim.

    Args:
        beats: To start from, and the directions to go.
        ask: Sends a strip about the victim and gives the answer.
        ask_of_another: The same about somebody else, to find out what says something of the strip alone.
        is_match: Whether an answer lets the attacker in.
        seed: Of all that is drawn.
        roams: With nothing to follow, go on with all public people in turn, and not with one of them. That is
            no climb but a search by chance, in which a false match is a matter of time.
    """

    def __init__(
        self,
        beats: PublicBeats,
        ask: Callable[[NDArray[np.float32]], Answer],
        ask_of_another: Callable[[NDArray[np.float32]], Answer],
        is_match: Callable[[Answer], bool],
        seed: int = 0,
        *,
        roams: bool = True,
    ) -> None:
        self._beats = beats
        self._roams = roams
        self._ask = ask
        self._ask_of_another = ask_of_another
        self._is_match = is_match
        self._rng = np.random.default_rng(seed)
        self._queries = 0

    def climb(self, max_queries: int) -> Climb:
        """Look around until some field tells something, then follow it, each both ways, in turns.

        Args:
            max_queries: About the victim, after which the attacker gives up.
        """
        telling = _Telling(self._beats, self._ask_of_another)
        seen: list[tuple[Vector, Features]] = []
        ascents: list[_Ascent] = []
        looks = self._looks()
        while self._queries < max_queries:
            ascent = ascents[self._queries % len(ascents)] if ascents else None
            coefficients = ascent.propose(self._rng) if ascent else next(looks)
            self._queries += 1
            answer = self._ask(self._beats.strip(coefficients))
            if self._is_match(answer):
                return Climb(self._queries, tuple(telling.fields))
            if ascent:
                ascent.learn(coefficients, features(answer))
                continue
            seen.append((coefficients, features(answer)))
            telling.note(*seen[-1])
            if len(seen) >= _LOOKS:
                followed = _finest(telling.fields, [found for _, found in seen])
                ascents = [_Ascent(field, way, seen) for field in followed for way in (1.0, -1.0)]
        return Climb(None, tuple(telling.fields))

    def _looks(self) -> Iterator[Vector]:
        """Some public people as they are, then all of them, or one, changed at random."""
        people = self._beats.people
        first = self._rng.permutation(len(people))[: 2 * _LOOKS]
        yield from people[first]
        while True:
            person = people[self._rng.integers(len(people)) if self._roams else first[0]]
            yield np.clip(person + 0.5 * self._rng.standard_normal(person.size), -4.0, 4.0)


class _Ascent:
    """One way of one field: a step in a random direction stays if the field goes that way, or stays put."""

    def __init__(self, field: str, way: float, seen: list[tuple[Vector, Features]]) -> None:
        self._field, self._way = field, way
        self._at, self._best = max(
            ((where, self._value(found)) for where, found in seen), key=lambda pair: pair[1]
        )
        self._step = 0.5

    def propose(self, rng: np.random.Generator) -> Vector:
        return np.clip(self._at + self._step * rng.standard_normal(self._at.size), -4.0, 4.0)

    def learn(self, coefficients: Vector, found: Features) -> None:
        value = self._value(found)
        if value > self._best:
            self._step = min(1.0, self._step * 1.3)
        elif value < self._best:
            self._step = max(0.1, self._step * 0.95)
        if value >= self._best:
            self._at, self._best = coefficients, value

    def _value(self, found: Features) -> float:
        return self._way * found.get(self._field, 0.0)


def features(answer: object, path: str = "") -> Features:
    """Every number, word and truth value of an answer under its path; lists also by how long they are."""
    if isinstance(answer, Mapping):
        inner = [features(value, f"{path}/{name}") for name, value in answer.items()]
        return {name: value for found in inner for name, value in found.items()}
    if isinstance(answer, list):
        inner = [features(value, f"{path}/{index}") for index, value in enumerate(answer)]
        return {f"{path}#": float(len(answer))} | {k: v for found in inner for k, v in found.items()}
    if isinstance(answer, bool | int | float):
        return {path: float(answer)}
    return {f"{path}={answer}": 1.0}


class _Telling:
    """Finds the fields that change with the strip, and not with the strip alone."""

    def __init__(self, beats: PublicBeats, ask_of_another: Callable[[NDArray[np.float32]], Answer]) -> None:
        self.fields: list[str] = []
        self._beats = beats
        self._ask_of_another = ask_of_another
        self._first: tuple[Vector, Features] | None = None
        self._of_the_strip = {"/processing_ms", "/transaction_id"}

    def note(self, coefficients: Vector, found: Features) -> None:
        """Look at one more answer about the victim."""
        if self._first is None:
            self._first = coefficients, found
        where, first = self._first
        judged = self._of_the_strip.union(self.fields)
        changed = [
            name
            for name in found.keys() | first.keys()
            if name.partition("=")[0] not in judged and found.get(name) != first.get(name)
        ]
        if not changed:
            return
        other, other_first = (
            features(self._ask_of_another(self._beats.strip(strip))) for strip in (coefficients, where)
        )
        for name in sorted({name.partition("=")[0] for name in changed}):
            same = all(
                _part(of_victim, name) == _part(of_other, name)
                for of_victim, of_other in ((found, other), (first, other_first))
            )
            if same:
                self._of_the_strip.add(name)
            else:
                self.fields.append(name)


def _part(found: Features, name: str) -> Features:
    return {key: value for key, value in found.items() if key.partition("=")[0] == name}


def _finest(names: list[str], seen: list[Features]) -> list[str]:
    """The fields with the most different values; one of those that put the strips in about the same order."""
    inner = dict.fromkeys(key for found in seen for key in found if key.partition("=")[0] in names)
    values = {key: [found.get(key, 0.0) for found in seen] for key in inner}
    kept: list[str] = []
    for key in sorted(inner, key=lambda key: -len(set(map(str, values[key])))):
        orders = [abs(spearmanr(values[key], values[one], nan_policy="omit").statistic) for one in kept]
        if not any(order > _SAME_ORDER for order in orders):
            kept.append(key)
    return kept[:_FOLLOWED]
