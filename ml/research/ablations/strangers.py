"""Galleries of long strips and the probes of strangers, on development people: CinC dev, QTDB and LUDB.

Encoded once per bundle and kept in the cache of `ml.cli evaluate`. A component common to all vectors stands
for another sensor, as in `ml.research.ablations.gallery_tail`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.data.readers import EcgRecord, read_cinc2017, read_ludb, read_qtdb
from ml.data.splits import cinc_split
from ml.evaluation.trials.encodings import EncodingCache, cache_folder
from ml.evaluation.trials.trials import Cut
from ml.research.ablations.gallery_tail import CACHE, DATA, SEED, first_recordings
from ml.runtime.calibration.llr import Calibration
from ml.runtime.calibration.nulls import EVIDENCE_CLASSES
from ml.runtime.encoder import BundledEncoder
from ml.runtime.evidence import EvidenceArray
from ml.runtime.matching.gallery_null import GalleryNull, fit_gallery_null

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
CINC_PEOPLE = 500
RATES = (0.01, 0.001)


@dataclass(frozen=True)
class Strips:
    """Encoded strips: vectors of shape (..., d), seconds and quality of shape (...)."""

    vectors: NDArray[np.float32]
    seconds: FloatArray
    quality: FloatArray

    @property
    def evidence(self) -> EvidenceArray:
        return EvidenceArray(self.seconds, "seconds", self.quality)

    def __getitem__(self, at: Any) -> Strips:
        return Strips(self.vectors[at], self.seconds[at], self.quality[at])

    def moved(self, common: NDArray[np.float32]) -> Strips:
        return replace(self, vectors=unit(self.vectors + common))

    def flat(self) -> Strips:
        """All strips in one row; shape (n,)."""
        return Strips(
            self.vectors.reshape(-1, self.vectors.shape[-1]), self.seconds.ravel(), self.quality.ravel()
        )


@dataclass(frozen=True)
class People:
    """Everybody's long reference, and several probes of each length.

    Args:
        name: Of the set.
        references: Shape (people,).
        probes: Length in seconds → shape (people, strips).
        mated: Whether probes and references share no signal, so that mated comparisons mean something.
    """

    name: str
    references: Strips
    probes: Mapping[float, Strips]
    mated: bool

    def with_common(self, length: float) -> People:
        """The same people behind a sensor that adds one component to every vector of length 1."""
        if not length:
            return self
        picked = np.random.default_rng(SEED).permutation(len(self.references.vectors))[:8]
        common = self.references.vectors[picked].sum(axis=0)
        common *= length / np.linalg.norm(common)
        return replace(
            self,
            name=f"{self.name}, common {length:g}",
            references=self.references.moved(common),
            probes={seconds: strips.moved(common) for seconds, strips in self.probes.items()},
        )


def read_people(encoder: BundledEncoder) -> Iterator[People]:
    """People all of whose strips are accepted."""
    cinc = read_cinc2017(DATA / "cinc2017_af", set(cinc_split()["dev"]))
    cinc = [r for r in first_recordings(cinc) if r.duration_s >= 29.9][:CINC_PEOPLE]
    qtdb = [r for r in read_qtdb(DATA / "qtdb") if r.labels["distinct_person"]]
    read = _Reader(encoder)
    yield read(
        "CinC dev",
        "cinc2017_af",
        cinc,
        (0.0, 15.0),
        {3.0: 15 + 1.33 * np.arange(10.0), 5.0: 15 + np.arange(0.0, 11.0, 2.5, dtype=np.float64)},
    )
    yield read(
        "QTDB", "qtdb", qtdb, (0.0, 20.0), {3.0: 60 + 10.0 * np.arange(10.0), 5.0: 60 + 10.0 * np.arange(6.0)}
    )
    for name, lead in (("LUDB lead I", "i"), ("LUDB lead II", "ii")):
        ludb = read_ludb(DATA / "ludb", lead)  # type: ignore[arg-type]
        starts = {3.0: np.arange(8.0), 5.0: np.arange(6.0)}
        yield read(name, f"ludb-{lead}", ludb, (0.0, 10.0), starts, mated=False)


class _Reader:
    def __init__(self, encoder: BundledEncoder) -> None:
        self._cache = EncodingCache(cache_folder(CACHE, encoder), encoder, encoder.vector_size)

    def __call__(
        self,
        name: str,
        data_set: str,
        records: Sequence[EcgRecord],
        enrolled_s: tuple[float, float],
        starts_s: Mapping[float, FloatArray],
        *,
        mated: bool = True,
    ) -> People:
        cuts = {0.0: [[Cut(record, *enrolled_s)] for record in records]}
        for seconds, starts in starts_s.items():
            cuts[seconds] = [[Cut(r, float(s), float(s) + seconds) for s in starts] for r in records]
        encoded = self._cache.encode(data_set, [c for rows in cuts.values() for row in rows for c in row])
        found = {
            seconds: Strips(
                np.array([[encoded[c.key].vector for c in row] for row in rows]),
                np.array([[encoded[c.key].evidence.amount for c in row] for row in rows]),
                np.array([[encoded[c.key].evidence.quality for c in row] for row in rows]),
            )
            for seconds, rows in cuts.items()
        }
        whole = np.all([np.isfinite(s.vectors).all(axis=(1, 2)) for s in found.values()], axis=0)
        kept = {seconds: strips[whole] for seconds, strips in found.items()}
        return People(name, kept.pop(0.0)[:, 0], kept, mated)


class Galleries:
    """Random galleries among these people, each with its correction.

    Args:
        calibration: Of the encoder.
        references: Of everybody; shape (people,).
        subjects: Size of a gallery.
        galleries: How many.
        way: What is made of the fitted correction.
    """

    def __init__(
        self,
        calibration: Calibration,
        references: Strips,
        *,
        subjects: int,
        galleries: int,
        way: Callable[[GalleryNull], GalleryNull] = lambda found: found,
    ) -> None:
        self.calibration, self._references = calibration, references
        own_db, own_classes = compare(calibration, references, references)
        generator = np.random.default_rng(SEED)
        self._galleries: list[tuple[IntArray, GalleryNull]] = []
        for _ in range(galleries):
            known = generator.permutation(len(references.seconds))[:subjects]
            square = np.ix_(known, known)
            found = fit_gallery_null(calibration, own_db[square], own_classes[square])
            self._galleries.append((known, way(found)))

    def over_stated(self, probes: Strips, people: IntArray) -> FloatArray:
        """Measured ÷ stated at 1 % and 0.1 %, over all galleries.

        Args:
            probes: Shape (n,).
            people: Whose strips are in each probe, shape (n, strips): none of them may be enrolled.
        """
        reached, compared = np.zeros(len(RATES)), 0
        for known, correction, matches in self._matches(probes):
            strangers = ~np.isin(people, known).any(axis=1)
            reached += matches[strangers].sum(axis=(0, 1))
            compared += int(strangers.sum()) * known.size
            del correction
        return np.asarray(reached / compared / np.array(RATES))

    def fnmr(self, probes: Strips, people: IntArray) -> FloatArray:
        """At 1 % and 0.1 %, of the probes of one enrolled person each; people of shape (n,)."""
        found = []
        for known, _, matches in self._matches(probes):
            rows = np.flatnonzero(np.isin(people, known))
            columns = np.array([int(np.flatnonzero(known == people[row])[0]) for row in rows])
            found.append(1.0 - matches[rows, columns].mean(axis=0))
        return np.asarray(np.mean(found, axis=0))

    def _matches(self, probes: Strips) -> Iterator[tuple[IntArray, GalleryNull, NDArray[np.bool_]]]:
        """(known, correction, matches of shape (n, subjects, rates)) per gallery."""
        llr_db, classes = compare(self.calibration, probes, self._references)
        for known, correction in self._galleries:
            nulls = [correction.null(self.calibration, k) for k in range(EVIDENCE_CLASSES)]
            thresholds = np.array([[null.threshold(rate) for rate in RATES] for null in nulls])
            score_db = self.calibration.soften_db(correction.apply(llr_db[:, known]))
            yield known, correction, score_db[..., None] >= thresholds[classes[:, known]]


def compare(calibration: Calibration, probes: Strips, references: Strips) -> tuple[FloatArray, IntArray]:
    """LLR and evidence classes, each of shape (probes, references)."""
    cosine = probes.vectors @ references.vectors.T
    scores = calibration.compare(cosine, probes.evidence[:, None], references.evidence)
    return scores.llr_db, scores.classes


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Each vector divided by its length."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), dtype=np.float32)
