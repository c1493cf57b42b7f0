"""The stage `train` of a network recipe: strips → bank → training with progress → weights and figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ml.training import beat_lda
from ml.training.calibrate import cinc_strips
from ml.training.checkpoints import weights_path
from ml.training.devices import chosen_device
from ml.training.distillation import taught_by
from ml.training.loop import check_recipe, train_network
from ml.training.material import beat_material, window_material
from ml.training.monitor import development_set
from ml.training.network_data import training_noise
from ml.training.network_recipe import NetworkRecipe
from ml.training.recipe import Recipe, RecipeError

DEVELOPMENT_SECONDS = 10.0
# The network that reads mean beats; all others read windows.
BEAT_NETWORK = "beat_net"
# Interval of lines in a log that is not a terminal.
LINES = 40


def train(
    recipe: NetworkRecipe,
    beats: Recipe,
    data: Path,
    var: Path,
    console: Console,
    *,
    limit_s: float | None = None,
    device: str | None = None,
) -> Path:
    """Train the network of a recipe, or resume its training; returns the folder of the results.

    Args:
        recipe: The network's.
        beats: Recipe of the mean beat, whose polarity functional turns strips upright.
        data: The folder that holds `ecg/`.
        var: For caches and results.
        console: Where progress goes.
        limit_s: Seconds after which the training ends, see `train_network`.
        device: Where to compute, see `chosen_device`.

    Raises:
        RecipeError: Invalid parameters of network or losses, or missing weights of a teacher or initial
            network, found before any data are read. Distillation terms that are impossible for this teacher
            and these people.
        DeviceError: No such device; found before any data are read.
    """
    check_recipe(recipe)
    computes_on = chosen_device(device)
    teacher = _kept(recipe, recipe.distillation.teacher if recipe.distillation else None, var)
    initial = _kept(recipe, recipe.initial.weights if recipe.initial else None, var)
    folder = var / "train" / recipe.bundle.id
    with console.status("conditioning recordings of CinC train and dev people (cached afterwards)"):
        strips = beat_lda.training_strips(data, beats, var / "cache")
        polarity = beat_lda.fit(strips, beats).polarity
        development = cinc_strips(data, "dev", DEVELOPMENT_SECONDS, var / "cache")
    with console.status(f"laying out {len(strips)} strips"):
        if recipe.network.name == BEAT_NETWORK:
            training, views_of = beat_material(strips, polarity, beats.mean_beat, recipe.beat_augmentation)
        else:
            noise = training_noise(data, var / "cache")
            training, views_of = window_material(
                strips, polarity, beats.mean_beat, noise, recipe.augmentation
            )
        monitor = development_set(development, views_of)
    console.print(
        f"{training.n_people} people; dev {monitor.pairs} pairs, {monitor.failures} not acquired; "
        f"training on {computes_on}"
    )
    plan = recipe.distillation
    teach = taught_by(teacher, plan, training) if plan and teacher else None
    with _progress_bar(console) as bar:
        task = bar.add_task(recipe.bundle.id, total=1.0, terms="")
        lines = _Lines(console)

        def report(progress: float, terms: Mapping[str, float], seconds: float) -> None:
            text = "  ".join(f"{name} {value:.3f}" for name, value in terms.items())
            bar.update(task, completed=progress, terms=text)
            lines.report(progress, text, seconds)

        train_network(
            recipe,
            training,
            folder,
            evaluate=monitor.figures,
            report=report,
            limit_s=limit_s,
            teach=teach,
            initial=initial,
            device=computes_on,
        )
    return folder


def _kept(recipe: NetworkRecipe, network_id: str | None, var: Path) -> Path | None:
    if network_id is None:
        return None
    try:
        return weights_path(network_id, var)
    except FileNotFoundError as error:
        raise RecipeError(f"recipe of {recipe.bundle.id}: {error}") from error


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
    """Progress for log files."""

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
        text = f"{100 * progress:3.0f} %  {terms}  {seconds:.0f} s, {left_s:.0f} s left"
        self._console.print(text, soft_wrap=True)  # A file has no width.
