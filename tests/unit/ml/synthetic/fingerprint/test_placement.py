from __future__ import annotations

import numpy as np
import pytest

from ml.synthetic.fingerprint.conditions import QUALITIES
from ml.synthetic.fingerprint.placement import draw_placement
from ml.synthetic.fingerprint.random_fields import stream


class TestPlacement:
    @pytest.mark.parametrize("quality", QUALITIES)
    @pytest.mark.parametrize("scale", [0.6, 1.0, 2.0])
    def test_image_and_skin_map_onto_each_other(self, quality, scale):
        for seed in range(20):
            size = (round(320 * scale), round(400 * scale))
            placement = draw_placement(size, scale, QUALITIES[quality], stream(seed))
            at = np.random.default_rng(seed).uniform(0, 1, (50, 2)) @ np.diag(size)
            at = at[:, 0] + 1j * at[:, 1]

            back = placement.to_image(placement.to_skin(at))

            np.testing.assert_allclose(back, at, atol=0.05 * scale)

    def test_skin_in_the_firm_middle_does_not_stretch(self):
        placement = draw_placement((320, 400), 1.0, QUALITIES["poor"], stream(1))
        around = placement.firm_middle + 30.0 * np.exp(1j * np.linspace(0, 6, 7))

        at = placement.to_image(around)

        apart = np.abs(at[:, None] - at[None]) - np.abs(around[:, None] - around[None])
        assert np.abs(apart).max() < 1e-3
