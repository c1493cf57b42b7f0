"""The exported network says what the fitted axes say."""

import numpy as np
import pytest

from ml.export.cylinder_network import cylinder_network
from ml.export.onnx_files import open_session
from ml.models.cylinder_vectors import CylinderAxes
from ml.training.fingerprint.cylinder_axes import CylinderAxesConfig, fit_cylinder_axes
from tests.unit.ml.training.fingerprint.fillings import fillings_of

SMALL = CylinderAxesConfig(local_dimensions=6, words=4, vector_dimensions=5, subspace=12)


@pytest.fixture(scope="module")
def fitted() -> CylinderAxes:
    prints = [(finger, fillings_of(finger, take)) for finger in range(8) for take in range(3)]
    return fit_cylinder_axes([one for _, one in prints], [str(finger) for finger, _ in prints], SMALL)


class TestCylinderNetwork:
    def test_both_outputs_equal_the_axes(self, fitted: CylinderAxes) -> None:
        session = open_session(cylinder_network(fitted))
        fillings = fillings_of(20, 0)

        vector, local = session.run(["vector", "local"], {"cylinders": fillings})

        assert vector.shape == (1, 5)
        assert np.allclose(vector[0], fitted.vector(fillings), atol=2e-4)
        assert np.allclose(local, fitted.local_vectors(fillings), atol=1e-4)

    def test_same_axes_same_bytes(self, fitted: CylinderAxes) -> None:
        assert cylinder_network(fitted) == cylinder_network(fitted)
