import numpy as np
import pytest

from ml.evaluation.activity.splits import splits
from ml.research.dt4ecg.recipe_study import ASKED_FROM_S, LEARNED_S, parts
from tests.unit.ml.research.dt4ecg.grids import activity_windows

WINDOWS = activity_windows()


class TestParts:
    @pytest.mark.parametrize("protocol", ["A1", "A2"])
    def test_no_window_that_the_protocol_tests_is_seen(self, protocol: str) -> None:
        test = splits(protocol, WINDOWS, 1)[0].test  # type: ignore[arg-type]

        learned, asked = parts(protocol, WINDOWS)

        assert learned.size > asked.size > 0
        assert not np.intersect1d(learned, asked).size
        assert not np.intersect1d(np.concatenate([learned, asked]), test).size

    def test_a2_asks_about_later_seconds(self) -> None:
        learned, asked = parts("A2", WINDOWS)

        assert WINDOWS.end_s[learned].max() == LEARNED_S
        assert WINDOWS.start_s[asked].min() == ASKED_FROM_S
