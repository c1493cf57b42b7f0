import numpy as np
import pytest

from ml.evaluation.activity.splits import splits
from ml.research.dt4ecg.recipe_study import HELD_OUT_FROM_S, LEARNED_S, parts
from tests.unit.ml.research.dt4ecg.grids import activity_windows

WINDOWS = activity_windows()


class TestParts:
    @pytest.mark.parametrize("protocol", ["A1", "A2"])
    def test_no_window_that_the_protocol_tests_is_seen(self, protocol: str) -> None:
        test = splits(protocol, WINDOWS, 1)[0].test  # type: ignore[arg-type]

        learned, held_out = parts(protocol, WINDOWS)

        assert learned.size > held_out.size > 0
        assert not np.intersect1d(learned, held_out).size
        assert not np.intersect1d(np.concatenate([learned, held_out]), test).size

    def test_a2_asks_about_later_seconds(self) -> None:
        learned, held_out = parts("A2", WINDOWS)

        assert WINDOWS.end_s[learned].max() == LEARNED_S
        assert WINDOWS.start_s[held_out].min() == HELD_OUT_FROM_S
