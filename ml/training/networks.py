"""The stage `train` of a network recipe: strips → bank → training with progress → weights and figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ml.models.beat_lda import BeatLda
from ml.models.features import WINDOW_FS_HZ
from ml.models.mean_beat import MeanBeatConfig
from ml.signal.windows import WindowConfig
from ml.training import beat_lda
from ml.training.calibrate import cinc_strips
from ml.training.loop import TrainingSet, train_network
from ml.training.monitor import DevelopmentSet, development_set
from ml.training.network_data import training_bank, training_noise
from ml.training.network_recipe import NetworkRecipe
from ml.training.recipe import Recipe

DEVELOPMENT_SECONDS = 10.0
# Where a log is not a terminal, a line is written this often.
LINES = 40


def train(
    recipe: NetworkRecipe,
    beats: Recipe,
    data: Path,
    var: Path,
    console: Console,
    *,
    limit_s: float | None = None,
) -> Path:
    """Train the network of a recipe, or go on with it; returns the folder with what was made.

    Args:
        recipe: The network's.
        beats: Recipe of the mean beat, whose polarity functional turns strips upright.
        data: The folder that holds `ecg/`.
        var: For caches and results.
        console: Where progress goes.
        limit_s: Seconds after which training shall have ended.
    """
    folder = var / "train" / recipe.bundle.id
    with console.status("conditioning recordings of CinC train and dev people (cached afterwards)"):
        strips = beat_lda.training_strips(data, beats, var / "cache")
        fitted = beat_lda.fit(strips, beats)
        bank = training_bank(strips, fitted.polarity, beats.mean_beat)
        noise = training_noise(data, var / "cache")
        development = development_people(data, var, fitted, beats.mean_beat)
    hours = len(bank.ecg) / WINDOW_FS_HZ / 3600.0
    console.print(f"{len(bank.names)} people, {hours:.1f} h; dev {development.pairs} pairs")
    with _progress_bar(console) as bar:
        task = bar.add_task(recipe.bundle.id, total=1.0, terms="")
        lines = _Lines(console)

        def report(progress: float, terms: Mapping[str, float], seconds: float) -> None:
            text = "  ".join(f"{name} {value:.3f}" for name, value in terms.items())
            bar.update(task, completed=progress, terms=text)
            lines.report(progress, text, seconds)

        train_network(
            recipe,
            TrainingSet(bank, noise),
            folder,
            evaluate=development.figures,
            report=report,
            limit_s=limit_s,
        )
    return folder


def development_people(data: Path, var: Path, fitted: BeatLda, beat: MeanBeatConfig) -> DevelopmentSet:
    """D1-dev, cut into windows."""
    strips = cinc_strips(data, "dev", DEVELOPMENT_SECONDS, var / "cache")
    return development_set(strips, np.asarray(fitted.polarity), beat, WindowConfig())


def _progress_bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[terms]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )


class _Lines:
    """Progress for logs that are files."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._written = -1

    def report(self, progress: float, terms: str, seconds: float) -> None:
        """Write a line each time another share is done."""
        line = int(progress * LINES)
        if self._console.is_terminal or line == self._written:
            return
        self._written = line
        left_s = seconds * (1.0 / max(progress, 1e-6) - 1.0)
        self._console.print(f"{100 * progress:3.0f} %  {terms}  {seconds:.0f} s, {left_s:.0f} s left")
