"""From a cell of the plan to its result: windows and fold → training → predictions for test windows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ml.evaluation.activity.figures import group_probabilities
from ml.evaluation.activity.splits import Split, splits
from ml.evaluation.activity.windows import ActivityWindows, merge_activities
from ml.evaluation.looks import current_commit
from ml.metrics.confidence import expected_calibration_error, negative_log_likelihood
from ml.research.dt4ecg.network.network import DualTaskConfig
from ml.research.dt4ecg.plan import RECIPES, Cell
from ml.research.dt4ecg.results import Calls, CellResult
from ml.research.dt4ecg.training import LabeledWindows, Trained, Training, predict, train

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

CONTEXTS = {"3 s": 1, "30 s": 10, "strip": 10_000}
"""Numbers of neighboring windows of a recording whose probabilities are joined."""
SHORTEST_CONTEXT = 4
"""Windows; a shorter rest at the end of a recording (under 10 s) gets no prediction of its own."""


def run_cell(
    cell: Cell,
    windows: ActivityWindows,
    folder: Path,
    *,
    report: Callable[[int], None],
    stop: Callable[[], bool],
) -> CellResult | None:
    """Train the network of a cell and evaluate it on the test windows, once, after the last epoch.

    Args:
        cell: Of the plan.
        windows: The motion set with five activities, preprocessed as in the cell.
        folder: For the checkpoint.
        report: Called after each epoch with the number done.
        stop: Called after each epoch; True leaves the rest for later.

    Returns:
        None if stopped. A training whose loss became NaN has failed, which is a result.

    Raises:
        ValueError: Names that network or balancing do not have.
    """
    labeled = merge_activities(windows) if cell.n_activities == 3 else windows
    split = splits(cell.protocol, labeled, cell.seed)[cell.fold]  # type: ignore[arg-type]
    data = labeled_windows(labeled, split.train)
    training = training_of(cell, labeled, _identity(cell, data))
    try:
        trained = train(training, data, folder, report=report, stop=stop)
    except FloatingPointError as error:
        return CellResult(cell, failed=str(error), fold=split.name, commit=current_commit())
    return None if trained is None else _result(cell, labeled, split, trained)


def training_of(cell: Cell, windows: ActivityWindows, identity: str) -> Training:
    """Return the training of a cell.

    Args:
        cell: Of the plan.
        windows: With the activities that the cell classifies.
        identity: See `Training`.
    """
    return Training(
        network=network_config(cell, windows),
        balancing=cell.balancing,
        gradient_of=cell.gradient_of,
        loss=cell.loss,
        precision=cell.precision,
        recipe=RECIPES[cell.recipe],
        epochs=cell.epochs,
        seed=cell.seed,
        identity=identity,
    )


def network_config(cell: Cell, windows: ActivityWindows) -> DualTaskConfig:
    """Return the architecture of a cell, for the people and activities of some windows."""
    with_convolutions = cell.attention in ("sca", "sca_length_free")
    return DualTaskConfig(
        backbone=cell.backbone,
        attention=cell.attention,
        n_people=len(windows.people),
        n_activities=len(windows.activities),
        n_samples=windows.windows.shape[1],
        backbone_options=_resnet_options(cell) if cell.backbone == "resnet" else {},
        attention_options=({"channel_convolutions": cell.channel_convolutions} if with_convolutions else {}),
    )


def _resnet_options(cell: Cell) -> dict[str, object]:
    full_length = {"widths": (64, 64, 64), "strides": (1, 1, 1)} if cell.modules == "full_length" else {}
    return {"addition": cell.addition, **full_length}


def labeled_windows(windows: ActivityWindows, rows: IntArray) -> LabeledWindows:
    """Return some windows as training data; they contain no sample of the others."""
    labels = np.stack([windows.person[rows], windows.activity[rows]], axis=1)
    return LabeledWindows(
        torch.from_numpy(windows.windows[rows]),
        torch.from_numpy(labels),
        torch.from_numpy(next_windows(windows.record[rows], windows.start_s[rows], windows.window_s)),
    )


def next_windows(record: IntArray, start_s: FloatArray, window_s: float) -> IntArray:
    """Find the window that begins where another ends.

    Starts leave out lost time, so windows on both sides of a loss could seem to meet if the samples before it
    were a whole number of windows. In the motion set this does not happen.

    Args:
        record: Of each window, int64, shape (N,).
        start_s: Of each window, shape (N,).
        window_s: Length of a window.

    Returns:
        Its position, −1 if it is not among them; int64, shape (N,).
    """
    # Starts are sums of inexact numbers.
    at = [(int(one), round(1000.0 * start)) for one, start in zip(record, start_s, strict=True)]
    position = {key: k for k, key in enumerate(at)}
    step = round(1000.0 * window_s)
    return np.array([position.get((one, start + step), -1) for one, start in at], dtype=np.int64)


def _identity(cell: Cell, data: LabeledWindows) -> str:
    parts = (data.windows, data.labels, data.following)
    of_data = hashlib.sha256(b"".join(part.numpy().tobytes() for part in parts)).hexdigest()
    return json.dumps(
        {"cell": cell.to_dict(), "recipe": RECIPES[cell.recipe].to_dict(), "data_sha256": of_data}
    )


def _result(cell: Cell, windows: ActivityWindows, split: Split, trained: Trained) -> CellResult:
    tested = torch.from_numpy(windows.windows[split.test])
    identity, activity = (part.double().numpy() for part in predict(trained.network, tested))
    named = split.protocol.has_identity
    contexts = CONTEXTS if split.protocol.name in ("A2e", "A3") else {"3 s": 1}
    answers = {"activity": (activity, windows.activity)}
    if named:
        answers["identity"] = (identity, windows.person)
    return CellResult(
        cell=cell,
        fold=split.name,
        people=windows.people,
        activities=windows.activities,
        n_train=len(split.train),
        parameters=sum(p.numel() for p in trained.network.parameters()),
        cpu_s=round(sum(epoch["cpu_s"] for epoch in trained.epochs), 1),
        commit=current_commit(),
        calls={
            context: _calls(windows, split.test, identity if named else None, activity, n_joined)
            for context, n_joined in contexts.items()
        },
        calibration={
            task: _calibration(log_p, labels[split.test]) for task, (log_p, labels) in answers.items()
        },
        epochs=trained.epochs,
        first_weights=trained.first_weights,
    )


def _calls(
    windows: ActivityWindows, test: IntArray, identity: FloatArray | None, activity: FloatArray, n_joined: int
) -> Calls:
    blocks = joined_windows(windows.record[test], windows.start_s[test], n_joined)
    first = np.array([test[block[0]] for block in blocks])
    log_p = _means(activity, blocks)
    p = np.exp(log_p)
    grouped = p if len(windows.activities) == 3 else group_probabilities(p, windows.activities)
    return Calls(
        person=windows.person[first],
        activity=windows.activity[first],
        activity_called=log_p.argmax(axis=1),
        group_called=grouped.argmax(axis=1),
        person_called=None if identity is None else _means(identity, blocks).argmax(axis=1),
    )


def joined_windows(record: IntArray, start_s: FloatArray, n_joined: int) -> list[IntArray]:
    """Group neighboring windows of each recording.

    Args:
        record: Of each window, int64, shape (N,).
        start_s: Of each window, shape (N,).
        n_joined: Windows of a group; at a recording's end at least `SHORTEST_CONTEXT`.

    Returns:
        Positions of the windows of each group, in order of time.
    """
    blocks = []
    for one in np.unique(record):
        rows = np.flatnonzero(record == one)
        rows = rows[np.argsort(start_s[rows], kind="stable")]
        blocks += [rows[k : k + n_joined] for k in range(0, rows.size, n_joined)]
    return [block for block in blocks if block.size >= min(n_joined, SHORTEST_CONTEXT)]


def _means(log_p: FloatArray, blocks: Sequence[IntArray]) -> FloatArray:
    """Mean log-probability of each group, normalized again; shape (n_blocks, K)."""
    means = np.stack([log_p[block].mean(axis=0) for block in blocks])
    peak = means.max(axis=1, keepdims=True)
    return np.asarray(means - peak - np.log(np.exp(means - peak).sum(axis=1, keepdims=True)))


def _calibration(log_p: FloatArray, labels: IntArray) -> dict[str, float]:
    return {
        "nll": round(negative_log_likelihood(log_p, labels), 5),
        "ece": round(expected_calibration_error(log_p, labels, equal_mass=False), 5),
    }
