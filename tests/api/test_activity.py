"""`POST /activity`, and the activity that comes with decisions."""

import asyncio
import base64
import json
import threading

import numpy as np
import pytest

from app.domain.scores import ActivityEstimate
from app.domain.subjects import Scope
from tests.api.application import Exchange, open_api
from tests.factories import FS_HZ, ecg, ecg_bytes, enroll_body, flat_ecg, identify_body, strip, verify_body
from tests.fakes import FakeRecognizer

PROBABILITIES = {"rest": 0.8, "walk": 0.1, "run": 0.1}
HOUR_S = 3600
RECOGNISER = FakeRecognizer()


def loud(loudness, seconds=10.0):
    """An ECG of a fake person that says how loud the wearer is."""
    signal = strip(1, seconds=seconds)
    return ecg(1) | {"signal": np.round(loudness * signal / signal.std(), 4).tolist()}


def long_ecg(seconds, *, fs_hz=FS_HZ):
    """Int16 in base64: the first half at rest, then running."""
    half = np.resize(strip(1, seconds=60.0), round(seconds * fs_hz / 2))
    samples = np.concatenate([half, 10.0 * half]) / half.std()
    return {
        "modality": "ecg",
        "fs_hz": fs_hz,
        "unit": "raw",
        "signal_b64": base64.b64encode(samples.astype("<i2").tobytes()).decode(),
        "dtype": "int16",
    }


class TestAnswer:
    def test_tells_the_activity_of_every_segment(self, api):
        answer = api.post("/activity", {"recording": loud(1.0)})

        assert answer.status_code == 200
        body = answer.json()
        assert list(body) == [
            "activity", "probabilities", "groups", "timeline", "heart_rate_bpm", "quality", "seconds",
            "encoder",
        ]  # fmt: skip
        assert (body["activity"], body["probabilities"]) == ("rest", PROBABILITIES)
        assert body["groups"] == {"rest": 0.8, "moving": 0.2}
        assert (body["heart_rate_bpm"], body["quality"], body["seconds"]) == (60.0, 0.9, 10.0)
        assert body["encoder"] == "fakeactivity@2026.11"
        assert body["timeline"] == [
            {
                "start_s": start_s,
                "end_s": start_s + 5.0,
                "activity": "rest",
                "probability": 0.8,
                "probabilities": PROBABILITIES,
                "heart_rate_bpm": 60.0,
                "quality": 0.9,
            }
            for start_s in (0.0, 5.0)
        ]

    def test_what_allows_no_call_is_unknown(self, api):
        recording = loud(1.0)
        recording["signal"] += [0.0] * 500

        body = api.post("/activity", {"recording": recording}).json()

        assert body["timeline"][-1] == {
            "start_s": 10.0,
            "end_s": 15.0,
            "activity": "unknown",
            "probability": None,
            "probabilities": {},
            "heart_rate_bpm": None,
            "quality": 0.0,
        }
        assert (body["activity"], body["seconds"]) == ("rest", 10.0)

    def test_compares_with_the_wearers_own_rest(self, api):
        alone = api.post("/activity", {"recording": loud(4.0)}).json()
        compared = api.post("/activity", {"recording": loud(4.0), "rest": loud(4.0)}).json()

        assert (alone["activity"], compared["activity"]) == ("walk", "rest")

    def test_also_answers_under_v1(self, api):
        assert api.post("/v1/activity", {"recording": loud(1.0)}).status_code == 200

    def test_stores_nothing(self, api):
        api.post("/activity", {"recording": loud(1.0), "rest": loud(1.0)})

        assert api.get("/subjects").json()["items"] == []

    def test_needs_no_gallery(self, api):
        key = api.new_key(Scope.ACTIVITY, galleries=())

        assert api.post("/activity", {"recording": loud(1.0)}, key=key).status_code == 200


class TestLongStrips:
    def test_an_hour_at_500_hz_fits(self, api):
        body = api.post("/activity", {"recording": long_ecg(HOUR_S, fs_hz=500.0)}).json()

        assert len(body["timeline"]) == 720
        assert [body["timeline"][row]["activity"] for row in (0, 359, 360, 719)] == ["rest"] * 2 + ["run"] * 2
        assert body["timeline"][-1]["end_s"] == HOUR_S
        assert body["probabilities"] == pytest.approx({"rest": 0.45, "walk": 0.1, "run": 0.45})

    def test_more_than_an_hour_is_too_long(self, api):
        answer = api.post("/activity", {"recording": long_ecg(HOUR_S + 2)})

        assert (answer.status_code, answer.json()["code"]) == (422, "signal_too_long")
        assert answer.json()["errors"][0]["pointer"] == "/recording/signal_b64"

    def test_an_hour_at_2000_hz_is_too_large(self, api):
        answer = api.post("/activity", {"recording": long_ecg(HOUR_S, fs_hz=2000.0)})

        assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")

    @pytest.mark.parametrize(("seconds", "status"), [(120.0, 200), (120.1, 422)])
    def test_numbers_serve_up_to_two_minutes(self, api, seconds, status):
        answer = api.post("/activity", {"recording": ecg(1, seconds=seconds)})

        assert answer.status_code == status
        if status == 422:
            (fault,) = answer.json()["errors"]
            assert (fault["pointer"], fault["code"]) == ("/recording/signal", "signal_too_long")
            assert "signal_b64" in fault["detail"]

    def test_others_are_served_meanwhile(self, sqlite_url):
        waiting, opened = threading.Event(), threading.Event()

        class Slow(FakeRecognizer):
            def timeline(self, recording, baseline):
                pieces = super().timeline(recording, baseline)
                yield next(pieces)
                waiting.set()
                opened.wait(10.0)
                return (yield from pieces)

        async def both(api):
            long = asyncio.ensure_future(api.acall("POST", "/activity", {"recording": long_ecg(600.0)}))
            await asyncio.to_thread(waiting.wait)
            other = await api.acall("POST", "/quality", {"recordings": [ecg(1)]})
            assert not long.done()
            opened.set()
            return other, await long

        with open_api(sqlite_url, recognizer=Slow()) as api:
            other, long = api.run(both(api))

        assert (other.status_code, long.status_code) == (200, 200)


class TestClientGone:
    def test_work_that_nobody_waits_for_ends(self, sqlite_url):
        pieces = []

        class Counting(FakeRecognizer):
            def timeline(self, recording, baseline):
                for _ in range(100):
                    pieces.append(1)
                    yield
                return (yield from super().timeline(recording, baseline))

        body = json.dumps({"recording": loud(1.0)}).encode()
        messages = [{"type": "http.request", "body": body}, {"type": "http.disconnect"}]

        async def receive():
            return messages.pop(0)

        with open_api(sqlite_url, recognizer=Counting()) as api:
            exchange = Exchange(api, path="/activity").run(receive)
            log = api.log.getvalue()

        assert (len(pieces), exchange.sent) == (1, [])
        assert '"status": 499' in log
        assert "http.failed" not in log


class TestRefusals:
    def test_is_unavailable_without_a_bundle(self, sqlite_api):
        answer = sqlite_api.post("/activity", {"recording": ecg(1)})

        assert (answer.status_code, answer.json()["code"]) == (422, "modality_unavailable")

    @pytest.mark.parametrize("field", ["recording", "rest"])
    def test_a_poor_strip_is_named_by_its_field(self, api, field):
        body = {"recording": loud(1.0), "rest": loud(1.0)} | {field: flat_ecg()}

        answer = api.post("/activity", body)

        assert (answer.status_code, answer.json()["code"]) == (422, "signal_flat")
        assert [fault["pointer"] for fault in answer.json()["errors"]] == [f"/{field}"]

    def test_a_strip_of_less_than_3_s_is_too_short(self, api):
        answer = api.post("/activity", {"recording": ecg(1, seconds=2.9)})

        assert (answer.status_code, answer.json()["code"]) == (422, "signal_too_short")

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({}, "/recording"),
            ({"recording": ecg(1), "rest": None}, "/rest"),
            ({"recording": {"modality": "face", "image_b64": "/9j/4AAQ"}}, "/recording/modality"),
            ({"recording": ecg(1) | {"dtype": "int16"}}, "/recording"),
            ({"recording": ecg_bytes(1) | {"signal_b64": "AAAA"}}, "/recording"),
            ({"recordings": [ecg(1)]}, ""),
        ],
    )
    def test_what_breaks_the_contract_is_named_by_its_place(self, api, body, pointer):
        answer = api.post("/activity", body)

        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
        assert pointer in [fault["pointer"] for fault in answer.json()["errors"]]

    def test_a_rest_of_more_than_two_minutes_is_too_long(self, api):
        answer = api.post("/activity", {"recording": ecg(1), "rest": long_ecg(130.0)})

        assert (answer.status_code, answer.json()["code"]) == (422, "signal_too_long")
        assert answer.json()["errors"][0]["pointer"] == "/rest/signal_b64"

    def test_a_rate_that_is_not_supported_is_refused(self, api):
        answer = api.post("/activity", {"recording": ecg(1) | {"fs_hz": 50}})

        assert (answer.status_code, answer.json()["code"]) == (422, "sampling_rate_unsupported")


class TestDecisions:
    def test_verification_tells_the_activity(self, api):
        api.post("/enroll", enroll_body("ann", person=1))

        body = api.post("/verify", verify_body("ann", person=1)).json()

        assert body["activity"] == {"activity": "rest", "probability": 0.8, "heart_rate_bpm": 72.0}

    def test_identification_tells_it_even_of_nobody(self, api):
        nobody = api.post("/identify", identify_body(person=2)).json()
        api.post("/enroll", enroll_body("ann", person=1))
        stranger = api.post("/identify", identify_body(person=2)).json()

        assert nobody["activity"] == stranger["activity"]
        assert nobody["activity"]["activity"] == "rest"

    def test_an_unknown_activity_has_no_probability(self, sqlite_url):
        class Clueless(FakeRecognizer):
            def estimate(self, strip):
                return ActivityEstimate("unknown", None, None)

        with open_api(sqlite_url, recognizer=Clueless()) as api:
            api.post("/enroll", enroll_body("ann", person=1))
            body = api.post("/verify", verify_body("ann", person=1)).json()

        assert body["activity"] == {"activity": "unknown", "heart_rate_bpm": 72.0}


class TestModels:
    def test_the_bundle_is_described_beside_the_encoders(self, api):
        encoder, model = api.get("/models").json()["items"]

        assert encoder["purpose"] == "identity"
        assert list(model) == [
            "id", "version", "purpose", "modality", "default", "sha256", "classes", "groups", "licence",
            "training_data", "operating_points",
        ]  # fmt: skip
        assert (model["id"], model["purpose"], model["licence"]) == ("fakeactivity", "activity", "GPL-3.0")
        assert model["classes"] == ["rest", "walk", "run"]
        assert model["groups"] == {"rest": ["rest"], "moving": ["walk", "run"]}


class TestLeaks:
    def test_neither_strip_nor_rest_reaches_the_log(self, api):
        recording, rest = loud(1.0), loud(3.0)

        api.post("/activity", {"recording": recording, "rest": rest})
        api.post("/activity", {"recording": recording, "rest": flat_ecg()})

        log = api.log.getvalue()
        assert "/activity" in log
        assert not any(str(value) in log for value in (*recording["signal"][:50], *rest["signal"][:50]))
