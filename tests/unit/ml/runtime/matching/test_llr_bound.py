from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.runtime.bundle import read_bundle
from ml.runtime.calibration.llr import Calibration
from ml.runtime.evidence import SECONDS, EvidenceArray
from ml.runtime.matching.llr_bound import highest_llr_db

ROOT = Path(__file__).parents[5]
CALIBRATIONS = [
    Calibration.from_dict(read_bundle(folder).calibration)
    for folder in sorted((ROOT / "models").glob("ecg*@*"))
]
LENGTHS = st.tuples(st.floats(0.5, 60.0), st.floats(0.5, 60.0)).map(sorted)
QUALITIES = st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)).map(sorted)


def between(seconds, quality) -> EvidenceArray:
    return EvidenceArray(np.array(seconds), SECONDS, np.array(quality))


class TestHighestLlr:
    @given(
        which=st.integers(0, len(CALIBRATIONS) - 1),
        cosine=st.floats(-1.0, 1.0),
        seconds=LENGTHS,
        quality=QUALITIES,
        seed=st.integers(0, 2**32 - 1),
    )
    def test_nothing_within_the_ranges_exceeds_it(self, which, cosine, seconds, quality, seed):
        calibration, rng = CALIBRATIONS[which], np.random.default_rng(seed)

        bound = highest_llr_db(calibration.llr_map, cosine, between(seconds, quality))

        some = calibration.llr_db(
            cosine - rng.exponential(0.1, 200), rng.uniform(*seconds, 200), rng.uniform(*quality, 200)
        )
        corners = calibration.llr_db(cosine, np.array(seconds)[:, None], np.array(quality))
        assert max(some.max(), corners.max()) <= bound + 1e-9

    @pytest.mark.parametrize("calibration", CALIBRATIONS)
    def test_it_is_close_to_what_is_reached(self, calibration):
        seconds, quality = np.linspace(12.5, 15.0, 40)[:, None], np.linspace(0.3, 1.0, 40)

        for cosine in (-0.1, 0.2, 0.5, 0.8):
            reached = calibration.llr_db(cosine, seconds, quality).max()
            bound = highest_llr_db(calibration.llr_map, cosine, between((12.5, 15.0), (0.3, 1.0)))
            assert bound < reached + 2.0

    def test_of_one_length_and_quality_it_is_the_score(self):
        calibration = CALIBRATIONS[0]

        bound = highest_llr_db(calibration.llr_map, 0.4, between((10.0, 10.0), (0.8, 0.8)))

        assert bound == pytest.approx(float(calibration.llr_db(0.4, 10.0, 0.8)))
