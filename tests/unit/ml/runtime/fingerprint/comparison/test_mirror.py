"""A mirrored print is a stranger to the finger, and itself again when mirrored twice."""

import pytest

from ml.runtime.fingerprint.comparison.combiner import Combiner
from ml.runtime.fingerprint.comparison.comparer import FingerprintComparer
from ml.runtime.fingerprint.comparison.mirror import mirrored
from tests.unit.ml.runtime.fingerprint.comparison.prints import impression, template


@pytest.fixture
def comparer() -> FingerprintComparer:
    return FingerprintComparer(Combiner())


class TestMirrored:
    def test_the_mirror_image_of_a_mirrored_probe_matches(self, comparer: FingerprintComparer) -> None:
        enrolled = template(impression(1, 0))
        flipped = mirrored(template(impression(1, 1)))

        plain, again, own = comparer.similarities(
            [(flipped, enrolled), (mirrored(flipped), enrolled), (template(impression(1, 1)), enrolled)]
        )

        assert plain < own - 0.2
        assert again == pytest.approx(own, abs=0.02)
