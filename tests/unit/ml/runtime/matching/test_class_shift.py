import numpy as np
import pytest

from ml.runtime.matching.class_shift import ClassShift
from tests.fakes import fake_calibration

ENROLLED = [0.0, 0.0, 1.0, 0.0]
SCORES_DB = np.linspace(-40.0, 10.0, 101)


class TestClassShift:
    def test_the_enrolled_class_keeps_the_map_found_in_it(self):
        shift = ClassShift.carried(fake_calibration(), (1.2, -6.0), ENROLLED, 2)

        assert shift.to_bundle(SCORES_DB) == pytest.approx(1.2 * SCORES_DB - 6.0, abs=0.2)

    def test_no_shift_stays_none_in_every_class(self):
        for k in range(4):
            shift = ClassShift.carried(fake_calibration(), (1.0, 0.0), ENROLLED, k)

            assert shift.to_bundle(SCORES_DB) == pytest.approx(SCORES_DB, abs=1e-6)

    @pytest.mark.parametrize("affine", [(0.2, -80.0), (0.3, 30.0), (4.0, -200.0), (5.0, 100.0)])
    def test_the_wildest_map_stays_finite_and_never_falls(self, affine: tuple[float, float]):
        shift = ClassShift.carried(fake_calibration(), affine, [0.5, 0.5, 0.0, 0.0], 3)

        found = shift.to_bundle(np.linspace(-300.0, 300.0, 601))

        assert np.all(np.isfinite(found))
        assert np.all(np.diff(found) >= 0.0)
