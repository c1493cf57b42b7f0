import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ml.runtime.ecg.signal.order_statistics import lower_quartile, median, median_row, quantiles

FINITE = st.floats(-1e12, 1e12)


class TestMedian:
    @given(arrays(np.float64, st.integers(1, 40), elements=FINITE))
    def test_it_equals_numpys_to_the_bit(self, values: np.ndarray) -> None:
        assert median(values) == np.median(values)

    @pytest.mark.parametrize("n_samples", [2499, 2500])
    def test_of_a_strip_too(self, n_samples: int) -> None:
        values = np.random.default_rng(n_samples).standard_normal(n_samples)

        assert median(values) == np.median(values)

    @given(arrays(np.int64, st.integers(1, 40), elements=st.integers(-(10**6), 10**6)))
    def test_the_median_of_integers_may_lie_between_them(self, values: np.ndarray) -> None:
        assert median(values) == np.median(values)

    def test_it_leaves_its_input_as_it_was(self) -> None:
        values = np.array([3.0, 1.0, 2.0, 0.0])

        median(values)

        assert values.tolist() == [3.0, 1.0, 2.0, 0.0]


class TestMedianRow:
    @given(arrays(np.float64, st.tuples(st.integers(1, 20), st.integers(1, 12)), elements=FINITE))
    def test_it_equals_numpys_to_the_bit(self, rows: np.ndarray) -> None:
        assert np.array_equal(median_row(rows), np.median(rows, axis=0))

    def test_it_leaves_its_input_as_it_was(self) -> None:
        rows = np.array([[3.0], [1.0], [2.0], [0.0]])

        median_row(rows)

        assert rows.ravel().tolist() == [3.0, 1.0, 2.0, 0.0]


class TestLowerQuartile:
    @given(arrays(np.float64, st.integers(2, 40), elements=FINITE))
    def test_it_equals_numpys_to_the_bit(self, values: np.ndarray) -> None:
        assert lower_quartile(values) == np.quantile(values, 0.25)


class TestQuantiles:
    @given(
        arrays(np.float64, st.integers(1, 40), elements=FINITE),
        st.lists(st.sampled_from([0.01, 0.03, 0.25, 0.5, 0.95, 0.97, 0.99, 1.0]), min_size=1, max_size=3),
    )
    def test_they_equal_numpys_to_the_bit(self, values: np.ndarray, shares: list[float]) -> None:
        assert quantiles(values, *shares) == tuple(np.quantile(values, shares))
