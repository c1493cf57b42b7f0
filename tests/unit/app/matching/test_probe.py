import numpy as np
import pytest

from app.domain.captures import EcgStrip
from app.domain.references import Vector
from app.matching.encoded_captures import Acquired
from app.matching.probe import pool_probe
from ml.runtime.encoding import Encoding
from ml.runtime.evidence import SECONDS, Evidence
from tests.fakes import FakeEncoder, unit

ENCODER = FakeEncoder()


def acquired(vectors: Vector, seconds: float = 5.0) -> list[Acquired]:
    strip = EcgStrip(np.zeros(8, dtype=np.float32), 250.0)
    evidence = Evidence(seconds, SECONDS, 0.9)
    return [Acquired(0, strip, Encoding(vector.astype(np.float32), evidence)) for vector in vectors]


def of_one_person(cosine: float, n: int) -> Vector:
    """Unit vectors of which any two have this cosine."""
    gram = np.full((n, n), cosine) + (1.0 - cosine) * np.eye(n)
    vectors = np.zeros((n, ENCODER.vector_size))
    vectors[:, :n] = np.linalg.cholesky(gram)
    return vectors


class TestPoolProbe:
    def test_one_recording_is_its_own_template(self):
        vector = unit(np.arange(1.0, 1.0 + ENCODER.vector_size))

        template = pool_probe(ENCODER, acquired(vector[None, :]))

        assert template.vector == pytest.approx(vector, abs=1e-6)

    def test_recordings_that_agree_as_one_persons_do_have_unit_norm(self):
        cosine = float(ENCODER.calibration.mated_cosine(5.0))

        template = pool_probe(ENCODER, acquired(of_one_person(cosine + 0.01, 4)))

        assert np.linalg.norm(template.vector) == pytest.approx(1.0, abs=1e-6)

    @pytest.mark.parametrize("n", [2, 5, 10])
    def test_those_of_strangers_lose_what_they_disagree(self, n: int):
        """What is left over their common part is no more than for one person's recordings."""
        cosine = 0.2
        expected = ENCODER.calibration.expected_agreement(np.full(n, 5.0))

        template = pool_probe(ENCODER, acquired(of_one_person(cosine, n)))

        agreement = np.sqrt(1.0 / n + (1.0 - 1.0 / n) * cosine)
        assert np.linalg.norm(template.vector) == pytest.approx(agreement / expected, abs=1e-5)

    def test_one_recording_many_times_is_still_that_recording(self):
        vector = unit(np.arange(1.0, 1.0 + ENCODER.vector_size))

        template = pool_probe(ENCODER, acquired(np.tile(vector, (10, 1))))

        assert template.vector == pytest.approx(vector, abs=1e-6)
