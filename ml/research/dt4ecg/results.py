"""Kept results of each cell: a line of `results/dt4ecg/cells.jsonl`, with the prediction for each window.

Every figure can be computed again from the predictions: pooled over folds, merged to three classes, with
intervals over people. Torch-free.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.result_lines import keep_lines, read_lines
from ml.research.dt4ecg.plan import RECIPES, Cell

IntArray = NDArray[np.int64]
Json = Mapping[str, Any]

CELLS = Path("dt4ecg") / "cells.jsonl"
"""Below `results`."""
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, eq=False)
class Calls:
    """Predictions of a network for each test window; all int64, shape (n_windows,).

    Args:
        person: The true person.
        activity: The true activity.
        activity_called: The most probable activity.
        group_called: The most probable of rest, light and vigorous, whose probabilities are the sums over
            their activities.
        person_called: The most probable person; None if the person was not trained on.
    """

    person: IntArray
    activity: IntArray
    activity_called: IntArray
    group_called: IntArray
    person_called: IntArray | None = None

    def to_dict(self) -> dict[str, str | None]:
        """Return the JSON form: one character per window."""
        return {
            name: None if values is None else "".join(_DIGITS[value] for value in values)
            for name, values in vars(self).items()
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, str | None]) -> Calls:
        """Read the JSON form."""
        return cls(**{name: None if text is None else _numbers(text) for name, text in kept.items()})  # type: ignore[arg-type]


def pooled(calls: Sequence[Calls]) -> Calls:
    """Concatenate the predictions of several folds; identity is kept if all folds have it."""
    named = [one.person_called for one in calls if one.person_called is not None]
    return Calls(
        person=np.concatenate([one.person for one in calls]),
        activity=np.concatenate([one.activity for one in calls]),
        activity_called=np.concatenate([one.activity_called for one in calls]),
        group_called=np.concatenate([one.group_called for one in calls]),
        person_called=np.concatenate(named) if len(named) == len(calls) else None,
    )


@dataclass(frozen=True, eq=False)
class CellResult:
    """One training and its predictions for its test windows.

    Args:
        cell: The cell.
        failed: Why there is no more than this; None for a completed training.
        fold: Its name, such as `A3 without kal_04`.
        people, activities: Names of the classes.
        n_train: Windows trained on.
        parameters: Weights of the network.
        cpu_s: Of the training.
        commit: Of the code.
        calls: By context: `3 s`; further ones join neighboring windows.
        calibration: By task: `nll` in nats and `ece` (bins of equal width) as a share, of single windows.
        epochs: Curves, see `ml.research.dt4ecg.training.Trained`.
        first_weights: Likewise.
    """

    cell: Cell
    failed: str | None = None
    fold: str = ""
    people: tuple[str, ...] = ()
    activities: tuple[str, ...] = ()
    n_train: int = 0
    parameters: int = 0
    cpu_s: float = 0.0
    commit: str = ""
    calls: Mapping[str, Calls] = field(default_factory=dict)
    calibration: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    epochs: Sequence[Json] = ()
    first_weights: Sequence[Sequence[float]] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "id": self.cell.id,
            **vars(self),
            "cell": self.cell.to_dict(),
            "recipe": RECIPES[self.cell.recipe].to_dict(),
            "calls": {context: calls.to_dict() for context, calls in self.calls.items()},
        }

    @classmethod
    def from_dict(cls, kept: Json) -> CellResult:
        """Read the JSON form."""
        values = {name: value for name, value in kept.items() if name not in {"id", "recipe"}}
        return cls(
            **values
            | {
                "cell": Cell(**kept["cell"]),
                "people": tuple(kept["people"]),
                "activities": tuple(kept["activities"]),
                "calls": {context: Calls.from_dict(calls) for context, calls in kept["calls"].items()},
            }
        )


def keep_results(results: Path, *found: CellResult) -> None:
    """Save results, each in place of the former one of its cell; an interrupted write leaves the former ones.

    Args:
        results: `results`.
        found: Results to save.
    """
    keep_lines(results / CELLS, (one.to_dict() for one in found), "id")


def read_all(results: Path, cells: Iterable[Cell]) -> dict[Cell, CellResult]:
    """Return the kept results of some cells, without those not measured or measured by another recipe."""
    kept = {line["id"]: line for line in read_lines(results / CELLS)}
    return {
        cell: CellResult.from_dict(kept[cell.id])
        for cell in cells
        if cell.id in kept and _is_result_of(kept[cell.id], cell)
    }


def _is_result_of(kept: Json, cell: Cell) -> bool:
    # An option younger than the result had its default there.
    same_cell = Cell().to_dict() | kept["cell"] == cell.to_dict()
    return same_cell and bool(kept["recipe"] == RECIPES[cell.recipe].to_dict())


def _numbers(text: str) -> IntArray:
    return np.array([_DIGITS.index(digit) for digit in text], dtype=np.int64)
