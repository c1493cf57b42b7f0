from __future__ import annotations

import numpy as np
import pytest

from ml.synthetic.fingerprint.random_fields import smooth_field, stream


class TestSmoothField:
    @pytest.mark.parametrize("scale_px", [1.3, 4.0, 40.0])
    def test_has_unit_variance_and_no_finer_detail(self, scale_px):
        fields = [smooth_field((200, 160), scale_px, stream(seed)) for seed in range(40)]

        assert fields[0].shape == (200, 160)
        assert np.mean([np.mean(field**2) for field in fields]) == pytest.approx(1.0, rel=0.2)
        # A Gaussian of sd σ makes the correlation at distance σ exp(−1/4).
        step = round(scale_px)
        together = np.mean([np.mean(field[step:] * field[:-step]) for field in fields])
        assert together == pytest.approx(np.exp(-((step / scale_px) ** 2) / 4.0), abs=0.12)

    def test_keys_give_streams_of_their_own(self):
        assert stream(1, 2).random() != stream(2, 1).random()
