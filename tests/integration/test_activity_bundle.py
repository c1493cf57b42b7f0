"""The shipped activity bundle through HTTP, on recordings of people it was fitted to: does it come through?

How well it tells people whom it never met is measured elsewhere (results/activity).
"""

import base64
import shutil
from pathlib import Path

import numpy as np
import pytest

from app.adapters.activity import load_recognizer
from app.adapters.encoders import load_encoders
from app.domain.activity import Pieces
from app.domain.captures import EcgStrip
from ml.data.motion import MotionRecord, read_motion_records
from ml.runtime.ecg.activity.bundle import load_recognizer as load_bundled
from ml.runtime.ecg.signal.conditioning import examine
from tests.api.application import open_api

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "models"
pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def records(data_dir) -> dict[str, MotionRecord]:
    """One person with one kind of electrode, by activity."""
    everything = read_motion_records(data_dir)
    first = everything[0]
    return {
        record.activity: record
        for record in everything
        if (record.person, record.electrode) == (first.person, first.electrode)
    }


@pytest.fixture(scope="module")
def api(sqlite_template, tmp_path_factory):
    path = tmp_path_factory.mktemp("api") / "pulseprint.db"
    shutil.copyfile(sqlite_template, path)
    with open_api(f"sqlite:///{path}", load_encoders(MODELS, {}), load_recognizer(MODELS)) as opened:
        yield opened


def longest(record: MotionRecord) -> np.ndarray:
    return max((stretch.signal for stretch in record.stretches), key=len)


def as_json(record: MotionRecord) -> dict[str, object]:
    samples = base64.b64encode(np.rint(longest(record)).astype("<i2").tobytes()).decode()
    return {
        "modality": "ecg",
        "fs_hz": round(record.fs_hz, 1),
        "unit": "raw",
        "signal_b64": samples,
        "dtype": "int16",
    }


def finished(pieces: Pieces):
    while True:
        try:
            next(pieces)
        except StopIteration as stop:
            return stop.value


class TestActivity:
    @pytest.mark.parametrize(("activity", "group"), [("rest", "rest"), ("run_8kmh", "vigorous")])
    def test_somebody_known_is_told(self, api, records, activity, group):
        answer = api.post("/activity", {"recording": as_json(records[activity])})

        assert answer.status_code == 200
        body = answer.json()
        assert max(body["groups"], key=body["groups"].get) == group
        assert body["heart_rate_bpm"] is not None
        assert body["seconds"] > 30.0

    def test_own_rest_is_taken(self, api, records):
        body = {"recording": as_json(records["walk_4kmh"]), "rest": as_json(records["rest"])}

        assert api.post("/activity", body).json()["groups"]["rest"] < 0.5


class TestDecisions:
    def test_carry_activity_beside_identity(self, api, records):
        rest = as_json(records["rest"])
        assert api.post("/enroll", {"subject_id": "one", "recordings": [rest]}).status_code == 201

        body = api.post("/verify", {"subject_id": "one", "recordings": [rest]}).json()

        assert body["decision"] == "match"
        assert body["activity"]["activity"] == "rest"


class TestPieces:
    def test_a_long_strip_is_told_as_if_at_once(self, records):
        fs_hz = round(records["rest"].fs_hz, 1)
        parts = [longest(record) - np.median(longest(record)) for record in records.values()]
        strip = np.concatenate(parts).astype(np.float32)
        recognizer = load_recognizer(MODELS)
        whole = load_bundled(MODELS / recognizer.card.encoder_id).timeline(examine(strip, fs_hz))

        segments = finished(recognizer.timeline(EcgStrip(strip, fs_hz), None))

        assert [s.start_s for s in segments] == pytest.approx(whole.start_s.tolist())
        called = np.array([list(s.probabilities.values()) or [0.0] * 5 for s in segments]).argmax(axis=1)
        both = ~whole.unknown & np.array([s.known for s in segments])
        assert both.mean() > 0.8
        assert (called == whole.probabilities.argmax(axis=1))[both].mean() > 0.95


class TestModels:
    def test_the_bundle_is_marked_by_its_licence(self, api):
        bundles = {model["id"]: model for model in api.get("/models").json()["items"]}

        assert bundles["activity"]["licence"].startswith("GPL-3.0")
        assert bundles["ecg"]["licence"] == "Apache-2.0"
