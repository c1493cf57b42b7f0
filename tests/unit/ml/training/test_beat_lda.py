from dataclasses import replace

import numpy as np
import pytest

from ml.export.beat_network import beat_lda_network
from ml.models.beat_lda import BeatLdaConfig
from ml.synthetic.ecg import SyntheticPerson
from ml.training.beat_lda import fit
from ml.training.strips import RawStrip, condition_strips
from tests.bundles import RECIPE

SMALL = replace(RECIPE, lda=BeatLdaConfig(dimensions=4))


@pytest.fixture(scope="module")
def strips(tmp_path_factory):
    raw = (
        RawStrip(str(n), 0, 250.0, SyntheticPerson.draw(n).record(duration_s=12.0, fs_hz=250.0, seed=n))
        for n in range(12)
    )
    return condition_strips(raw, tmp_path_factory.mktemp("cache") / "people")


class TestFit:
    def test_same_recordings_give_the_same_bytes_of_weights(self, strips):
        assert beat_lda_network(fit(strips, SMALL)) == beat_lda_network(fit(strips, SMALL))

    def test_inverted_recordings_give_the_same_polarity(self, strips):
        inverted = [replace(s, ecg=-s.ecg) if n % 2 else s for n, s in enumerate(strips)]

        np.testing.assert_allclose(fit(inverted, SMALL).polarity, fit(strips, SMALL).polarity, atol=1e-9)

    def test_failures_to_acquire_are_passed_over(self, strips):
        nothing = replace(
            strips[0], subject_id="nobody", ecg=strips[0].ecg[:0], r_peaks=strips[0].r_peaks[:0]
        )

        # The extra person changes the numbering of people, not the fit.
        np.testing.assert_allclose(
            fit([*strips, nothing], SMALL).projection, fit(strips, SMALL).projection, atol=1e-9
        )

    def test_another_seed_gives_other_weights(self, strips):
        other = replace(SMALL, variation=replace(SMALL.variation, seed=1))

        assert not np.array_equal(fit(strips, other).projection, fit(strips, SMALL).projection)
