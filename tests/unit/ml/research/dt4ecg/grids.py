"""Tiny stand-ins: windows of a few people, and results of cells that nobody trained."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ml.data.motion import ACTIVITIES, ELECTRODES
from ml.evaluation.activity.windows import ActivityWindows
from ml.research.dt4ecg.plan import FOLDS, Cell
from ml.research.dt4ecg.results import Calls, CellResult, keep_results

N_SAMPLES = 32
WINDOWS_PER_RECORD = 20
PEOPLE = ("ann", "bob", "eve")


def activity_windows(n_samples: int = N_SAMPLES) -> ActivityWindows:
    """Three people, five activities, three electrodes; a minute each that is easy to tell apart."""
    generator = np.random.default_rng(1)
    who, what, which = (
        index.ravel() for index in np.meshgrid(range(len(PEOPLE)), range(5), range(3), indexing="ij")
    )
    person, activity, electrode = (np.repeat(index, WINDOWS_PER_RECORD) for index in (who, what, which))
    record = np.repeat(np.arange(who.size), WINDOWS_PER_RECORD)
    t = np.arange(n_samples) / n_samples
    waves = np.sin(2 * np.pi * t * (1 + activity[:, None])) + 0.5 * person[:, None]
    return ActivityWindows(
        windows=(0.25 * waves + 0.02 * generator.normal(size=waves.shape)).astype(np.float32),
        person=person,
        activity=activity,
        electrode=electrode,
        record=record,
        start_s=np.tile(3.0 * np.arange(WINDOWS_PER_RECORD), who.size),
        window_s=3.0,
        people=PEOPLE,
        activities=ACTIVITIES,
        electrodes=ELECTRODES,
        records=tuple(f"r{k}" for k in range(who.size)),
    )


def small(cell: Cell | None = None, **changes: object) -> Cell:
    """A cell that trains in no time."""
    quick = replace(cell or Cell(), backbone="mlp", attention="none", epochs=2)
    return replace(quick, **changes)  # type: ignore[arg-type]


def calls(right: float = 0.9, *, n_people: int = 10, n_classes: int = 5, named: bool = True) -> Calls:
    """Calls on each activity of each person, of which a share is right."""
    person, activity = (np.repeat(x.ravel(), 10) for x in np.mgrid[:n_people, :n_classes])
    wrong = np.tile(np.arange(10) >= round(10 * right), n_people * n_classes)
    called = np.where(wrong, (activity + 1) % n_classes, activity)
    group_of = np.array([0, 1, 1, 2, 2]) if n_classes == 5 else np.arange(3)
    return Calls(
        person,
        activity,
        called,
        group_of[called],
        np.where(wrong, (person + 1) % n_people, person) if named else None,
    )


def result(cell: Cell, right: float = 0.9) -> CellResult:
    """What a training of a cell might have given."""
    named = cell.protocol != "A3"
    contexts = ("3 s", "30 s", "strip") if FOLDS[cell.protocol] > 1 else ("3 s",)
    named_classes = ACTIVITIES if cell.n_activities == 5 else ("rest", "light", "vigorous")
    found = calls(right, n_classes=cell.n_activities, named=named)
    norms = None if cell.balancing == "static" else [0.5, 0.25]
    weights = [0.0, 0.0] if cell.balancing == "dt4ecg_literal" else [0.6, 1.4]
    epochs = [
        {
            "epoch": k + 1,
            "loss": [1.0 / (k + 1), 2.0 / (k + 1)],
            "accuracy": [0.9, 0.5 + 0.01 * k],
            "weights": weights,
            "gradient_norms": norms,
            "cpu_s": 0.5,
        }
        for k in range(cell.epochs)
    ]
    return CellResult(
        cell=cell,
        fold=f"{cell.protocol} fold {cell.fold}",
        people=tuple(f"p{k}" for k in range(10)),
        activities=named_classes,
        n_train=2000,
        parameters=1234,
        cpu_s=25.0,
        commit="abc",
        calls=dict.fromkeys(contexts, found),
        calibration={"activity": {"nll": 0.5, "ece": 0.05}},
        epochs=epochs,
        first_weights=[[1.0, 1.0], weights],
    )


def keep(results: Path, *cells: Cell, right: float = 0.9) -> None:
    """Keep results of some cells."""
    keep_results(results, *(result(cell, right) for cell in cells))
