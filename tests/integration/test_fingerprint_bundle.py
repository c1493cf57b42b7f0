"""The shipped fingerprint bundle tells real fingers apart."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from ml.data.fingerprints import read_fvc
from ml.runtime.encoder import BundledEncoder, load_bundle
from ml.runtime.fingerprint.comparison.comparer import FingerprintComparer
from ml.runtime.fingerprint.raw_fingerprint import RawFingerprint

pytestmark = pytest.mark.real_data

BUNDLE = Path(__file__).parents[2] / "models" / "fingerprint@2026.12"
FINGERS = 5


@pytest.fixture(scope="module")
def encoder() -> BundledEncoder:
    return load_bundle(BUNDLE)


def details(encoder: BundledEncoder, data: Path, impression: int, *, flipped: bool = False) -> list[bytes]:
    files = [file for file in read_fvc(data, "fvc2000/DB1_B") if file.impression == impression][:FINGERS]
    found = []
    for file in files:
        picture = cv2.imread(str(file.path), cv2.IMREAD_GRAYSCALE)
        if flipped:
            picture = cv2.flip(picture, 1)
        content = cv2.imencode(".png", picture)[1].tobytes()
        found.append(encoder.encode(RawFingerprint(content, file.dpi)).detail or b"")
    return found


class TestRealFingers:
    def test_every_finger_resembles_itself_most(self, encoder: BundledEncoder, data_dir: Path) -> None:
        comparer = encoder.preparation.comparer()
        assert comparer is not None
        enrolled = [[comparer.open(one)] for one in details(encoder, data_dir, 1)]
        probes = [comparer.open(one) for one in details(encoder, data_dir, 2)]

        found = np.stack([comparer.compare([probe], enrolled) for probe in probes])

        mated, others = np.diag(found), found[~np.eye(FINGERS, dtype=bool)]
        assert mated.min() > others.max()
        assert np.median(mated) > 0.4
        assert np.median(others) < 0.0

    def test_a_mirrored_picture_matches_only_as_its_mirror_image(
        self, encoder: BundledEncoder, data_dir: Path
    ) -> None:
        comparer = encoder.preparation.comparer()
        assert isinstance(comparer, FingerprintComparer)
        enrolled = comparer.open(details(encoder, data_dir, 1)[0])
        flipped = comparer.open(details(encoder, data_dir, 2, flipped=True)[0])

        plain, mirrored = comparer.similarities([(flipped, enrolled), (comparer.mirrored(flipped), enrolled)])

        assert plain < 0.0
        assert mirrored > 0.3
