"""Can names of one person, or a crowd that looks alike, lock a gallery?

    python -m ml.research.ablations.gallery_duplicates

Galleries of 60 people that correct themselves, on development data only: CinC dev, LUDB and QTDB, plain and
with a component common to all vectors, which is what another sensor does. Then one person gets 9 or 20 names,
ten people get four each, or 60 enrollments join that resemble each other without being one person. Compared
are the rules of `ml.runtime.matching.gallery_null.FitRules`: those that ship, those before, and others of
each kind. Writes `results/experiments/gallery-duplicates.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from ml.data.readers import EcgRecord, read_cinc2017, read_ludb, read_qtdb
from ml.data.splits import cinc_split
from ml.evaluation.trials.encodings import EncodingCache, TemplateSet, cache_folder, pool_presentations
from ml.evaluation.trials.scoring import compare
from ml.evaluation.trials.trials import Cut, Presentation
from ml.research.ablations.gallery_tail import CACHE, DATA, first_recordings, moved
from ml.runtime.calibration.llr import Calibration
from ml.runtime.calibration.nulls import EVIDENCE_CLASSES
from ml.runtime.encoder import BundledEncoder, load_bundle
from ml.runtime.evidence import EvidenceArray
from ml.runtime.matching.gallery_null import FitRules, fit_gallery_null

FloatArray = NDArray[np.float64]
RESULT = Path("results/experiments/gallery-duplicates.json")
BUNDLES = ("ecg@2026.11.1", "ecg-edge@2026.11", "ecg-beat@2026.11")
PEOPLE = 60
WITNESSES = 30
NAMES = 20
NAMED_AGAIN = 40  # of CinC and LUDB; enough to draw from
GALLERIES = 10
COMMON = (0.0, 0.5)
CROWD_DIRECTION = 2.5
"""Length of what a crowd of other people's vectors gets in common, to look alike."""

SHIPS = FitRules()
RULES = {
    "before": FitRules(starting_shares=(), explicable_in_a_trio=1.0, max_loss_db=np.inf),
    "limit alone": FitRules(starting_shares=(), explicable_in_a_trio=1.0),
    "robust start": replace(SHIPS, explicable_in_a_trio=1.0, max_loss_db=np.inf),
    "ships": SHIPS,
    "trios of 10": replace(SHIPS, explicable_in_a_trio=10.0),
    "limit 15 dB": replace(SHIPS, max_loss_db=15.0),
    "limit 25 dB": replace(SHIPS, max_loss_db=25.0),
}


@dataclass(frozen=True)
class Attack:
    """What is enrolled beside 60 people."""

    name: str
    people: int = 0
    names: int = 1
    crowd: int = 0


ATTACKS = (
    Attack("none"),
    Attack("1 person, 9 names", 1, 9),
    Attack("1 person, 20 names", 1, 20),
    Attack("10 people, 4 names each", 10, 4),
    Attack("60 who look alike", crowd=60),
)


@dataclass(frozen=True)
class Population:
    """Encoded people of one data set.

    Attributes:
        first: Enrolled template of everybody.
        probe: Another strip of everybody.
        again: Templates of further strips of those who may get further names, shape (names, people, d); all
            as long as the enrolled one.
    """

    name: str
    calibration: Calibration
    first: TemplateSet
    probe: TemplateSet
    again: tuple[TemplateSet, ...]

    def with_common(self, length: float) -> Population:
        """The same people behind a sensor that adds one component to every vector."""
        if not length:
            return self
        picked = np.random.default_rng(20261120).permutation(len(self.first.vectors))[:8]
        common = self.first.vectors[picked].sum(axis=0)
        common *= length / np.linalg.norm(common)
        return replace(
            self,
            name=f"{self.name}, common {length:g}",
            first=moved(self.first, common),
            probe=moved(self.probe, common),
            again=tuple(moved(names, common) for names in self.again),
        )


def populations(encoder: BundledEncoder) -> Iterator[Population]:
    """Everybody whose strips could all be encoded, those who may get further names first."""
    cache = EncodingCache(cache_folder(CACHE, encoder), encoder, encoder.vector_size)
    for name, data_set, records, strips_of, probe_of in sources():
        strips = [strips_of(record) for record in records[:NAMED_AGAIN]]
        first = [strips_of(record)[0] for record in records]
        probes = [probe_of(record) for record in records]
        encoded = cache.encode(data_set, [*first, *probes, *(cut for cuts in strips for cut in cuts)])

        def pooled(cuts: Sequence[Cut], encoded: dict = encoded) -> TemplateSet:  # type: ignore[type-arg]
            return pool_presentations([Presentation.of(cut) for cut in cuts], encoded)

        sides = pooled(first), pooled(probes)
        again = [pooled([cuts[number] for cuts in strips]) for number in range(1, NAMES)]
        usable = np.array([not (a or b) for a, b in zip(*(side.codes for side in sides), strict=True)])
        usable[:NAMED_AGAIN] &= ~np.array([[bool(code) for code in names.codes] for names in again]).any(
            axis=0
        )
        kept = np.flatnonzero(usable)
        people = Population(
            name,
            encoder.calibration,
            sides[0].subset(kept),
            sides[1].subset(kept),
            tuple(names.subset(kept[kept < NAMED_AGAIN]) for names in again),
        )
        for length in COMMON:
            yield people.with_common(length)


Source = tuple[str, str, list[EcgRecord], Callable[[EcgRecord], list[Cut]], Callable[[EcgRecord], Cut]]


def sources() -> Iterator[Source]:
    """Name, data set, records, the strips that a person's names are enrolled with, and the probe."""
    dev = first_recordings(read_cinc2017(DATA / "cinc2017_af", set(cinc_split()["dev"])))
    cinc = [record for record in dev if record.duration_s >= 29.5][:300]
    yield "CinC dev", "cinc2017_af", cinc, pieces(15.0, 0.25), lambda r: Cut(r, r.duration_s - 10.0)
    yield "LUDB", "ludb", list(read_ludb(DATA / "ludb")), pieces(5.0, 0.1), lambda r: Cut(r, 5.0, 10.0)
    qtdb = [record for record in read_qtdb(DATA / "qtdb") if record.labels["distinct_person"]]
    yield "QTDB", "qtdb", qtdb, pieces(20.0, 35.0, 120.0), lambda r: Cut(r, 60.0, 80.0)


def pieces(seconds: float, step_s: float, further_from_s: float = 0.0) -> Callable[[EcgRecord], list[Cut]]:
    """Cut the strips of one person's names: the first one, then one every so many seconds."""

    def cut(record: EcgRecord) -> list[Cut]:
        starts_s = [0.0, *(further_from_s + step_s * number for number in range(1, NAMES))]
        return [Cut(record, start_s, start_s + seconds) for start_s in starts_s]

    return cut


@dataclass(frozen=True)
class Gallery:
    """Who is enrolled: 60 people, then what the attack adds; everybody else's probes are strangers."""

    people: Population
    enrolled: TemplateSet
    known: NDArray[np.int64]
    strangers: NDArray[np.int64]

    @classmethod
    def draw(cls, people: Population, attack: Attack, seed: int) -> Gallery:
        rng = np.random.default_rng(seed)
        everybody = rng.permutation(len(people.first.vectors))
        nameable = len(people.again[0].vectors)
        again = everybody[everybody < nameable][: attack.people]
        others = everybody[~np.isin(everybody, again)]
        known = np.concatenate([again, others[: PEOPLE - again.size]])
        parts = [people.first.subset(known)]
        parts += [names.subset(again) for names in people.again[: attack.names - 1] if again.size]
        if attack.crowd:
            drawn = rng.normal(size=people.first.vectors.shape[1])
            direction = np.asarray(drawn * (CROWD_DIRECTION / np.linalg.norm(drawn)), dtype=np.float32)
            crowd = rng.permutation(everybody)[: attack.crowd]
            parts.append(moved(people.first.subset(crowd), direction))
        return cls(people, joined(parts), known, others[PEOPLE - again.size :])

    def figures(self, rules: FitRules) -> tuple[float, float, float]:
        """Genuine matches of 30 at FMR 0.1 %, and measured ÷ nominal false matches at 1 % and 0.1 %."""
        calibration = self.people.calibration
        fitted = fit_gallery_null(calibration, *compare(calibration, self.enrolled, self.enrolled), rules)
        rows = np.concatenate([self.known, self.strangers])
        llr_db, classes = compare(
            calibration, self.people.probe.subset(rows), self.people.first.subset(self.known)
        )
        score_db = calibration.soften_db(fitted.apply(llr_db))
        mated = np.eye(len(rows), PEOPLE, dtype=bool)

        def matches(rate: float) -> NDArray[np.bool_]:
            thresholds = [fitted.null(calibration, k).threshold(rate) for k in range(EVIDENCE_CLASSES)]
            return np.asarray(score_db >= np.array(thresholds)[classes])

        genuine = int(matches(0.001)[mated][-WITNESSES:].sum())  # None of them gets further names.
        ratios = [float(matches(rate)[~mated].mean() / rate) for rate in (0.01, 0.001)]
        return genuine, ratios[0], ratios[1]


def joined(parts: Sequence[TemplateSet]) -> TemplateSet:
    """All rows of several sets."""
    return TemplateSet(
        subject_ids=tuple(name for part in parts for name in part.subject_ids),
        vectors=np.concatenate([part.vectors for part in parts]),
        evidence=EvidenceArray.joined([part.evidence for part in parts]),
        reference_vectors=np.concatenate([part.reference_vectors for part in parts]),
        reference_evidence=EvidenceArray.joined([part.reference_evidence for part in parts]),
        codes=tuple(code for part in parts for code in part.codes),
    )


def cell(galleries: Sequence[Gallery], rules: FitRules) -> str:
    """Genuine matches (mean and least) and the two ratios over galleries."""
    found = np.array([gallery.figures(rules) for gallery in galleries])
    genuine, at_1, at_01 = found.T
    return f"{genuine.mean():.1f} ({genuine.min():.0f}) / {at_1.mean():.2f} / {at_01.mean():.2f}"


def main() -> None:
    """Measure every population, attack and rule."""
    rows: list[list[str]] = []
    for bundle in BUNDLES:
        found = list(populations(load_bundle(Path("models") / bundle)))
        tasks = [(people, attack) for people in found for attack in ATTACKS]
        for people, attack in track(tasks, bundle):
            galleries = [Gallery.draw(people, attack, seed) for seed in range(GALLERIES)]
            cells = [cell(galleries, rules) for rules in RULES.values()]
            rows.append([bundle, people.name, attack.name, *cells])
    document = {
        "title": "Names of one person in a gallery that corrects itself",
        "question": "Which rules of the fit keep duplicates and alike crowds from locking a gallery?",
        "protocol": PROTOCOL,
        "columns": ["bundle", "people", "attack", *RULES],
        "rows": rows,
        "commands": ["python -m ml.research.ablations.gallery_duplicates"],
    }
    RESULT.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


PROTOCOL = (
    f"{GALLERIES} galleries of {PEOPLE} people, development data only. Every cell: genuine matches of"
    f" {WITNESSES} at FMR 0.1 %, mean (least) / false matches measured ÷ nominal at 1 % / at 0.1 %. Strips:"
    " CinC dev 15 s and the last 10 s, LUDB 5 s and 5 s, QTDB 20 s and 20 s; further names by later pieces of"
    " the same recording. “Common 0.5”: half a unit vector added to every vector, as another sensor does."
)


if __name__ == "__main__":
    main()
