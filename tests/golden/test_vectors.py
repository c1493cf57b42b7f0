"""Shipped bundles go on making the vectors that people were enrolled with."""

import json

import numpy as np
import pytest

from ml.runtime.bundle import BundleError
from ml.runtime.ecg.activity.bundle import load_recognizer
from ml.runtime.ecg.signal import constants
from ml.runtime.encoder import load_bundle
from tests.golden.captures import CAPTURES, MODELS, VECTORS, activities, encoded

GOLDEN = json.loads(VECTORS.read_text(encoding="utf-8"))
PLACES = range(len(CAPTURES))


@pytest.fixture(scope="module", params=sorted(GOLDEN["vectors"]))
def bundle(request):
    return request.param, load_bundle(MODELS / request.param)


class TestVectors:
    def test_every_shipped_bundle_is_held_to_them(self):
        assert set(GOLDEN["vectors"]) == {folder.name for folder in MODELS.glob("ecg*@*")}

    @pytest.mark.parametrize("place", PLACES, ids=[capture.name for capture in CAPTURES])
    def test_a_capture_gives_the_vector_it_gave(self, bundle, place):
        name, encoder = bundle
        golden = GOLDEN["vectors"][name][place]

        found = encoded(encoder, CAPTURES[place])

        assert found["capture"] == golden["capture"]
        assert (found["seconds"], found["quality"]) == pytest.approx(
            (golden["seconds"], golden["quality"]), abs=1e-3
        )
        # Processors round 8-bit networks differently; a filter of 25 instead of 40 Hz gave 0.80 to 0.97.
        assert np.dot(found["vector"], golden["vector"]) >= 0.999

    @pytest.mark.parametrize("place", PLACES, ids=[capture.name for capture in CAPTURES])
    def test_a_capture_gives_the_activity_it_gave(self, place):
        golden = GOLDEN["activity"][place]

        found = activities(CAPTURES[place])

        assert (found["capture"], found["encoder"]) == (golden["capture"], golden["encoder"])
        assert found["probabilities"] == pytest.approx(golden["probabilities"], abs=2e-3)


class TestPreparation:
    """With a filter of 25 instead of 40 Hz vectors had a cosine of 0.80 to 0.97 to what is stored."""

    @pytest.mark.parametrize("name", sorted(GOLDEN["vectors"]))
    def test_a_changed_chain_no_longer_loads_under_the_same_id(self, name, monkeypatch):
        monkeypatch.setattr(constants, "BAND_HIGH_HZ", 25.0)

        with pytest.raises(BundleError, match=rf"^bundle {name}: .* BAND_HIGH_HZ 40\.0 \(code: 25\.0\)$"):
            load_bundle(MODELS / name)

    def test_of_the_activity_bundle_neither(self, monkeypatch):
        (folder,) = MODELS.glob("activity@*")
        monkeypatch.setattr(constants, "BAND_HIGH_HZ", 25.0)

        with pytest.raises(BundleError, match=r"BAND_HIGH_HZ 40\.0 \(code: 25\.0\)$"):
            load_recognizer(folder)
