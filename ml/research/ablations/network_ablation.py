"""Ablation of augmentation, losses and teachers: `python -m ml.research.ablations.network_ablation losses`.

One change at a time from a base recipe, with a small network and budget, on development data only: D1-dev
(first against last 10 s, and 5 s) and D2 (QTDB, minute 0-1 against 13-14, all pairs of six 10-s cuts),
windows alone. Writes `results/experiments/<group>.json` after every training. An interrupted run resumes:
rows that exist are not measured again.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from torch import nn

from ml.research.ablations.beat_ablation import figures, qtdb_cuts
from ml.research.ablations.network_backend import COLUMNS, FIGURES, pooled
from ml.runtime.ecg.signal.windows import WindowConfig, strip_windows
from ml.training import beat_lda
from ml.training.calibrate import cinc_strips
from ml.training.checkpoints import weights_path
from ml.training.distillation import taught_by
from ml.training.loop import TrainingSet, train_network
from ml.training.material import window_material
from ml.training.network_data import training_noise, upright_sign
from ml.training.network_recipe import (
    AugmentationConfig,
    DistillationPlan,
    LossPlan,
    NetworkPlan,
    NetworkRecipe,
    OptimizationConfig,
)
from ml.training.recipe import BundleNames, read_recipe
from ml.training.strips import Strip, condition_strips

RESULTS = Path("results/experiments")
# 0.84 M weights, and a quarter of an hour on one idle core.
NETWORK = NetworkPlan(
    "resnet1d", {"widths": (48, 72, 96, 144), "blocks": (2, 2, 2, 2), "kernels": (7, 7, 5, 5)}
)
OPTIMIZATION = OptimizationConfig(people=128)
MARGIN = LossPlan("additive_margin", options={"scale": 20.0}, margin=0.2)
CONTRAST = LossPlan("sup_con", options={"temperature": 0.07})
ARC_FACE = LossPlan("arc_face", options={"scale": 20.0}, margin=0.2)
SUB_CENTER = LossPlan("sub_center", options={"scale": 20.0}, margin=0.2)
PROXY_ANCHOR = LossPlan("proxy_anchor")
TRIPLET = LossPlan("batch_hard_triplet", margin=0.2, margin_from=0.0, margin_to=0.1)
LATE_TRIPLET = replace(TRIPLET, margin_from=0.5, margin_to=0.6, begins=0.5)
BASE = AugmentationConfig()


@dataclass(frozen=True)
class Variant:
    """One training."""

    name: str
    augmentation: AugmentationConfig = BASE
    losses: tuple[LossPlan, ...] = (MARGIN, CONTRAST)
    distillation: DistillationPlan | None = None
    network: NetworkPlan = NETWORK
    seed: int = 20261120


@dataclass(frozen=True)
class Group:
    """Variants that answer one question."""

    title: str
    question: str
    variants: tuple[Variant, ...]
    network: str = "ResNet of 0.84 M weights"
    steps: int = 2000
    note: str = ""


def _off(**changes: Any) -> AugmentationConfig:
    return replace(BASE, **changes)


PLAIN_CHANNEL = {"equaliser_db": 0.0, "high_pass_share": 0.0, "low_pass_share": 0.0}
NO_NOISE = {"muscle_share": 0.0, "drift_share": 0.0, "motion_share": 0.0, "noise_share": 0.0}
# The slim student, 0.68 M weights, and the slim transformer, 0.64 M.
SLIM = NetworkPlan(
    "resnet1d", {"widths": (48, 96, 128, 160), "blocks": (1, 1, 2, 2), "kernels": (7, 5, 3, 3)}
)
SLIM_DEIT = NetworkPlan("deit1d", {"width": 96, "blocks": 6, "heads": 3, "mlp_ratio": 3.0})
# As in the paper: width 192, 12 blocks, 3 heads, 5.6 M weights.
DEIT_TINY = NetworkPlan("deit1d", {})
SEEDS = (20261120, 20261121, 20261122)
# Weights at which each term's gradient is about as large as that of the metric losses.
TERMS: Mapping[str, float] = {
    "kd_logit": 1.0,
    "kd_stage": 2.0,
    "kd_attention": 5.0,
    "kd_relation": 5.0,
    "kd_embedding": 5.0,
    "kd_contrast": 1.0,
}
# Terms that read the teacher's vectors only.
VECTOR_TERMS = {name: TERMS[name] for name in ("kd_embedding", "kd_relation", "kd_contrast")}
# Terms of the distillation token, which only transformers have.
TOKEN_TERMS = {"kd_token_embedding": 5.0, "kd_token_label": 1.0}


def _taught(name: str, terms: Mapping[str, float], network: NetworkPlan = SLIM, **changes: Any) -> Variant:
    plan = DistillationPlan(changes.pop("teacher", "ecg-teacher"), dict(terms)) if terms else None
    return Variant(name, distillation=plan, network=network, **changes)


def _seeds(name: str, terms: Mapping[str, float]) -> tuple[Variant, ...]:
    return tuple(_taught(f"{name}, seed {i + 1}", terms, seed=seed) for i, seed in enumerate(SEEDS))


GROUPS: Mapping[str, Group] = {
    "augmentation": Group(
        "Augmentation against channel offset",
        "Which variation of a crop carries over to other days and sensors?",
        (
            Variant("all, for half of the crops each"),
            Variant("no random channel (shelves, high-pass, low-pass)", _off(**PLAIN_CHANNEL)),
            Variant("no residue swap", _off(swap_share=0.0)),
            Variant("no heart-rate warping, no rate jitter", _off(warp_share=0.0, rate_jitter=0.0)),
            Variant("stronger heart-rate warping (0.8)", _off(period_change=0.8)),
            Variant("no T-wave variation", _off(repolarisation_sd=0.0)),
            Variant("no noise (muscle, drift, motion, unreadable records)", _off(**NO_NOISE)),
            Variant("never upside down", _off(invert_share=0.0)),
            Variant("no quantisation", _off(quantisation_share=0.0)),
            Variant("none at all", _off(**PLAIN_CHANNEL, **NO_NOISE, swap_share=0.0, warp_share=0.0,
                                        rate_jitter=0.0, repolarisation_sd=0.0, quantisation_share=0.0)),
        ),
        steps=1000,
    ),
    "losses": Group(
        "Losses",
        "Which metric loss?",
        (
            Variant("AM-softmax + SupCon (as shipped)"),
            Variant("SupCon", losses=(CONTRAST,)),
            Variant("AM-softmax", losses=(MARGIN,)),
            Variant("ArcFace", losses=(ARC_FACE,)),
            Variant("sub-centre ArcFace", losses=(SUB_CENTER,)),
            Variant("ProxyAnchor", losses=(PROXY_ANCHOR,)),
            Variant("batch-hard triplet", losses=(TRIPLET,)),
            Variant("SupCon, then batch-hard triplet", losses=(CONTRAST, LATE_TRIPLET)),
        ),
        steps=1000,
    ),
    "distillation": Group(
        "Hierarchical distillation into a slim student",
        "Which term of a ResNet-34 teacher helps a ResNet of 0.68 M weights?",
        (
            *_seeds("none", {}),
            *(_taught(name, {name: weight}) for name, weight in TERMS.items()),
            _taught("embedding, relation, contrast", VECTOR_TERMS),
            *_seeds("logit, embedding, relation, contrast", {"kd_logit": 1.0, **VECTOR_TERMS}),
            *_seeds("all", TERMS),
            _taught("kd_logit, by its own twin", {"kd_logit": 1.0}, teacher="ecg-student-alone"),
            _taught("transformer of 0.64 M, none", {}, SLIM_DEIT),
            _taught("transformer of 0.64 M, kd_logit", {"kd_logit": 1.0}, SLIM_DEIT),
        ),
        network="ResNet of 0.68 M weights",
        steps=1000,
    ),
    "distillation-deit-tiny": Group(
        "Hierarchical distillation into DeiT-tiny",
        "Does a ResNet-34 teacher of 7.8 M weights help the paper's student of 5.6 M?",
        (
            _taught("none", {}, DEIT_TINY),
            _taught("all, and both of the distillation token", {**TERMS, **TOKEN_TERMS}, DEIT_TINY),
        ),
        network="DeiT-tiny of 5.6 M weights",
        steps=300,
    ),
}  # fmt: skip


class Ablation:
    """Strips and development sets, read once."""

    def __init__(self, data: Path, var: Path, console: Console) -> None:
        self._console, self._var = console, var
        beats = read_recipe(Path("ml/recipes/ecg-beat.toml"))
        self._beat = beats.mean_beat
        self._strips = beat_lda.training_strips(data, beats, var / "cache")
        self._polarity = beat_lda.fit(self._strips, beats).polarity
        self._noise = training_noise(data, var / "cache")
        sets = {
            "D1-dev 10 s": cinc_strips(data, "dev", 10.0, var / "cache"),
            "D1-dev 5 s": cinc_strips(data, "dev", 5.0, var / "cache"),
            "D2 10 s": condition_strips(qtdb_cuts(data, 10.0), var / "cache" / "qtdb-cuts-10s"),
        }
        self._sets = {name: self._upright(strips) for name, strips in sets.items()}

    def train(self, variant: Variant, steps: int) -> tuple[nn.Module, float]:
        """Train a variant for some steps; the network and the seconds it took."""
        recipe = NetworkRecipe(
            bundle=BundleNames("ablation", "0", "Apache-2.0"),
            network=variant.network,
            losses=variant.losses,
            optimisation=replace(OPTIMIZATION, steps=steps, seed=variant.seed),
            augmentation=variant.augmentation,
            distillation=variant.distillation,
        )
        training: TrainingSet = window_material(
            self._strips, self._polarity, self._beat, self._noise, variant.augmentation
        )[0]
        plan = variant.distillation
        teach = taught_by(weights_path(plan.teacher, self._var), plan, training) if plan else None
        began = time.monotonic()
        with self._console.status(variant.name), tempfile.TemporaryDirectory() as folder:
            network = train_network(
                recipe, training, Path(folder), evaluate=lambda _: {}, report=lambda *_: None,
                evaluations=1, teach=teach,
            )  # fmt: skip
        return network, time.monotonic() - began

    def measure(self, network: nn.Module) -> dict[str, dict[str, float]]:
        """Return figures of every development set, and the length of the mean vector."""
        found = {}
        for name, (windows, people, parts) in self._sets.items():
            vectors = pooled(network, windows)
            found[name] = figures(vectors, people, parts)
            found[name]["mean_norm"] = float(np.linalg.norm(vectors.mean(axis=0)))
        return found

    def _upright(self, strips: list[Strip]) -> tuple[list[Any], Any, Any]:
        names = {n: i for i, n in enumerate(sorted({s.subject_id for s in strips}))}
        read = [s for s in strips if s.seconds > 0.0]
        windows = [
            np.float32(upright_sign(s, self._polarity, self._beat))
            * strip_windows(s.ecg, s.accepted, WindowConfig())
            for s in read
        ]
        return windows, np.array([names[s.subject_id] for s in read]), np.array([s.part for s in read])


def run(group_name: str, data: Path, var: Path, console: Console) -> None:
    """Train and measure the missing rows of a group."""
    group = GROUPS[group_name]
    path = RESULTS / f"{group_name}.json"
    rows = json.loads(path.read_text())["rows"] if path.is_file() else []
    missing = [v for v in group.variants if v.name not in {row[0] for row in rows}]
    ablation = Ablation(data, var, console)
    for variant in missing:
        network, seconds = ablation.train(variant, group.steps)
        found = ablation.measure(network)
        cells = [f"{100 * found[n][c]:.2f}" for n in found for c in COLUMNS]
        rows.append([variant.name, *cells, f"{found['D2 10 s']['mean_norm']:.2f}", f"{seconds / 60:.0f}"])
        console.print(rows[-1])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps(_content(group_name, group, rows, list(found)), indent=1, ensure_ascii=False) + "\n"
        )


def _content(name: str, group: Group, rows: list[list[str]], sets: list[str]) -> dict[str, Any]:
    measured = {row[0] for row in rows}
    missing = [variant.name for variant in group.variants if variant.name not in measured]
    return {
        "title": group.title,
        "question": group.question,
        "protocol": "D1-dev first → last 10 s and 5 s; D2 minute 0–1 → 13–14, all pairs of six 10-s cuts; "
        "windows alone. Shares of rank-1 errors, EER, FNMR at FMR 1 % and 0.1 % (oracle thresholds), in "
        "percent; failures to acquire left out. Length of the mean vector on D2.",
        "columns": ["variant", *(f"{s}: {f}" for s in sets for f in FIGURES), "D2: mean vector", "minutes"],
        "rows": rows,
        "note": " ".join(
            [
                f"A {group.network} where no other is named, {group.steps} steps of "
                f"{2 * OPTIMIZATION.people} windows, one seed where none is named; differences of less than "
                "about a tenth are noise.",
                *([group.note] if group.note else []),
                *([f"Not measured yet: {', '.join(missing)}."] if missing else []),
            ]
        ),
        "commands": [f"python -m ml.research.ablations.network_ablation {name}"],
    }


if __name__ == "__main__":
    run(sys.argv[1], Path("../shared/data"), Path("var"), Console(stderr=True, width=200))
