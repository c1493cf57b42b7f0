from dataclasses import replace

import pytest

from ml.research.dt4ecg.figures import Grid, TaskFigures, figures_of, gain
from ml.research.dt4ecg.plan import PROPOSED, Cell, folds
from ml.research.dt4ecg.results import CellResult
from tests.unit.ml.research.dt4ecg.grids import result


def grid(*cells: Cell, right: float = 0.9) -> Grid:
    return Grid({cell: result(cell, right) for cell in cells})


def activity(right: float) -> TaskFigures:
    found = figures_of([result(PROPOSED, right=right)], "activity")
    assert found is not None
    return found


class TestGain:
    def test_it_is_a_difference_of_shares(self) -> None:
        found, interval = gain([(activity(0.9), activity(0.7))])

        assert found == pytest.approx(0.2)
        # Every one of these people gains as much.
        assert (interval.low, interval.high) == pytest.approx((0.2, 0.2))

    def test_pairs_count_alike(self) -> None:
        assert gain([(activity(0.9), activity(0.7)), (activity(0.5), activity(0.7))])[0] == pytest.approx(0.0)

    def test_people_who_differ_widen_it(self) -> None:
        one, other = activity(1.0), activity(0.7)
        hits = one.hits & (one.people < 5)

        found, interval = gain([(replace(one, hits=hits), other)])

        assert found == pytest.approx(0.5 - 0.7)
        assert interval.low < found - 0.2 < found + 0.2 < interval.high

    def test_other_windows_have_no_difference(self) -> None:
        fewer = figures_of([result(replace(PROPOSED, n_activities=3))], "activity")
        assert fewer is not None

        with pytest.raises(ValueError, match="different windows"):
            gain([(activity(0.9), fewer)])


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

    def test_a_context_that_was_not_evaluated_has_no_figure(self) -> None:
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
