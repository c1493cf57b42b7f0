import numpy as np
import pytest

from app.pictures.envelope import envelope


class TestEnvelope:
    @pytest.mark.parametrize("n", [1, 2, 99, 200, 201, 1000, 1001, 240_000])
    def test_keeps_the_peaks_in_few_points(self, n):
        y = np.random.default_rng(n).standard_normal(n)

        at, kept = envelope(y, 100)

        assert kept.size <= max(200, min(n, 200))
        assert (np.diff(at) > 0).all()
        np.testing.assert_array_equal(kept, y[at])
        assert (kept.max(), kept.min()) == (y.max(), y.min())

    def test_short_signals_stay_as_they_are(self):
        y = np.arange(200.0)

        np.testing.assert_array_equal(envelope(y, 100)[1], y)

    def test_a_spike_of_one_sample_stays_in_place(self):
        y = np.zeros(10_000)
        y[5_432] = 1.0

        at, kept = envelope(y, 100)

        assert at[kept.argmax()] == 5_432
