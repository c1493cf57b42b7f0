from dataclasses import replace

import pytest

from ml.reproduce.dt4ecg_figures import Grid, figures_of
from ml.reproduce.dt4ecg_plan import PROPOSED, Cell, folds
from ml.reproduce.dt4ecg_results import CellResult
from tests.unit.ml.reproduce.grids import result


def grid(*cells: Cell, right: float = 0.9) -> Grid:
    return Grid({cell: result(cell, right) for cell in cells})


class TestFiguresOf:
    def test_activity_in_five_classes(self) -> None:
        found = figures_of([result(PROPOSED, right=0.8)], "activity")

        assert found is not None
        assert found.accuracy == pytest.approx(0.8)
        assert found.confusion[0].tolist() == [80, 20, 0, 0, 0]

    def test_merged_calls_forgive_what_stays_in_its_group(self) -> None:
        found = figures_of([result(PROPOSED, right=0.8)], "groups")

        assert found is not None
        assert found.classes == ("rest", "light", "vigorous")
        # Wrong calls are of the next activity: arm movements → walk and run → squats stay.
        assert found.confusion.tolist() == [[80, 20, 0], [0, 180, 20], [20, 0, 180]]

    def test_three_trained_classes_are_their_own_groups(self) -> None:
        found = figures_of([result(replace(PROPOSED, n_activities=3), right=0.7)], "groups")

        assert found is not None
        assert found.accuracy == pytest.approx(0.7)

    def test_people_that_were_never_trained_on_have_no_identity_figures(self) -> None:
        assert figures_of([result(replace(PROPOSED, protocol="A3"))], "identity") is None


class TestGrid:
    def test_folds_are_pooled(self) -> None:
        cell = replace(PROPOSED, protocol="A2e")
        found = grid(*folds(cell)).figures(cell, "activity", "30 s")

        assert found is not None
        assert len(found.hits) == 3 * 500

    def test_a_missing_fold_leaves_no_figure(self) -> None:
        cell = replace(PROPOSED, protocol="A2e")

        unfinished = grid(*folds(cell)[:2])

        assert unfinished.figures(cell, "activity") is None
        assert unfinished.calibration_error(cell) is None
        assert unfinished.folds_done(cell) == 2

    def test_a_failed_training_has_no_figure(self) -> None:
        failed = Grid({PROPOSED: CellResult(PROPOSED, failed="loss")})

        assert failed.figures(PROPOSED, "activity") is None

    def test_a_context_that_was_not_asked_has_no_figure(self) -> None:
        assert grid(PROPOSED).figures(PROPOSED, "activity", "30 s") is None

    def test_seeds_spread(self) -> None:
        again = replace(PROPOSED, seed=2)
        both = Grid({PROPOSED: result(PROPOSED, 0.9), again: result(again, 0.7)})

        found = both.spread(PROPOSED, "activity")

        assert found is not None
        assert (found.mean, found.low, found.high) == pytest.approx((0.8, 0.7, 0.9))
        assert found.seeds == 2

    def test_no_seed_no_spread(self) -> None:
        assert grid().spread(PROPOSED, "activity") is None

    def test_calibration_error_is_a_mean_over_folds(self) -> None:
        cell = replace(PROPOSED, protocol="A2e")

        assert grid(*folds(cell)).calibration_error(cell) == pytest.approx(0.05)
