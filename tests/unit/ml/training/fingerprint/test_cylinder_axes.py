"""Axes fitted to known fingers bring takes of one together."""

import numpy as np
import pytest

from ml.models.cylinder_vectors import CylinderAxes, vlad
from ml.training.fingerprint.cylinder_axes import CylinderAxesConfig, fit_cylinder_axes
from tests.unit.ml.training.fingerprint.fillings import fillings_of

SMALL = CylinderAxesConfig(local_dimensions=6, words=4, vector_dimensions=5, subspace=12)


@pytest.fixture(scope="module")
def fitted() -> CylinderAxes:
    prints = [(finger, fillings_of(finger, take)) for finger in range(12) for take in range(4)]
    return fit_cylinder_axes([one for _, one in prints], [str(finger) for finger, _ in prints], SMALL)


class TestFitCylinderAxes:
    def test_shapes_are_those_of_the_config(self, fitted: CylinderAxes) -> None:
        assert fitted.local.shape == (24, 6)
        assert fitted.words.shape == (4, 6)
        assert fitted.whole.shape == (24, 5)

    def test_takes_of_a_finger_are_nearer_than_fingers(self, fitted: CylinderAxes) -> None:
        first = np.stack([fitted.vector(fillings_of(finger, 7)) for finger in range(12)])
        second = np.stack([fitted.vector(fillings_of(finger, 8)) for finger in range(12)])

        cosine = first @ second.T

        assert np.diag(cosine).mean() > cosine[~np.eye(12, dtype=bool)].mean() + 0.5

    def test_vectors_have_unit_norm(self, fitted: CylinderAxes) -> None:
        assert np.linalg.norm(fitted.vector(fillings_of(3, 1))) == pytest.approx(1.0, abs=1e-4)
        assert np.allclose(np.linalg.norm(fitted.local_vectors(fillings_of(3, 1)), axis=1), 1.0, atol=1e-4)


class TestVlad:
    def test_the_order_of_cylinders_does_not_matter(self) -> None:
        generator = np.random.default_rng(0)
        local, words = generator.normal(size=(9, 4)), generator.normal(size=(3, 4))

        assert np.allclose(vlad(local, words, 5.0), vlad(local[::-1], words, 5.0))
