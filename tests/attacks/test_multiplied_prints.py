"""Many images of many fingers against many references: the stated rate still holds.

Ten recordings against 32 references are 320 comparisons, each of which may match by chance. As if they were
one, strangers would match many times as often as stated.
"""

import numpy as np
import pytest

from app.adapters.index.exact_index import ExactIndex
from app.domain.details import Detail, Parts
from app.domain.policies import CalibratedPolicy
from app.domain.references import UNKNOWN_POSITION, Modality, Template, TemplateKey
from app.matching.gallery_state import GalleryState
from app.matching.matcher import Matcher
from app.matching.transformed_probe import TransformedProbe
from ml.runtime.evidence import IMAGES, Evidence
from tests.fakes import FakeEncoders
from tests.fingerprint_fakes import RIDGES, FakeFingerprintEncoder

STRANGERS = 600
FMR = 0.1
ALLOWED = 1.3
"""Times the stated rate."""

ENCODER = FakeFingerprintEncoder()
KEY = TemplateKey(Modality.FINGERPRINT, UNKNOWN_POSITION, ENCODER.encoder_id)


def templates(generator: np.random.Generator, images: int, fingers: int) -> Template:
    """Images of so many fingers of somebody, in turn."""
    patterns = generator.standard_normal((fingers, RIDGES))[np.arange(images) % fingers]
    seen = (patterns + 0.3 * generator.standard_normal(patterns.shape)).astype(np.float32)
    details = tuple(Detail(one.tobytes(), ENCODER.comparer.open) for one in seen)
    vector = np.eye(ENCODER.vector_size, dtype=np.float32)[0]
    return Template(vector, Evidence(float(images), IMAGES, 0.9), Parts(details, seen[:0, :6]))


def measured_over_nominal(recordings: int, references: int, fingers: int, fmr: float) -> float:
    """How often strangers match, over how often they may."""
    generator = np.random.default_rng([recordings, references, fingers])
    state = GalleryState(ENCODER.encoder_id, ExactIndex(), FakeEncoders(ENCODER))
    matcher, policy, matches = Matcher(None, FakeEncoders(ENCODER)), CalibratedPolicy(fmr=fmr), 0
    for _ in range(STRANGERS):
        probe = TransformedProbe(ENCODER, {UNKNOWN_POSITION: templates(generator, recordings, fingers)})
        enrolled = {KEY: templates(generator, references, fingers)}
        matches += bool(matcher.against_subject(state, [probe], enrolled, policy).passes.all())
    return matches / STRANGERS / fmr


@pytest.mark.parametrize(
    ("recordings", "references", "fingers"), [(1, 1, 1), (1, 4, 1), (4, 4, 10), (10, 32, 1), (10, 32, 10)]
)
def test_strangers_match_no_more_often_than_stated(recordings, references, fingers):
    assert measured_over_nominal(recordings, references, fingers, FMR) <= ALLOWED


def test_counted_as_one_comparison_they_would(monkeypatch):
    """So that the tests above could fail."""
    calibration = type(ENCODER.calibration)
    monkeypatch.setattr(calibration, "shared", lambda _, compared: np.ones_like(compared))
    monkeypatch.setattr(calibration, "evidence_classes", lambda *_: np.zeros(1, dtype=np.int64))

    assert measured_over_nominal(10, 32, 10, FMR) > 3.0
