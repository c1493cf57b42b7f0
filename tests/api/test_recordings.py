"""``POST /quality`` and ``POST /activity``."""

from tests.factories import ecg, flat_ecg


class TestQuality:
    def test_every_recording_gets_its_report(self, shared_api):
        face = {"modality": "face", "image_b64": "/9j/4AAQ"}

        answer = shared_api.post("/quality", {"recordings": [ecg(1), flat_ecg(), face]})

        assert answer.status_code == 200
        good, flat, unserved = answer.json()["recordings"]
        assert list(good) == ["index", "accepted", "score", "reasons", "seconds", "heart_rate_bpm"]
        assert good["accepted"]
        assert (flat["index"], flat["accepted"], flat["code"]) == (1, False, "signal_flat")
        assert (unserved["accepted"], unserved["code"]) == (False, "modality_unavailable")

    def test_nothing_is_stored(self, shared_api):
        shared_api.post("/quality", {"recordings": [ecg(1)]})

        assert shared_api.get("/subjects").json()["items"] == []


class TestActivity:
    def test_is_unavailable_without_a_bundle(self, shared_api):
        answer = shared_api.post("/activity", {"recording": ecg(1)})

        assert (answer.status_code, answer.json()["code"]) == (422, "modality_unavailable")

    def test_takes_strips_of_more_than_two_minutes(self, shared_api):
        answer = shared_api.post("/activity", {"recording": ecg(1, seconds=300.0)})

        assert answer.json()["code"] == "modality_unavailable"

    def test_refuses_strips_of_more_than_an_hour(self, shared_api):
        recording = ecg(1) | {"signal": [0] * 360_010}

        answer = shared_api.post("/activity", {"recording": recording})

        assert (answer.status_code, answer.json()["code"]) == (422, "signal_too_long")
        assert answer.json()["errors"][0]["pointer"] == "/recording/signal"
