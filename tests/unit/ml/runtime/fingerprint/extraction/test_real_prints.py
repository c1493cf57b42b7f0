from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ml.runtime.fingerprint.errors import FingerprintError
from ml.runtime.fingerprint.extraction.extractor import extract

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def prints(data_dir: Path) -> list[np.ndarray]:
    """Every fifth development image of FVC2000 DB1 and DB2; 500 dpi."""
    folders = [data_dir / "fingerprint" / "fvc2000" / db for db in ("DB1_B", "DB2_B")]
    files = [file for folder in folders for file in sorted(folder.iterdir())[::5]]
    return [cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) for file in files]


class TestRealPrints:
    def test_none_is_refused_and_all_have_periods_and_qualities_of_fingers(self, prints):
        impressions = [extract(image, 500) for image in prints]

        assert len(impressions) == 32
        assert all(7.0 < impression.ridge_period_px < 12.0 for impression in impressions)
        assert all(0.2 < impression.quality < 0.9 for impression in impressions)
        assert 35 < np.median([len(impression.minutiae) for impression in impressions]) < 60

    def test_an_inverted_print_has_the_same_minutiae(self, prints):
        for image in prints[::4]:
            upright, inverted = extract(image, 500).minutiae, extract(255 - image, 500).minutiae

            np.testing.assert_array_equal(inverted.xy, upright.xy)
            np.testing.assert_array_equal(inverted.direction, upright.direction)

    @pytest.mark.parametrize("factor", [0.5, 2.0])
    def test_nearly_all_are_refused_at_half_or_twice_their_resolution(self, prints, factor):
        refused = 0
        for image in prints[::4]:
            try:
                extract(image, 500 * factor)
            except FingerprintError:
                refused += 1

        assert refused >= 7
