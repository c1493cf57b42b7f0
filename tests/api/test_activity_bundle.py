"""Activity end to end: a bundle on disk, fitted to made-up people, beside a shipped encoder."""

import base64
import shutil
from pathlib import Path

import numpy as np
import pytest

from app.adapters.activity import load_recognizer
from app.adapters.encoders import load_encoders
from ml.export.activity.building import fit_heads
from tests.api.application import open_api
from tests.moving import FS_HZ, RECIPE, moving_features, moving_signal, write_moving_bundle

BEAT = Path(__file__).parents[2] / "models" / "ecg-beat@2026.11"
REST, WALK, RUN = 0, 2, 3
NOBODY_MET = 901  # Seed of a person whom nothing was fitted to.


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    shutil.copytree(BEAT, folder / BEAT.name)
    heads = fit_heads(moving_features(4), RECIPE.heads.contexts_s)
    write_moving_bundle(folder, heads)
    return folder


@pytest.fixture(scope="module")
def api(models, sqlite_template, tmp_path_factory):
    path = tmp_path_factory.mktemp("api") / "pulseprint.db"
    shutil.copyfile(sqlite_template, path)
    with open_api(f"sqlite:///{path}", load_encoders(models, {}), load_recognizer(models)) as opened:
        yield opened


def recording(*activities, seconds=20.0):
    signal = np.concatenate([moving_signal(activity, seconds, seed=NOBODY_MET) for activity in activities])
    counts = base64.b64encode(np.rint(signal).astype("<i2").tobytes()).decode()
    return {"modality": "ecg", "fs_hz": FS_HZ, "unit": "raw", "signal_b64": counts, "dtype": "int16"}


def called(body, from_s, to_s):
    """What is told of the time between two moments."""
    return {s["activity"] for s in body["timeline"] if s["start_s"] >= from_s and s["end_s"] <= to_s}


class TestActivity:
    @pytest.mark.parametrize(("activity", "name"), [(REST, "rest"), (WALK, "walk"), (RUN, "run")])
    def test_is_told_of_somebody_never_met(self, api, activity, name):
        body = api.post("/activity", {"recording": recording(activity)}).json()

        assert (body["activity"], body["encoder"]) == (name, "activity@2026.11")
        assert set(body["probabilities"]) == {"rest", "arm_movements", "walk", "run", "squats"}
        assert sum(body["probabilities"].values()) == pytest.approx(1.0, abs=1e-3)
        assert sum(body["groups"].values()) == pytest.approx(1.0, abs=1e-3)

    def test_changes_in_the_course_of_a_long_strip(self, api):
        body = api.post("/activity", {"recording": recording(REST, RUN, WALK, seconds=150.0)}).json()

        assert called(body, 0.0, 140.0) == {"rest"}
        assert called(body, 160.0, 290.0) == {"run"}
        assert called(body, 310.0, 450.0) == {"walk"}
        assert len(body["timeline"]) == 150

    def test_own_rest_moves_the_calls(self, api):
        alone = api.post("/activity", {"recording": recording(WALK)}).json()
        compared = api.post("/activity", {"recording": recording(WALK), "rest": recording(REST)}).json()

        assert compared["activity"] == "walk"
        assert compared["probabilities"] != alone["probabilities"]

    def test_lost_contact_is_unknown(self, api):
        strip = recording(REST, WALK)
        counts = np.frombuffer(base64.b64decode(strip["signal_b64"]), "<i2").copy()
        counts[round(12 * FS_HZ) : round(27 * FS_HZ)] = 2000
        strip["signal_b64"] = base64.b64encode(counts.tobytes()).decode()

        body = api.post("/activity", {"recording": strip}).json()

        assert called(body, 15.0, 24.0) == {"unknown"}
        assert "unknown" not in called(body, 0.0, 9.0) | called(body, 33.0, 40.0)
        assert 15.0 <= body["seconds"] <= 31.0

    @pytest.mark.parametrize("field", ["recording", "rest"])
    def test_noise_is_no_heartbeat(self, api, field):
        noise = np.random.default_rng(0).standard_normal(2500).round(3).tolist()
        strip = {"modality": "ecg", "fs_hz": 250, "unit": "mV", "signal": noise}

        answer = api.post("/activity", {"recording": recording(REST), "rest": recording(REST), field: strip})

        assert (answer.status_code, answer.json()["code"]) == (422, "no_heartbeat")
        assert answer.json()["errors"][0]["pointer"] == f"/{field}"

    def test_the_mirror_image_tells_the_same(self, api):
        upright = recording(WALK)
        counts = np.frombuffer(base64.b64decode(upright["signal_b64"]), "<i2")
        mirrored = upright | {"signal_b64": base64.b64encode((-counts).tobytes()).decode()}

        bodies = [api.post("/activity", {"recording": strip}).json() for strip in (upright, mirrored)]

        assert bodies[0] == bodies[1]


class TestDecisions:
    def test_tell_the_activity_of_the_probe(self, api):
        enrolled = api.post("/enroll", {"subject_id": "ann", "recordings": [recording(REST)]})
        assert enrolled.status_code == 201

        verified = api.post("/verify", {"subject_id": "ann", "recordings": [recording(REST)]}).json()
        identified = api.post("/identify", {"recordings": [recording(REST)]}).json()

        assert verified["activity"]["activity"] == "rest"
        assert 0.2 < verified["activity"]["probability"] <= 1.0
        assert identified["activity"] == verified["activity"]


class TestModels:
    def test_show_licence_and_checksum(self, api, models):
        bundles = {model["id"]: model for model in api.get("/models").json()["items"]}

        assert bundles["activity"]["licence"] == "GPL-3.0"
        assert bundles["activity"]["groups"]["light"] == ["arm_movements", "walk"]
        assert bundles["ecg-beat"]["purpose"] == "identity"
        assert bundles["activity"]["sha256"] != bundles["ecg-beat"]["sha256"]
