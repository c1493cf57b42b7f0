"""Secret rotations keep distances and hide who is who (DESIGN §7)."""

import numpy as np
import pytest

from app.adapters.orthonormal import random_orthonormal

SIZE = 128
PEOPLE = 400
DRAWS = 100


def people(offset: float = 0.5) -> np.ndarray:
    """Unit vectors that share a direction, as those of real encoders do."""
    vectors = np.random.default_rng(0).standard_normal((PEOPLE, SIZE)) + offset
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def auc(scores: np.ndarray) -> float:
    """How often a mated score (the diagonal) exceeds a non-mated one; ties count half."""
    mated = np.diagonal(scores)
    non_mated = np.sort(scores[~np.eye(len(scores), dtype=bool)])
    below = np.searchsorted(non_mated, mated, "left") + np.searchsorted(non_mated, mated, "right")
    return float(below.mean() / 2 / len(non_mated))


def uncorrected(size: int) -> np.ndarray:
    """QR as LAPACK leaves it, without the signs."""
    q, _ = np.linalg.qr(np.random.default_rng().standard_normal((size, size)))
    return np.asarray(q)


class TestRandomOrthonormal:
    @pytest.mark.parametrize("size", [1, 2, 32, 128, 257])
    def test_columns_are_orthonormal(self, size):
        matrix = random_orthonormal(size)

        np.testing.assert_allclose(matrix.T @ matrix, np.eye(size), atol=1e-12)

    def test_cosines_and_distances_survive_the_stored_precision(self):
        matrix = random_orthonormal(SIZE).astype(np.float32)
        before = people().astype(np.float32)

        after = before @ matrix.T

        np.testing.assert_allclose(after @ after.T, before @ before.T, atol=1e-5)
        distances = [np.linalg.norm(v[:50, None] - v[None, :50], axis=2) for v in (before, after)]
        np.testing.assert_allclose(distances[1], distances[0], atol=1e-5)

    def test_the_trace_has_the_moments_of_the_haar_measure(self):
        traces = np.array([np.trace(random_orthonormal(24)) for _ in range(2000)])

        assert abs(traces.mean()) < 5 / np.sqrt(2000)
        assert traces.var() == pytest.approx(1.0, abs=0.2)


class TestUnlinkability:
    """Galleries of the same people: can one tell by direct comparison who is who?"""

    def mean_auc(self, draw) -> float:
        vectors = people()
        return float(np.mean([auc((vectors @ draw(SIZE).T) @ vectors.T) for _ in range(DRAWS)]))

    def test_templates_of_two_galleries_do_not_link(self):
        # Galleries with matrices A and B compare as with one matrix BᵀA, which is Haar if A and B are.
        assert self.mean_auc(random_orthonormal) == pytest.approx(0.5, abs=0.01)

    def test_without_the_sign_correction_they_would(self):
        assert abs(self.mean_auc(uncorrected) - 0.5) > 0.02

    def test_within_one_gallery_they_link_perfectly(self):
        matrix = random_orthonormal(SIZE)
        vectors = people() @ matrix.T

        assert auc(vectors @ vectors.T) == 1.0
