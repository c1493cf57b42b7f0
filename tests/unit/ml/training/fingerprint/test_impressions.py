"""What is kept of a set's pictures, those that are refused included."""

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from ml.data.fingerprints import FingerprintFile
from ml.runtime.fingerprint.drawn_finger import drawn_finger
from ml.runtime.fingerprint.minutiae import Minutiae
from ml.training.fingerprint.impressions import extract_computed, extract_computed_crowd, extract_files


def kept(folder: Path, *pictures: np.ndarray) -> list[FingerprintFile]:
    files = []
    for number, picture in enumerate(pictures):
        path = folder / f"{number}.png"
        cv2.imwrite(str(path), picture)
        files.append(FingerprintFile(path, "ann", "thumb", number + 1, 500))
    return files


class TestExtractFiles:
    def test_refused_pictures_stay_in_their_places(self, tmp_path: Path) -> None:
        paper = np.full((200, 200), 230, np.uint8)
        files = kept(tmp_path, drawn_finger(1), paper, drawn_finger(2))

        found = extract_files("set", files, tmp_path / "cache")

        assert [one.impression for one in found] == [1, 2, 3]
        assert [one.written is not None for one in found] == [True, False, True]
        assert found[1].quality == 0.0

    def test_minutiae_too_scattered_to_compare_count_as_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        far_apart = np.arange(8, dtype=np.float32)[:, None] * np.float32([[150.0, 0.0]])
        scattered = Minutiae(far_apart, np.zeros(8, np.float32), np.ones(8, np.float32))
        monkeypatch.setattr(
            "ml.training.fingerprint.impressions.extract",
            lambda _pixels, _dpi: SimpleNamespace(minutiae=scattered, quality=0.5),
        )

        (found,) = extract_files("set", kept(tmp_path, drawn_finger(1)), tmp_path / "cache")

        assert (found.written, found.quality) == (None, 0.0)


class TestExtractComputedCrowd:
    def test_it_is_one_impression_each_of_other_fingers_than_those_that_are_fitted_to(
        self, tmp_path: Path
    ) -> None:
        crowd, fitted = extract_computed_crowd(2, tmp_path), extract_computed(1, tmp_path)

        assert [one.impression for one in crowd] == [1, 1]
        assert len({one.finger for one in (*crowd, *fitted)}) == 3
        assert all(one.written is not None for one in crowd)
