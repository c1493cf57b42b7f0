"""Strips whose rate or type is stated wrongly are accepted, and the answer warns."""

import base64
import shutil
from pathlib import Path

import numpy as np
import pytest

from app.adapters.encoders import load_encoders
from ml.synthetic.ecg import SyntheticPerson
from tests.api.application import open_api

MODELS = Path(__file__).parents[2] / "models"
FS_HZ = 250.0


@pytest.fixture(scope="module")
def api(sqlite_template, tmp_path_factory):
    models = tmp_path_factory.mktemp("models")
    for bundle in MODELS.glob("ecg-beat@*"):
        (models / bundle.name).symlink_to(bundle, target_is_directory=True)
    path = tmp_path_factory.mktemp("api") / "pulseprint.db"
    shutil.copyfile(sqlite_template, path)
    with open_api(f"sqlite:///{path}", load_encoders(models, {})) as opened:
        yield opened


def recording(bpm=70.0, *, fs_hz=FS_HZ, written="<i2", held=1, person=1):
    ecg_mv = SyntheticPerson.draw(person).record(20.0, FS_HZ, heart_rate_bpm=bpm)
    counts = np.repeat(np.rint(1000.0 * ecg_mv), held).astype(written)
    content = base64.b64encode(counts.tobytes()).decode()
    return {"modality": "ecg", "fs_hz": fs_hz, "unit": "raw", "signal_b64": content, "dtype": "int16"}


def references(api, name, *recordings):
    answer = api.post("/enroll", {"subject_id": name, "recordings": list(recordings), "force": True})
    assert answer.status_code == 201
    return answer.json()["references"]


class TestEnroll:
    def test_a_strip_that_is_read_rightly_has_no_warnings(self, api):
        (reference,) = references(api, "right", recording())

        assert "warnings" not in reference
        assert reference["heart_rate_bpm"] == pytest.approx(70.0, rel=0.05)

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"fs_hz": 2.0 * FS_HZ}, "implausible_heart_rate"),
            ({"fs_hz": 0.5 * FS_HZ}, "implausible_heart_rate"),
            ({"written": "<i4"}, "repeated_values"),
            ({"written": "<i4", "fs_hz": 2.0 * FS_HZ}, "repeated_values"),
            ({"held": 2, "fs_hz": 2.0 * FS_HZ}, "repeated_values"),
        ],
    )
    def test_a_strip_that_is_read_wrongly_is_stored_with_a_warning(self, api, wrong, code):
        (reference,) = references(api, "wrong", recording(**wrong))

        assert code in reference["warnings"]

    def test_each_reference_has_its_own(self, api):
        right, wrong = references(api, "both", recording(), recording(fs_hz=2.0 * FS_HZ))

        assert "warnings" not in right
        assert "implausible_heart_rate" in wrong["warnings"]


class TestQuality:
    def test_explains_the_warning(self, api):
        body = {"recordings": [recording(), recording(fs_hz=2.0 * FS_HZ)]}

        right, wrong = api.post("/quality", body).json()["recordings"]

        assert (right["accepted"], right["reasons"]) == (True, [])
        assert (wrong["accepted"], wrong["reasons"][0]) == (True, "implausible_heart_rate")
        assert "sampling rate" in wrong["explanations"][0]
