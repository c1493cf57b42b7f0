import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.runtime.calibration.nulls import BIN_DB, REACH
from ml.runtime.calibration.softening import Softening, softened_grid

SOFTENING = Softening(pairs=400 * 399 // 2)
SCORES_DB = st.floats(-300.0, 300.0)


class TestSoftening:
    @given(SCORES_DB)
    def test_up_to_the_resolved_ratio_scores_are_those_of_the_measured_scale(self, llr_db: float) -> None:
        ratio, delta = 10.0 ** (min(llr_db, SOFTENING.knee_db) / 10.0), 30.0 / SOFTENING.pairs

        softened = 10.0 * np.log10((ratio + 0.01) / (1.0 + ratio * delta))

        assert float(SOFTENING.score_db(min(llr_db, SOFTENING.knee_db))) == pytest.approx(softened, abs=1e-9)

    @given(SCORES_DB, SCORES_DB)
    def test_scores_grow_with_the_ratio(self, one: float, other: float) -> None:
        low, high = SOFTENING.score_db([min(one, other), max(one, other)])

        assert low <= high

    def test_the_scales_are_joined_without_a_step(self) -> None:
        below, above = SOFTENING.score_db([SOFTENING.knee_db, SOFTENING.knee_db + 1e-9])

        assert above - below == pytest.approx(0.0, abs=1e-8)

    def test_no_score_claims_more_than_the_tail_reaches(self) -> None:
        reached_db = -10.0 * np.log10(30.0 / SOFTENING.pairs / REACH)

        assert float(SOFTENING.score_db(1e4)) == pytest.approx(SOFTENING.ceiling_db, abs=1e-9)
        assert reached_db - 3.1 < SOFTENING.ceiling_db < reached_db

    @given(st.floats(-19.0, 50.0))
    def test_a_score_leads_back_to_its_ratio(self, score_db: float) -> None:
        assert float(SOFTENING.score_db(SOFTENING.llr_db(score_db))) == pytest.approx(score_db, abs=1e-6)

    def test_beyond_both_ends_there_is_no_ratio(self) -> None:
        assert SOFTENING.llr_db([-20.0, SOFTENING.ceiling_db]).tolist() == [-np.inf, np.inf]

    def test_the_grid_holds_every_score(self) -> None:
        first_bin, n_bins = SOFTENING.grid

        lowest, highest = SOFTENING.score_db([-1e4, 1e4]) / BIN_DB

        assert first_bin < lowest
        assert first_bin + n_bins > highest
        assert softened_grid(SOFTENING.pairs)[0] == first_bin
