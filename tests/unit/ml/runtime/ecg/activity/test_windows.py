import numpy as np
import pytest

from ml.runtime.ecg.activity.windows import context_starts_s, fitting_context_s, segment_edges_s


class TestSegmentEdges:
    @pytest.mark.parametrize(
        ("duration_s", "edges"),
        [
            (3.0, [0, 3.0]),
            (2.99, [0, 2.99]),
            (7.0, [0, 3, 7.0]),
            (8.0, [0, 3, 6, 8.0]),
            (9.0, [0, 3, 6, 9.0]),
        ],
    )
    def test_the_last_one_takes_what_is_left(self, duration_s, edges):
        assert segment_edges_s(duration_s, 3.0).tolist() == edges


class TestFittingContext:
    @pytest.mark.parametrize(
        ("duration_s", "context_s"), [(2.99, 3.0), (5.0, 3.0), (9.99, 10.0), (30.0, 30.0), (3600.0, 30.0)]
    )
    def test_it_is_the_longest_that_the_strip_holds(self, duration_s, context_s):
        assert fitting_context_s(duration_s, (3.0, 10.0, 30.0)) == context_s


class TestContextStarts:
    def test_a_context_lies_around_its_segment_and_within_the_strip(self):
        starts_s = context_starts_s(segment_edges_s(30.0, 3.0), 10.0)

        assert starts_s.tolist() == [0.0, 0.0, 2.5, 5.5, 8.5, 11.5, 14.5, 17.5, 20.0, 20.0]

    def test_a_short_strip_is_one_context(self):
        assert context_starts_s(np.array([0.0, 2.99]), 3.0).tolist() == [0.0]
