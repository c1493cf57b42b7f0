"""What each choice behind the networks of `ecg` is worth: `python -m ml.research.ablations.network_backend`.

Branches and their weight, distance of windows, both polarities, linear maps behind the window network, and
normalisation by a gallery or a cohort, one change at a time, on development data only: D1-dev (CinC dev
people, first against last 10 s and 5 s) and D2 (QTDB, minute 0-1 against 13-14, all pairs of six 10-s cuts).
Writes `results/experiments/backend.json`. Comparisons that could not be made are left out here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import nn

from ml.export.assembly_recipe import AssemblyRecipe, read_assembly_recipe
from ml.models.beat_lda import BeatLda
from ml.research.ablations.beat_ablation import figures, qtdb_cuts
from ml.runtime.ecg.signal.windows import WindowConfig, strip_windows
from ml.training import beat_lda
from ml.training.calibrate import cinc_strips
from ml.training.checkpoints import load_network, weights_path
from ml.training.network_data import beat_of
from ml.training.recipe import Recipe, read_recipe
from ml.training.repeat_mining import first_and_last_third
from ml.training.strips import Strip, condition_strips

RESULTS = Path("results/experiments/backend.json")
Vectors = NDArray[np.float64]
# Strips of training people that fit maps and cohorts, by their first and last thirds.
MAP_STRIPS = 3000
COHORT = 1000
NEAREST = 200
FIGURES = ("errors", "EER", "1 %", "0.1 %")
COLUMNS = ("rank_1_errors", "eer", "fnmr_at_fmr_1e-2", "fnmr_at_fmr_1e-3")


@dataclass(frozen=True)
class Read:
    """What the branches read of a set of strips, upright.

    Args:
        windows: One array per strip, float32, (n, n_samples).
        beats: float32, shape (n_strips, n_beat).
        people, parts: int64, shape (n_strips,).
    """

    windows: Sequence[NDArray[np.float32]]
    beats: NDArray[np.float32]
    people: NDArray[np.int64]
    parts: NDArray[np.int64]


class Bench:
    """Networks, strips, and embeddings made once."""

    def __init__(self, plan: AssemblyRecipe, beats: Recipe, data: Path, var: Path) -> None:
        self.plan, self.beats = plan, beats
        self.windows_network = load_network(weights_path(plan.assembly.windows, var))[0]
        self.beat_network = load_network(weights_path(plan.assembly.beats, var))[0]
        self.training = beat_lda.training_strips(data, beats, var / "cache")
        self.lda: BeatLda = beat_lda.fit(self.training, beats)
        cache = var / "cache"
        self.development = {
            "D1-dev 10 s": cinc_strips(data, "dev", 10.0, cache),
            "D1-dev 5 s": cinc_strips(data, "dev", 5.0, cache),
            "D2 10 s": condition_strips(qtdb_cuts(data, 10.0), cache / "qtdb-cuts-10s"),
        }
        self._read: dict[tuple[str, float], Read] = {}
        self._kept: dict[tuple[str, float, bool], Vectors] = {}

    def read(self, name: str, step_s: float) -> Read:
        """What the branches read of a development set."""
        if (name, step_s) not in self._read:
            config = replace(self.plan.windows, step_s=step_s)
            self._read[name, step_s] = self.upright(self.development[name], config)
        return self._read[name, step_s]

    def upright(self, strips: Sequence[Strip], config: WindowConfig) -> Read:
        """Cut windows and mean beats of the strips that have them, the right way up."""
        names = {n: i for i, n in enumerate(sorted({s.subject_id for s in strips}))}
        windows, beats, people, parts = [], [], [], []
        for strip in strips:
            shape = beat_of(strip, self.beats.mean_beat)
            if shape is None:
                continue
            sign = np.float32(1.0 if float(shape @ self.lda.polarity) >= 0.0 else -1.0)
            windows.append(sign * strip_windows(strip.ecg, strip.accepted, config))
            beats.append(sign * shape)
            people.append(names[strip.subject_id])
            parts.append(strip.part)
        return Read(windows, np.array(beats), np.array(people), np.array(parts))

    def of_windows(self, name: str, step_s: float, both: bool = False) -> Vectors:
        """Pooled embeddings of the windows, unit norm."""
        key = (name, step_s, both)
        if key not in self._kept:
            self._kept[key] = pooled(self.windows_network, self.read(name, step_s).windows, both=both)
        return self._kept[key]

    def of_beats(self, name: str) -> Vectors:
        """Embeddings of the mean beats, unit norm."""
        return unit(embed(self.beat_network, self.read(name, self.plan.windows.step_s).beats))

    def of_lda(self, name: str) -> Vectors:
        """What `ecg-beat` gives."""
        return self.lda.vectors(self.read(name, self.plan.windows.step_s).beats)

    @cached_property
    def training_halves(self) -> tuple[Vectors, Vectors, NDArray[np.int64]]:
        """Window and beat vectors of the first and last third of training strips, and whose they are."""
        strips = self.training[:: max(1, len(self.training) // MAP_STRIPS)]
        halves = [third for strip in strips for third in first_and_last_third(strip)]
        read = self.upright(halves, replace(self.plan.windows, step_s=3.0))
        beats = unit(embed(self.beat_network, read.beats))
        return pooled(self.windows_network, read.windows), beats, read.people


def embed(network: nn.Module, rows: NDArray[np.float32]) -> Vectors:
    """Embeddings, not normalised; float64, shape (n, d)."""
    with torch.no_grad():
        found = [network(part).embedding.float() for part in torch.split(torch.from_numpy(rows), 512)]
    return np.asarray(torch.cat(found).numpy(), dtype=np.float64)


def pooled(network: nn.Module, windows: Sequence[NDArray[np.float32]], *, both: bool = False) -> Vectors:
    """Mean of each strip's unit embeddings, unit norm; with both polarities of each window if asked."""
    rows = np.concatenate(windows)
    embeddings = embed(network, rows) + (embed(network, -rows) if both else 0.0)
    ends = np.cumsum([len(w) for w in windows])[:-1]
    return unit(np.array([part.mean(axis=0) for part in np.split(unit(embeddings), ends)]))


def unit(rows: Vectors) -> Vectors:
    """Unit norm; shape (n, d) stays."""
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def joined(*branches: tuple[float, Vectors]) -> Vectors:
    """Branches side by side under their weights."""
    return np.concatenate([np.sqrt(weight) * vectors for weight, vectors in branches], axis=1)


def discriminant(
    vectors: Vectors, people: NDArray[np.int64], dimensions: int, shrinkage: float
) -> Callable[[Vectors], Vectors]:
    """LDA with unit within-person scatter (WCCN), fitted to training people."""
    from scipy.linalg import eigh

    mean = vectors.mean(axis=0)
    names, row = np.unique(people, return_inverse=True)
    means = np.array([vectors[row == i].mean(axis=0) for i in range(len(names))])
    rest = vectors - means[row]
    within = rest.T @ rest / max(1, len(vectors) - len(names))
    within = (1 - shrinkage) * within + shrinkage * np.trace(within) / len(within) * np.eye(len(within))
    ratio, axes = eigh(np.cov(means.T), within)
    kept = axes[:, np.argsort(ratio)[::-1][:dimensions]]
    return lambda rows: unit((rows - mean) @ kept)


def rows(bench: Bench) -> list[tuple[str, str, Callable[[str], Vectors]]]:
    """Question, variant, and vectors of a development set by its name."""
    step_s, weight = bench.plan.windows.step_s, bench.plan.assembly.window_weight

    def both_branches(share: float, step: float = step_s, both: bool = False) -> Callable[[str], Vectors]:
        return lambda n: joined((share, bench.of_windows(n, step, both)), (1 - share, bench.of_beats(n)))

    train_windows, train_beats, people = bench.training_halves
    train_joined = joined((weight, train_windows), (1 - weight, train_beats))

    def behind(fitted: Callable[[Vectors], Vectors]) -> Callable[[str], Vectors]:
        return lambda n: joined(
            (weight, fitted(bench.of_windows(n, step_s))), (1 - weight, bench.of_beats(n))
        )

    def behind_all(fitted: Callable[[Vectors], Vectors]) -> Callable[[str], Vectors]:
        return lambda n: fitted(both_branches(weight)(n))

    made: list[tuple[str, str, Callable[[str], Vectors]]] = [
        ("branches", "windows alone", lambda n: bench.of_windows(n, step_s)),
        ("branches", "beat network alone", bench.of_beats),
        ("branches", "ecg-beat (LDA) alone", bench.of_lda),
        (
            "branches",
            "windows + LDA, 0.65 : 0.35",
            lambda n: joined((0.65, bench.of_windows(n, step_s)), (0.35, bench.of_lda(n))),
        ),
        (
            "branches",
            "windows + beat network + LDA, 0.6 : 0.2 : 0.2",
            lambda n: joined(
                (0.6, bench.of_windows(n, step_s)), (0.2, bench.of_beats(n)), (0.2, bench.of_lda(n))
            ),
        ),
    ]
    made += [
        ("weight of the windows", f"{w:g}", both_branches(w)) for w in (0.4, 0.5, 0.6, 0.65, 0.7, 0.8, 0.9)
    ]
    made += [("distance of windows", f"{s:g} s", both_branches(weight, s)) for s in (0.75, 1.5, 1.8, 2.4)]
    made += [("polarity", "both polarities averaged", both_branches(weight, step_s, True))]
    made += [("behind the windows", "centred", behind(lambda v: unit(v - train_windows.mean(axis=0))))]
    for dimensions, shrinkage in ((128, 0.1), (96, 0.1), (64, 0.1), (128, 0.5)):
        name = f"LDA + WCCN, {dimensions} axes, shrinkage {shrinkage:g}"
        made.append(
            ("behind the windows", name, behind(discriminant(train_windows, people, dimensions, shrinkage)))
        )
    made.append(
        ("behind both", "LDA + WCCN, 128 axes", behind_all(discriminant(train_joined, people, 128, 0.1)))
    )
    return made


def normalised(bench: Bench, name: str, how: str) -> dict[str, float]:
    """Figures of the assembled vectors under a normalisation of scores or vectors."""
    step_s, weight = bench.plan.windows.step_s, bench.plan.assembly.window_weight
    vectors = joined((weight, bench.of_windows(name, step_s)), (1 - weight, bench.of_beats(name)))
    read = bench.read(name, step_s)
    late = read.parts >= 100 if read.parts.max() >= 100 else read.parts == 1
    gallery = vectors[~late]
    if how == "centred on the gallery":
        return figures(unit(vectors - gallery.mean(axis=0)), read.people, read.parts)
    train_windows, train_beats, _ = bench.training_halves
    cohort = joined((weight, train_windows), (1 - weight, train_beats))[:: len(train_windows) // COHORT]
    against = gallery if how == "S-norm by the gallery" else cohort
    nearest = len(against) if how == "S-norm by the gallery" else NEAREST
    scores = vectors @ against.T
    top = np.sort(scores, axis=1)[:, -nearest:]
    if how == "S-norm by the gallery":
        top = top[:, : int(0.98 * nearest)]  # The own template and its neighbours stay out.
    return figures(vectors, read.people, read.parts, norm=(top.mean(axis=1), top.std(axis=1)))


NORMALISATIONS = ("centred on the gallery", "S-norm by the gallery", "AS-norm by training people")


def run(data: Path, var: Path = Path("var"), recipe: Path = Path("ml/recipes/ecg.toml")) -> dict[str, Any]:
    """Measure all variants; the content of the results file."""
    bench = Bench(read_assembly_recipe(recipe), read_recipe(Path("ml/recipes/ecg-beat.toml")), data, var)
    table = []
    for question, variant, vectors_of in track(rows(bench), description="variants"):
        found = {
            name: figures(vectors_of(name), bench.read(name, 1.5).people, bench.read(name, 1.5).parts)
            for name in bench.development
        }
        table.append(_row(question, variant, found))
    for how in NORMALISATIONS:
        table.append(_row("domain shift", how, {n: normalised(bench, n, how) for n in bench.development}))
    return {
        "title": "Behind the networks",
        "question": "Which branches and which weight? Does any map or normalization help?",
        "protocol": "D1-dev first → last 10 s and 5 s; D2 minute 0–1 → 13–14, all pairs of six 10-s cuts. "
        "Shares of rank-1 errors, EER, FNMR at FMR 1 % and 0.1 % (oracle thresholds), in percent; failures "
        "to acquire left out.",
        "columns": [
            "choice",
            "variant",
            *(
                f"{name}: {column}"
                for name in bench.development
                for column in ("errors", "EER", "1 %", "0.1 %")
            ),
        ],
        "rows": table,
        "note": f"Weight {bench.plan.assembly.window_weight:g} unless stated. Cosines alone: "
        "a bundle also uses seconds and quality, so figures of the bundle itself are better.",
        "commands": ["python -m ml.research.ablations.network_backend"],
    }


def _row(question: str, variant: str, found: Mapping[str, Mapping[str, float]]) -> list[str]:
    cells = [f"{100 * found[name][column]:.2f}" for name in found for column in COLUMNS]
    return [question, variant, *cells]


if __name__ == "__main__":
    content = run(Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data"))
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
