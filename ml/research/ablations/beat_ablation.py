"""What each choice of `ecg-beat` is worth: `python -m ml.research.ablations.beat_ablation`.

One change at a time from the shipped recipe, on development data only: D1-dev (CinC dev people, first against
last 10 s and 5 s) and D2 (QTDB, minute 0-1 against 13-14, all pairs of six 10-s cuts, and of 5-s ones).
Writes `results/ecg-beat-ablation.json` and a table in `docs/results`. Comparisons that could not be made
because a strip was not acquired are left out here: no choice below changes them. Fitted to a third of the
training people: compare rows with the first one, not with the figures of the shipped bundle.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.data.augmentation import high_pass_like_a_sensor, vary_repolarisation
from ml.data.readers import read_qtdb
from ml.metrics.error_rates import eer, min_cllr, oracle_threshold
from ml.models.beat_lda import BeatLdaConfig, fit_beat_lda, fit_polarity
from ml.models.beat_views import WHOLE_VARIANCE_FLOOR, BeatView, beat_views
from ml.runtime.ecg.mean_beat import FIDUCIAL_REACH_S, MeanBeatConfig, align_beats, beat_shape, mean_beat
from ml.training.beat_lda import training_strips
from ml.training.calibrate import cinc_strips
from ml.training.recipe import Recipe, read_recipe
from ml.training.strips import RawStrip, Strip, condition_strips

FS_HZ = 250.0
FloatArray = NDArray[np.float64]
RESULTS = Path("results/ecg-beat-ablation.json")
PAGE = Path("docs/results/ecg-beat-ablation.md")
D2_CUTS = 6
# A third of the training people is enough to compare by, and takes a third of the time.
EVERY_NTH_PERSON = 3
D2_LAG_S = 13 * 60
INTRODUCTION = """# What each choice of `ecg-beat` contributes

`ecg-beat` recognizes people by their mean heartbeat and a linear discriminant, without a neural network.
This page changes one choice of its recipe at a time. It is for developers who want to know why the recipe
is as it is.

**On whom.** Development data only: D1-dev has 800 people of CinC 2017 (first against last seconds), D2 has
79 people of QTDB (13 minutes apart). Each variant was fitted on a third of the training people. Compare
rows with the first one, not with the figures of the shipped bundle.

**How to read the table.** A cell holds three percentages: EER / FNMR at FMR 1 % / rank-1 errors. *Flips*
are strips that were turned against the other strips of their person. Less is better everywhere. The table
has no intervals, so small differences mean little.

**What matters most.** How beats are averaged and aligned matters most: a plain mean about the QRS mark
nearly doubles the EER. All views of the beat together have a lower EER than any one of them. Most other
choices change little.

Written by `python -m ml.research.ablations.beat_ablation`.
"""


@dataclass(frozen=True)
class Averaging:
    """How a strip becomes a mean beat; the default is what ships."""

    mean_beat: MeanBeatConfig = field(default_factory=MeanBeatConfig)
    average: str = "robust"
    fiducial: str = "slope centroid"
    band_hz: tuple[float, float] | None = None


@dataclass(frozen=True)
class Variant:
    """One row of the table."""

    group: str
    name: str
    averaging: Averaging = field(default_factory=Averaging)
    segments: int = 6
    views: str = "all"
    lda: BeatLdaConfig | None = None
    t_waves: Mapping[str, float] | None = None
    sensors: str = "high-pass"
    rr_power: float = 0.0


@dataclass(frozen=True)
class Beats:
    """Mean beats with margins: float64 (n, n_samples), people and parts (n,), median RR in seconds (n,)."""

    beats: FloatArray
    people: NDArray[np.int64]
    parts: NDArray[np.int64]
    rr_s: FloatArray


def averaged(strips: Sequence[Strip], how: Averaging, segments: int, sensors: str = "") -> Beats:
    """Average every segment of every strip, behind a random sensor if one is named."""
    names = {name: number for number, name in enumerate(sorted({s.subject_id for s in strips}))}
    rng = np.random.default_rng(20261120)
    rows = []
    for strip in strips:
        if strip.r_peaks.size == 0:
            continue
        ecg = strip.ecg.astype(np.float64) if how.band_hz is None else _band(strip.ecg, *how.band_hz)
        marks = align_beats(ecg, FS_HZ, strip.r_peaks, how.mean_beat)
        rr_s = float(np.median(np.diff(strip.r_peaks))) / FS_HZ if strip.r_peaks.size > 1 else 0.85
        edges = np.linspace(0, ecg.size, segments + 1).astype(int).tolist()
        for number, (first, end) in enumerate(pairwise(edges)):
            begin = max(0, first - 500)
            piece = _behind_sensor(ecg[begin : end + 120], sensors, rng) if sensors else ecg[begin:]
            inside = marks[(marks >= first) & (marks < end)] - begin
            beat = _mean(piece, inside, how)
            if beat is not None:
                part = strip.part if segments == 1 else number
                rows.append((beat, names[strip.subject_id], part, rr_s))
    beats, people, parts, rr = zip(*rows, strict=True)
    return Beats(np.array(beats), np.array(people), np.array(parts), np.array(rr))


def _band(ecg: NDArray[np.floating], low_hz: float, high_hz: float) -> FloatArray:
    from scipy.signal import butter, sosfiltfilt

    return np.asarray(sosfiltfilt(butter(2, (low_hz, high_hz), "bandpass", fs=FS_HZ, output="sos"), ecg))


def _behind_sensor(ecg: FloatArray, sensors: str, rng: np.random.Generator) -> FloatArray:
    from scipy.signal import butter, sosfilt, sosfiltfilt

    if "high-pass" in sensors:
        ecg = high_pass_like_a_sensor(ecg.astype(np.float32), FS_HZ, rng, high_pass_hz=(0.05, 1.0))
    if "low-pass" in sensors:
        sos = butter(int(rng.integers(1, 4)), rng.uniform(20.0, 40.0), "low", fs=FS_HZ, output="sos")
        ecg = np.asarray(sosfilt(sos, ecg))
    if "equaliser" in sensors:
        corner_hz = float(np.exp(rng.uniform(np.log(2.0), np.log(15.0))))
        low = sosfiltfilt(butter(1, corner_hz, "low", fs=FS_HZ, output="sos"), ecg)
        ecg = np.asarray(low + 10 ** (rng.uniform(-6.0, 6.0) / 20) * (ecg - low))
    if "noise" in sensors:
        muscle = _band(rng.standard_normal(ecg.size), 10.0, 40.0)
        drift = _band(rng.standard_normal(ecg.size), 0.3, 2.0)
        size = 0.2 * rng.random() * ecg.std()
        ecg = ecg + size * (muscle / muscle.std() + drift / drift.std())
    return ecg


def _mean(ecg: FloatArray, marks: NDArray[np.int64], how: Averaging) -> FloatArray | None:
    config = how.mean_beat
    if how.average == "robust" and how.fiducial == "slope centroid":
        return mean_beat(ecg, FS_HZ, marks, config)
    before, after = round(config.before_s * FS_HZ), round(config.after_s * FS_HZ)
    margin = round(FIDUCIAL_REACH_S * FS_HZ)
    whole = marks[(marks >= before) & (marks + after <= ecg.size)]
    if whole.size == 0:
        return None
    index = np.clip(whole[:, None] + np.arange(-before - margin, after + margin), 0, ecg.size - 1)
    if how.average == "robust":
        centred = mean_beat(ecg, FS_HZ, marks, config)
        return centred if centred is None else _about_peak(centred, before + margin)
    beats = np.sort(ecg[index], axis=0)
    if how.average == "median":
        return np.asarray(np.median(beats, axis=0))
    cut = int(0.2 * len(beats)) if how.average == "trimmed" else 0
    return np.asarray(beats[cut : len(beats) - cut].mean(axis=0))


def _about_peak(beat: FloatArray, fiducial: int) -> FloatArray:
    near = slice(fiducial - 20, fiducial + 21)
    shift = int(np.argmax(np.abs(beat[near]))) - 20
    return np.asarray(np.interp(np.arange(beat.size) + shift, np.arange(beat.size), beat))


def shapes_of(found: Beats, how: Averaging, rr_power: float) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Standardise; with an RR power, stretch ST and T to what they would be at RR = 0.85 s."""
    beats = found.beats
    if rr_power:
        fiducial = round(how.mean_beat.before_s * FS_HZ) + round(FIDUCIAL_REACH_S * FS_HZ)
        time_s = (np.arange(beats.shape[1]) - fiducial) / FS_HZ
        factors = np.clip(found.rr_s / 0.85, 0.6, 1.5) ** rr_power
        beats = np.array(
            [
                np.interp(np.where(time_s < 0.06, time_s, 0.06 + (time_s - 0.06) * k), time_s, beat)
                for beat, k in zip(beats, factors, strict=True)
            ]
        )
    shapes = [beat_shape(beat, FS_HZ, how.mean_beat) for beat in beats]
    kept = np.array([shape is not None for shape in shapes])
    return np.array([shape for shape in shapes if shape is not None], dtype=np.float64), kept


def views_of(which: str, config: MeanBeatConfig) -> tuple[BeatView, ...]:
    """Pick from the shipped views."""
    views = beat_views(config.n_samples, round(config.before_s * config.fs_hz), config.fs_hz)
    wholes = tuple(v for v in views if v.variance_floor == WHOLE_VARIANCE_FLOOR)
    return {
        "all": views,
        "shape": wholes[:1],
        "slope": wholes[1:2],
        "shape, slope": wholes[:2],
        "shape, slope, curvature": wholes,
        "shape in parts": (*wholes[:2], *(v for v in views if v not in wholes and v.order == 0)),
    }[which]


class Bench:
    """The strips, and mean beats by how they were averaged."""

    def __init__(self, recipe: Recipe, data: Path, cache: Path) -> None:
        self.recipe = recipe
        self.training = training_strips(data, recipe, cache)[::EVERY_NTH_PERSON]
        self.development = {
            "D1-dev 10 s": cinc_strips(data, "dev", 10.0, cache),
            "D1-dev 5 s": cinc_strips(data, "dev", 5.0, cache),
            "D2 10 s": condition_strips(qtdb_cuts(data, 10.0), cache / "qtdb-cuts-10s"),
            "D2 5 s": condition_strips(qtdb_cuts(data, 5.0), cache / "qtdb-cuts-5s"),
        }
        self._beats: dict[str, Beats] = {}

    def beats(self, name: str, variant: Variant, sensors: str = "") -> Beats:
        """Mean beats of a development set or of `training`."""
        segments = variant.segments if name == "training" else 1
        key = f"{name} {variant.averaging} {segments} {sensors}"
        if key not in self._beats:
            strips = self.training if name == "training" else self.development[name]
            self._beats[key] = averaged(strips, variant.averaging, segments, sensors)
        return self._beats[key]

    def run(self, variant: Variant) -> dict[str, Any]:
        """Fit and measure one variant."""
        how, plan = variant.averaging, self.recipe
        sources = [self.beats("training", variant)]
        if variant.sensors:
            sources.append(self.beats("training", variant, variant.sensors))
        shapes, people = [], []
        stretched = [] if variant.t_waves == {} else self._stretched(sources, variant)
        for source in sources + stretched:
            more, kept = shapes_of(source, how, variant.rr_power)
            shapes.append(more)
            people.append(source.people[kept])
        polarity = fit_polarity(np.concatenate(shapes[: len(sources)]), plan.lda.polarity_ridge)
        views = views_of(variant.views, how.mean_beat)
        fitted = fit_beat_lda(
            np.concatenate(shapes), np.concatenate(people), views, variant.lda or plan.lda, polarity
        )
        row: dict[str, Any] = {"group": variant.group, "variant": variant.name}
        for name in self.development:
            found = self.beats(name, variant)
            tested, kept = shapes_of(found, how, variant.rr_power)
            row[name] = figures(fitted.vectors(tested), found.people[kept], found.parts[kept])
            row[name]["polarity_flips"] = _flips(tested @ polarity < 0.0, found.people[kept])
        return row

    def _stretched(self, sources: Sequence[Beats], variant: Variant) -> list[Beats]:
        amounts = variant.t_waves or {
            "t_amplitude_sd": self.recipe.variation.t_amplitude_sd,
            "t_stretch_sd": self.recipe.variation.t_stretch_sd,
            "jitter_s": self.recipe.variation.jitter_s,
        }
        before_s = variant.averaging.mean_beat.before_s
        fiducial = round(before_s * FS_HZ) + round(FIDUCIAL_REACH_S * FS_HZ)
        rng = np.random.default_rng(self.recipe.variation.seed)
        return [
            replace(s, beats=vary_repolarisation(s.beats, FS_HZ, fiducial, rng, **amounts)) for s in sources
        ]


def qtdb_cuts(data: Path, seconds: float) -> Iterator[RawStrip]:
    for record in read_qtdb(data / "ecg" / "qtdb"):
        if not record.labels["distinct_person"]:
            continue
        for late in (0, 1):
            for cut in range(D2_CUTS):
                start = round((late * D2_LAG_S + 10 * cut) * record.fs_hz)
                piece = record.signal[start : start + round(seconds * record.fs_hz)]
                yield RawStrip(record.subject_id, 100 * late + cut, record.fs_hz, piece)


def figures(
    vectors: FloatArray,
    people: NDArray[np.int64],
    parts: NDArray[np.int64],
    norm: tuple[FloatArray, FloatArray] | None = None,
) -> dict[str, float]:
    """Rates of early against late strips, at thresholds of these very scores.

    Args:
        vectors: Unit norm, float64, shape (n, d).
        people, parts: Whose strip, and which; late ones are part 1, or from 100 on.
        norm: Mean and deviation of each vector's scores against others, for symmetric normalisation.
    """
    late = parts >= 100 if parts.max() >= 100 else parts == 1
    cosine = vectors[~late] @ vectors[late].T
    if norm is not None:
        mean, deviation = norm
        cosine = 0.5 * (
            (cosine - mean[~late][:, None]) / deviation[~late][:, None]
            + (cosine - mean[late]) / deviation[late]
        )
    same = people[~late][:, None] == people[late]
    mated, non_mated = cosine[same], cosine[~same]
    thinned = non_mated[:: max(1, non_mated.size // 50_000)]
    best = people[~late][np.argmax(cosine, axis=0)]
    return {
        "eer": round(eer(mated, thinned), 4),
        "fnmr_at_fmr_1e-2": round(float(np.mean(mated < oracle_threshold(non_mated, 1e-2))), 4),
        "fnmr_at_fmr_1e-3": round(float(np.mean(mated < oracle_threshold(non_mated, 1e-3))), 4),
        "min_cllr": round(min_cllr(mated, thinned), 4),
        "rank_1_errors": round(float(np.mean(best != people[late])), 4),
    }


def _flips(inverted: NDArray[np.bool_], people: NDArray[np.int64]) -> float:
    """Share of strips whose polarity disagrees with the person's majority."""
    shares = [inverted[people == person].mean() for person in np.unique(people)]
    return round(float(np.mean(np.minimum(shares, 1.0 - np.array(shares)))), 4)


def variants(recipe: Recipe) -> list[Variant]:
    """One change at a time from the recipe."""
    beat = recipe.mean_beat
    return [Variant("shipped", "ecg-beat.toml"), *_beat_variants(beat), *_fit_variants(recipe)]


def _beat_variants(beat: MeanBeatConfig) -> list[Variant]:
    rows = []
    for order in (0, 1, 3):
        rows.append(Variant("drift", f"order {order}", Averaging(replace(beat, drift_order=order))))
    rows.append(Variant("cut-off beats", "left out", Averaging(replace(beat, least_share=1.0))))
    for limit in (1.5, 100.0):
        rows.append(Variant("Huber", f"{limit:g}", Averaging(replace(beat, huber_deviations=limit))))
    for average in ("mean", "median", "trimmed"):
        # These keep their QRS marks and their drift: what a plain segmentation would give.
        name = f"{average}, about the QRS mark"
        rows.append(Variant("average", name, Averaging(average=average)))
    rows.append(Variant("fiducial", "largest deflection", Averaging(fiducial="peak")))
    rows.append(Variant("alignment", "none", Averaging(replace(beat, align_rounds=0))))
    for before_s, after_s in ((0.20, 0.40), (0.25, 0.40), (0.30, 0.45), (0.30, 0.50)):
        window = replace(beat, before_s=before_s, after_s=after_s)
        rows.append(Variant("window", f"−{before_s:g} … +{after_s:g} s", Averaging(window)))
    for band_hz in ((1.0, 40.0), (0.5, 30.0)):
        rows.append(Variant("band", f"{band_hz[0]:g}–{band_hz[1]:g} Hz", Averaging(band_hz=band_hz)))
    rows.append(Variant("RR normalisation", "RR^0.3", rr_power=0.3))
    return rows


def _fit_variants(recipe: Recipe) -> list[Variant]:
    rows = []
    for views in ("shape", "slope", "shape, slope", "shape, slope, curvature", "shape in parts"):
        rows.append(Variant("views", views, views=views))
    for segments in (3, 10):
        rows.append(Variant("segments", str(segments), segments=segments))
    for dimensions in (32, 48, 80, 120):
        rows.append(Variant("dimensions", str(dimensions), lda=replace(recipe.lda, dimensions=dimensions)))
    for shrinkage in (0.0003, 0.03):
        rows.append(Variant("shrinkage", f"{shrinkage:g}", lda=replace(recipe.lda, shrinkage=shrinkage)))
    for power in (0.0, 0.5, 1.0):
        name = "WCCN" if power == 0 else f"power {power:g}"
        rows.append(Variant("axis scale", name, lda=replace(recipe.lda, reliability_power=power)))
    for sensors in ("", "high-pass, low-pass", "high-pass, equaliser", "high-pass, noise"):
        rows.append(Variant("simulated sensor", sensors or "none", sensors=sensors))
    rows.append(Variant("T-wave variation", "none", t_waves={}))
    for size, stretch, jitter_s in ((0.2, 0.0, 0.0), (0.0, 0.05, 0.0), (0.2, 0.08, 0.001)):
        amounts = {"t_amplitude_sd": size, "t_stretch_sd": stretch, "jitter_s": jitter_s}
        rows.append(Variant("T-wave variation", f"{size:g} / {stretch:g} / {jitter_s:g}", t_waves=amounts))
    return rows


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: EER / FNMR at FMR 1 % / rank-1 errors, all in percent."""
    sets = [name for name in rows[0] if name not in ("group", "variant")]
    lines = [
        INTRODUCTION,
        "| choice | variant | " + " | ".join(sets) + " | flips D2 |",
        "|---|---|" + "---|" * (len(sets) + 1),
    ]
    for row in rows:
        cells = [
            f"{100 * row[s]['eer']:.1f} / {100 * row[s]['fnmr_at_fmr_1e-2']:.1f} "
            f"/ {100 * row[s]['rank_1_errors']:.1f}"
            for s in sets
        ]
        flips = f"{100 * row['D2 10 s']['polarity_flips']:.1f}"
        lines.append(f"| {row['group']} | {row['variant']} | " + " | ".join([*cells, flips]) + " |")
    return "\n".join(lines) + "\n"


def main(groups: Sequence[str]) -> None:
    """Run all variants, or the named groups only (then without writing results)."""
    recipe = read_recipe(Path("ml/recipes/ecg-beat.toml"))
    bench = Bench(recipe, Path("../shared/data"), Path("var/cache"))
    rows = []
    for variant in variants(recipe):
        if not groups or variant.group in groups:
            rows.append(bench.run(variant))
            print(table(rows).splitlines()[-1], flush=True)
            if not groups:
                _write(recipe, rows)


def _write(recipe: Recipe, rows: Sequence[Mapping[str, Any]]) -> None:
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    result = {"recipe_sha256": recipe.sha256, "every_nth_training_person": EVERY_NTH_PERSON, "rows": rows}
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    PAGE.write_text(table(rows))


if __name__ == "__main__":
    main(sys.argv[1:])
