"""How far above a gallery's own pairs may thresholds be read? `python -m ml.research.ablations.gallery_tail`.

A gallery of 44 resolves 3 % of its non-mated scores; a policy asks for 0.1 %. Five ways to go on from there,
on development data only: D1-dev (CinC dev people, first against last 15 s, or against last 5 s), LUDB (200
people of another sensor, first against last 5 s) and QTDB (0-20 s against 60-80 s), plain and with a
component common to all vectors added, which is what another sensor does to a network's vectors. Galleries are
drawn at random; everybody else of the set, and the enrolled people's other strips, are the probes. Writes
`results/experiments/gallery-tail.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from ml.data.readers import EcgRecord, read_cinc2017, read_ludb, read_qtdb
from ml.data.splits import cinc_split
from ml.evaluation.trials.encodings import EncodingCache, TemplateSet, cache_folder, pool_presentations
from ml.evaluation.trials.scoring import compare
from ml.evaluation.trials.trials import Cut, Presentation
from ml.runtime.calibration.llr import Calibration
from ml.runtime.calibration.nulls import BIN_DB, EVIDENCE_CLASSES, Null
from ml.runtime.encoder import BundledEncoder, load_bundle
from ml.runtime.matching.gallery_null import GalleryNull, fit_gallery_null

FloatArray = NDArray[np.float64]
DATA, CACHE = Path("../shared/data/ecg"), Path("var/cache/encodings")
RESULT = Path("results/experiments/gallery-tail.json")
BUNDLES = (Path("models/ecg@2026.11.1"), Path("models/ecg-beat@2026.11"))
SUBJECTS = (30, 44, 89, 200)
GALLERIES = 50
SEED = 20261120
FPIR = 0.05
COMMON = (0.0, 0.5)
"""Length of the common component added to vectors of length 1."""
UPPER_TENTH = 0.1


@dataclass(frozen=True)
class Tail:
    """Scores beyond the resolved ones as an exponential, its mean excess measured on the upper tenth.

    Used where `GalleryNull` is; half of the pairs count, as they share people, and the unknown mean makes the
    predicted tail (Lomax's) heavier than an exponential.
    """

    correction: GalleryNull

    def apply(self, llr_db: FloatArray) -> FloatArray:
        return self.correction.apply(llr_db)

    def null(self, calibration: Calibration, evidence_class: int) -> Null:
        null = self.correction.null(calibration, evidence_class)
        scores = self.correction.own_llr_db[evidence_class]
        if not scores.size:
            return null
        upper = self.apply(scores[-max(2, round(UPPER_TENTH * scores.size)) :])
        grid_db = (null.first_bin + np.arange(null.survival.size)) * BIN_DB
        excess_db = np.maximum(calibration.unsoften_db(grid_db) - upper[0], 0.0)
        count = max(1.0, 0.5 * UPPER_TENTH * self.correction.own_pairs[evidence_class])
        beyond = UPPER_TENTH * (1.0 + excess_db / (count * np.mean(upper - upper[0]))) ** -count
        least = self.correction.least_own_rate
        survival = np.where(null.survival > least, null.survival, np.minimum(beyond, least))
        return replace(null, survival=np.minimum.accumulate(survival))


Correction = GalleryNull | Tail
Method = Callable[[Calibration, GalleryNull], Correction]


def bulk_slope(calibration: Calibration, found: GalleryNull) -> float:
    """Median and upper quantile onto the bundle's: the map as it was."""
    own, bundle = pooled(found), histogram_quantile(calibration, found, 0.5)
    return (found.pivot_db - bundle) / (own_upper(found) - float(np.median(own)))


def anchored_slope(calibration: Calibration, found: GalleryNull) -> float:
    """Upper quantile onto the bundle's, equal vectors stay."""
    sizes = [scores.size for scores in found.own_llr_db]
    equal_db = np.average([calibration.identical_llr_db(k) for k in range(EVIDENCE_CLASSES)], weights=sizes)
    return float((equal_db - found.pivot_db) / (equal_db - own_upper(found)))


def tail_slope(calibration: Calibration, found: GalleryNull) -> float:
    """Mean excess over the upper tenth onto the bundle's."""
    own = np.sort(pooled(found))
    own = own[-max(2, round(UPPER_TENTH * own.size)) :]
    rates = UPPER_TENTH * (np.arange(200) + 0.5) / 200
    bundle = np.array([histogram_quantile(calibration, found, rate) for rate in rates])
    start_db = histogram_quantile(calibration, found, UPPER_TENTH)
    return float((bundle.mean() - start_db) / np.mean(own - own[0]))


def own_upper(found: GalleryNull) -> float:
    return (found.pivot_db - found.offset_db) / found.slope


def pooled(found: GalleryNull) -> FloatArray:
    return np.concatenate(found.own_llr_db)


def histogram_quantile(calibration: Calibration, found: GalleryNull, share: float) -> float:
    """Of the bundle's null of the class that most comparisons are in."""
    largest = int(np.argmax([scores.size for scores in found.own_llr_db]))
    return calibration.llr_histogram(largest).quantile(share)


def turned(slope_of: Callable[[Calibration, GalleryNull], float]) -> Method:
    """The gallery's correction with another slope about the same upper quantile."""

    def method(calibration: Calibration, found: GalleryNull) -> GalleryNull:
        slope = float(np.clip(slope_of(calibration, found), 0.2, 5.0))
        return replace(found, slope=slope, offset_db=found.pivot_db - slope * own_upper(found))

    return method


METHODS: dict[str, Method] = {
    "none": lambda _, __: GalleryNull.identity(),
    "bulk (as it was)": turned(bulk_slope),
    "own exponential": lambda _, found: Tail(found),
    "tail": turned(tail_slope),
    "anchored": turned(anchored_slope),
    "bulk × anchored (ships)": lambda _, found: found,
}


@dataclass(frozen=True)
class Population:
    """One template and one probe per person, of one bundle."""

    name: str
    calibration: Calibration
    templates: TemplateSet
    probes: TemplateSet

    @cached_property
    def own(self) -> tuple[FloatArray, NDArray[np.int64]]:
        return compare(self.calibration, self.templates, self.templates)

    @cached_property
    def others(self) -> tuple[FloatArray, NDArray[np.int64]]:
        return compare(self.calibration, self.probes, self.templates)

    def with_common(self, length: float) -> Population:
        """The same people behind a sensor that adds one component to every vector."""
        if not length:
            return self
        picked = np.random.default_rng(SEED).permutation(len(self.templates.vectors))[:8]
        common = self.templates.vectors[picked].sum(axis=0)
        common *= length / np.linalg.norm(common)
        return replace(
            self,
            name=f"{self.name}, common {length:g}",
            templates=moved(self.templates, common),
            probes=moved(self.probes, common),
        )


def moved(templates: TemplateSet, common: NDArray[np.float32]) -> TemplateSet:
    vectors = templates.vectors + common
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return replace(templates, vectors=vectors, reference_vectors=vectors)


def populations(encoder: BundledEncoder) -> list[Population]:
    cache = EncodingCache(cache_folder(CACHE, encoder), encoder, encoder.vector_size)
    found = []
    for name, data_set, enrolled, presented in strips():
        encoded = cache.encode(data_set, [*enrolled, *presented])
        templates, probes = (
            pool_presentations([Presentation.of(cut) for cut in cuts], encoded)
            for cuts in (enrolled, presented)
        )
        failed = [bool(a or b) for a, b in zip(templates.codes, probes.codes, strict=True)]
        both = np.flatnonzero(~np.array(failed))
        people = Population(name, encoder.calibration, templates.subset(both), probes.subset(both))
        found += [people.with_common(length) for length in COMMON]
    return found


def strips() -> Iterator[tuple[str, str, list[Cut], list[Cut]]]:
    """Name, data set, enrolled and presented strips of the same people in the same order."""
    cinc = first_recordings(read_cinc2017(DATA / "cinc2017_af", set(cinc_split()["dev"])))
    yield "D1-dev", "cinc2017_af", *first_and_last(cinc, 15.0)
    normal = [record for record in cinc if record.labels["rhythm"] == "N"]
    yield "D1-dev, sinus rhythm", "cinc2017_af", *first_and_last(normal, 15.0)
    yield "D1-dev, 5-s probes", "cinc2017_af", first_and_last(cinc, 15.0)[0], first_and_last(cinc, 5.0)[1]
    yield "LUDB", "ludb", *first_and_last(read_ludb(DATA / "ludb"), 5.0)
    qtdb = [record for record in read_qtdb(DATA / "qtdb") if record.labels["distinct_person"]]
    yield "QTDB", "qtdb", [Cut(r, 0.0, 20.0) for r in qtdb], [Cut(r, 60.0, 80.0) for r in qtdb]


def first_and_last(records: Sequence[EcgRecord], seconds: float) -> tuple[list[Cut], list[Cut]]:
    lengths_s = [min(seconds, record.duration_s / 2.0) for record in records]
    return (
        [Cut(record, 0.0, length_s) for record, length_s in zip(records, lengths_s, strict=True)],
        [Cut(r, r.duration_s - length_s) for r, length_s in zip(records, lengths_s, strict=True)],
    )


def first_recordings(records: Sequence[EcgRecord]) -> list[EcgRecord]:
    return list({record.subject_id: record for record in reversed(records)}.values())[::-1]


def measure(people: Population, subjects: int, method: Method) -> FloatArray:
    """Measure galleries: ratios at 1 % and 0.1 %, FPIR, DIR, FNMR at 0.1 %; shape (galleries, 5)."""
    rng = np.random.default_rng(SEED)
    everybody = np.arange(len(people.templates.vectors))
    found = []
    for _ in range(GALLERIES):
        known = rng.permutation(everybody)[:subjects]
        square = np.ix_(known, known)
        fitted = fit_gallery_null(people.calibration, people.own[0][square], people.own[1][square])
        found.append(figures(people, known, method(people.calibration, fitted)))
    return np.array(found)


def figures(people: Population, known: NDArray[np.int64], correction: Correction) -> tuple[float, ...]:
    llr_db, classes = people.others[0][:, known], people.others[1][:, known]
    nulls = [correction.null(people.calibration, k) for k in range(EVIDENCE_CLASSES)]
    score_db = people.calibration.soften_db(correction.apply(llr_db))
    mated = np.arange(len(llr_db))[:, None] == known

    def matches(rate: float) -> NDArray[np.bool_]:
        return np.asarray(score_db >= np.array([null.threshold(rate) for null in nulls])[classes])

    ratios = [matches(rate)[~mated].mean() / rate for rate in (0.01, 0.001)]
    reached = matches(min(0.001, FPIR / known.size))
    strangers = np.setdiff1d(np.arange(len(llr_db)), known)
    own = (known, np.arange(known.size))
    detected = reached[own] & (np.argmax(llr_db[known], axis=1) == own[1])
    false_positives = reached[strangers].any(axis=1)
    return (*ratios, false_positives.mean(), detected.mean(), 1.0 - matches(0.001)[own].mean())


def main() -> None:
    rows: list[list[str]] = []
    for bundle in BUNDLES:
        encoder = load_bundle(bundle)
        tasks = [
            (people, subjects)
            for people in populations(encoder)
            for subjects in SUBJECTS
            if len(people.templates.vectors) >= 1.5 * subjects
        ]
        for people, subjects in track(tasks, bundle.name):
            cells = [text(measure(people, subjects, method)) for method in METHODS.values()]
            rows.append([bundle.name, people.name, str(subjects), *cells])
    RESULT.write_text(json.dumps(document(rows), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def text(found: FloatArray) -> str:
    mean, (low, high) = found.mean(axis=0), np.quantile(found, [0.025, 0.975], axis=0)
    return (
        f"{mean[0]:.2f} / {mean[1]:.2f} ({low[1]:.2f}–{high[1]:.2f})"
        f" / {100 * mean[2]:.1f} / {100 * mean[3]:.1f} ({100 * low[3]:.0f}–{100 * high[3]:.0f})"
        f" / {100 * mean[4]:.1f}"
    )


def document(rows: list[list[str]]) -> dict[str, object]:
    return {
        "title": "A gallery's thresholds beyond its own pairs",
        "question": "Which map of the scores meets the rates that a gallery's own pairs do not resolve?",
        "protocol": PROTOCOL,
        "columns": list(COLUMNS),
        "rows": rows,
        "note": NOTE,
        "commands": ["python -m ml.research.ablations.gallery_tail"],
    }


COLUMNS = ("bundle", "people", "subjects", *METHODS)
PROTOCOL = (
    f"Means over {GALLERIES} random galleries (middle 95 % of them), development data only. Every cell:"
    " measured ÷ nominal false-match rate at 1 % / at 0.1 % / FPIR / DIR, both at the policy's threshold"
    " for FPIR 5 % and FMR 0.1 % / FNMR at 0.1 %; the last three in percent. Probes: the other strips of"
    " the enrolled, and everybody else. D1-dev first → last 15 s (sinus rhythm alone; last 5 s alone),"
    " LUDB first → last 5 s, QTDB 0–20 → 60–80 s. “Common 0.5”: half a unit vector added to every vector,"
    " as another sensor does."
)
NOTE = (
    "Columns differ in what sets the slope of the gallery's map. All maps meet the highest resolved "
    "quantile. With the slope of the bulk (as it was), thresholds for 0.1 % are too strict: measured "
    "false matches fall to 0.14 times nominal on LUDB behind a common component, and with ecg-beat only a "
    "quarter of the enrolled are found there. A map that keeps the score of equal vectors (anchored) is "
    "close on the other sets. It is 1.4 to 2.1 times too lenient on LUDB, and too lenient with ecg-beat "
    "behind a common component. The geometric mean of both ships: with ecg it stays between 0.65 and 1.35 "
    "in every row. The gallery's own tail, as a slope or an exponential, varies more between galleries "
    "and is no closer. With ecg-beat, LUDB and QTDB stay strict under every map: no threshold falls by "
    "more than 3 dB, and their tails are lighter than CinC's. All maps but the first apply the shift of "
    "the enrolled class at a rate to the same rate of other classes. With one map for all classes, 5-s "
    "probes behind a common component of 0.5 matched falsely 1.7 to 2.1 times as often as nominal. "
    "Centering on the gallery's mean was not measured: it needs a calibration of its own, and every "
    "enrollment would move all scores."
)


if __name__ == "__main__":
    main()
