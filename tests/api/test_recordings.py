"""`POST /quality`."""

from tests.factories import ecg, flat_ecg


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
