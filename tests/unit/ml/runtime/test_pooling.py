import numpy as np
import pytest

from ml.runtime.pooling import pool


def unit(*coordinates: float) -> np.ndarray:
    return np.array(coordinates, dtype=np.float32) / np.float32(np.linalg.norm(coordinates))


class TestPool:
    def test_a_long_session_does_not_outvote_a_short_one(self):
        vectors = np.stack([unit(1, 0), unit(1, 0), unit(1, 0), unit(0, 1)])

        np.testing.assert_allclose(pool(vectors, ["monday"] * 3 + ["friday"]), unit(1, 1), atol=1e-7)

    def test_one_session_is_the_plain_mean(self):
        vectors = np.stack([unit(1, 0), unit(1, 0), unit(0, 1)])

        np.testing.assert_allclose(pool(vectors, [1, 1, 1]), unit(2, 1), atol=1e-7)

    def test_order_does_not_matter(self):
        vectors = np.random.default_rng(0).standard_normal((5, 4))
        sessions = np.array([1, 2, 1, 3, 2])
        order = [4, 2, 0, 1, 3]

        np.testing.assert_allclose(pool(vectors, sessions), pool(vectors[order], sessions[order]), atol=1e-7)

    def test_result_is_a_float32_unit_vector(self):
        pooled = pool(np.random.default_rng(0).standard_normal((5, 4)), [1, 2, 1, 3, 2])

        assert pooled.dtype == np.float32
        assert np.linalg.norm(pooled) == pytest.approx(1.0)

    def test_nothing_to_pool_is_refused(self):
        with pytest.raises(ValueError, match="one session per vector"):
            pool(np.empty((0, 4)), [])

    def test_missing_sessions_are_refused(self):
        with pytest.raises(ValueError, match="one session per vector"):
            pool(np.ones((2, 4)), [1])

    def test_opposite_vectors_are_refused(self):
        with pytest.raises(ValueError, match="cancel out"):
            pool(np.stack([unit(1, 0), unit(-1, 0)]), [1, 2])
