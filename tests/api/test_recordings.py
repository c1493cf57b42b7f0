"""`POST /quality`."""

import numpy as np
import pytest

from tests.factories import ecg, flat_ecg


class TestRates:
    @pytest.mark.parametrize("fs_hz", [100, 130.03, 1000 / 7.692, 199.8049, 512.6171875, 513.625, 2000])
    def test_are_taken_as_the_device_states_them(self, shared_api, fs_hz):
        n_samples = round(3.2 * fs_hz)
        signal = np.random.default_rng(1).standard_normal(n_samples).round(3).tolist()

        answer = shared_api.post("/quality", {"recordings": [ecg(1) | {"fs_hz": fs_hz, "signal": signal}]})

        assert answer.status_code == 200

    def test_of_a_strip_that_is_too_long_the_remedy_is_named(self, shared_api):
        answer = shared_api.post("/quality", {"recordings": [ecg(1) | {"signal": [0.5] * 30_000}]})

        assert answer.json()["code"] == "signal_too_long"
        assert "in pieces" in answer.json()["errors"][0]["detail"]


class TestQuality:
    def test_every_recording_gets_its_report(self, shared_api):
        face = {"modality": "face", "image_b64": "/9j/4AAQ"}

        answer = shared_api.post("/quality", {"recordings": [ecg(1), flat_ecg(), face]})

        assert answer.status_code == 200
        good, flat, unserved = answer.json()["recordings"]
        assert list(good) == [
            "index", "accepted", "score", "reasons", "explanations", "seconds", "heart_rate_bpm",
        ]  # fmt: skip
        assert good["accepted"]
        assert (flat["index"], flat["accepted"], flat["code"]) == (1, False, "signal_flat")
        assert (unserved["accepted"], unserved["code"]) == (False, "modality_unavailable")

    def test_nothing_is_stored(self, shared_api):
        shared_api.post("/quality", {"recordings": [ecg(1)]})

        assert shared_api.get("/subjects").json()["items"] == []
