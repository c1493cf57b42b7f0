import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ml.research.dt4ecg.plan import Cell
from ml.research.dt4ecg.results import (
    CELLS,
    Calls,
    CellResult,
    keep_results,
    pooled,
    read_all,
)
from tests.unit.ml.research.dt4ecg.grids import calls, keep, result

CELL = Cell(protocol="A3", fold=3)


def read_one(results: Path, cell: Cell = CELL) -> CellResult | None:
    return read_all(results, [cell]).get(cell)


@contextmanager
def changed(results: Path) -> Iterator[dict[str, Any]]:
    """The only kept line, to be changed."""
    kept = json.loads((results / CELLS).read_text())
    yield kept
    (results / CELLS).write_text(json.dumps(kept) + "\n")


class TestCalls:
    def test_json_form_has_one_character_per_window_and_comes_back(self) -> None:
        found = calls(n_people=3)

        kept = found.to_dict()

        assert len(kept["activity"] or "") == found.activity.size
        again = Calls.from_dict(kept)
        for name, values in vars(found).items():
            assert np.array_equal(values, getattr(again, name)), name

    def test_people_not_evaluated_stay_so(self) -> None:
        assert Calls.from_dict(calls(named=False).to_dict()).person_called is None


class TestPooled:
    def test_windows_of_all_folds_follow_each_other(self) -> None:
        one, two = calls(1.0, n_people=2), calls(0.0, n_people=3)

        both = pooled([one, two])

        assert both.activity.size == one.activity.size + two.activity.size
        assert np.array_equal(both.activity_called[: one.activity.size], one.activity_called)

    def test_people_are_called_only_if_all_folds_called_them(self) -> None:
        assert pooled([calls(), calls()]).person_called is not None
        assert pooled([calls(), calls(named=False)]).person_called is None


class TestReadAll:
    def test_what_was_written_comes_back(self, tmp_path: Path) -> None:
        keep(tmp_path, CELL)

        found = read_one(tmp_path)

        assert found is not None
        assert found.to_dict() == result(CELL).to_dict()

    def test_a_failed_training_too(self, tmp_path: Path) -> None:
        keep_results(tmp_path, CellResult(CELL, failed="epoch 3: losses [nan, 1.0]"))

        found = read_one(tmp_path)

        assert found is not None
        assert found.failed == "epoch 3: losses [nan, 1.0]"

    def test_nothing_where_nothing_was_measured(self, tmp_path: Path) -> None:
        assert read_one(tmp_path) is None

    def test_only_cells_that_are_wanted_and_kept(self, tmp_path: Path) -> None:
        keep(tmp_path, CELL, replace(CELL, fold=4))

        assert list(read_all(tmp_path, [Cell(), CELL])) == [CELL]

    def test_another_recipe_is_another_result(self, tmp_path: Path) -> None:
        keep(tmp_path, CELL)

        with changed(tmp_path) as kept:
            kept["recipe"]["learning_rate"] = 0.1

        assert read_one(tmp_path) is None

    def test_results_older_than_an_option_had_its_default(self, tmp_path: Path) -> None:
        keep(tmp_path, CELL)

        with changed(tmp_path) as kept:
            del kept["cell"]["recipe"]

        found = read_one(tmp_path)
        assert found is not None
        assert found.cell == CELL

    def test_results_with_an_option_that_is_gone_are_no_results(self, tmp_path: Path) -> None:
        keep(tmp_path, CELL)

        with changed(tmp_path) as kept:
            kept["cell"]["mood"] = "good"

        assert read_one(tmp_path) is None

    def test_another_cell_under_the_same_name_is_no_result(self, tmp_path: Path) -> None:
        other = replace(CELL, fold=4)
        keep(tmp_path, CELL)

        with changed(tmp_path) as kept:
            kept["id"] = other.id

        assert read_one(tmp_path, other) is None


class TestKeepResults:
    def test_a_cell_has_one_line_that_begins_with_its_name(self, tmp_path: Path) -> None:
        keep(tmp_path, CELL, right=0.5)

        keep(tmp_path, CELL, right=0.9)

        (line,) = (tmp_path / CELLS).read_text().splitlines()
        assert line.startswith(f'{{"id": "{CELL.id}", ')
        found = read_one(tmp_path)
        assert found is not None
        assert found.to_dict() == result(CELL, right=0.9).to_dict()
