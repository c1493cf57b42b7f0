"""The examples of the OpenAPI document, copied as they are to a service with the shipped bundles."""

import base64
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from app.adapters.activity import load_recognizer
from app.adapters.encoders import load_encoders
from app.api.schemas.example_strips import EXAMPLE_FS_HZ, EXAMPLE_PROBE, EXAMPLE_RECORDING
from ml.synthetic.ecg import SyntheticPerson
from tests.api.application import open_api

MODELS = Path(__file__).parents[2] / "models"
# A reader goes down the page; what erases comes last, and nobody can know the id of a reference beforehand.
ORDER = [
    "enroll",
    "verify",
    "identify",
    "recognize_activities",
    "assess_quality",
    "list_subjects",
    "get_subject",
    "list_references",
    "create_gallery",
    "list_galleries",
    "get_gallery",
    "set_gallery_policy",
    "renew_gallery",
    "list_models",
    "check_liveness",
    "check_readiness",
    "delete_gallery",
    "erase_subject",
]
NEEDS_AN_ID = {"erase_reference"}


@pytest.fixture(scope="module")
def answers(sqlite_template, tmp_path_factory):
    path = tmp_path_factory.mktemp("examples") / "pulseprint.db"
    shutil.copyfile(sqlite_template, path)
    with open_api(f"sqlite:///{path}", load_encoders(MODELS, {}), load_recognizer(MODELS)) as api:
        operations = {
            operation["operationId"]: (method, path, operation)
            for path, item in api.openapi["paths"].items()
            for method, operation in item.items()
        }
        assert operations.keys() - NEEDS_AN_ID == set(ORDER)
        yield {name: copied(api, *operations[name]) for name in ORDER}


def copied(api, method, path, operation):
    examples = {one["name"]: one.get("example") for one in operation.get("parameters", ())}
    filled = re.sub(r"\{(\w+)\}", lambda name: examples[name[1]], path)
    body = operation.get("requestBody")
    return api.call(method.upper(), filled, body and body["content"]["application/json"]["example"])


class TestExamples:
    @pytest.mark.parametrize("name", ORDER)
    def test_a_copied_request_is_answered_with_2xx(self, answers, name):
        assert answers[name].is_success, answers[name].text

    def test_the_probe_is_recognized(self, answers):
        for name in ("verify", "identify"):
            assert answers[name].json()["decision"] == "match"
            assert answers[name].json()["subject_id"] == "operator-17"

    @pytest.mark.parametrize(("recording", "seed"), [(EXAMPLE_RECORDING, 0), (EXAMPLE_PROBE, 1)])
    def test_the_strips_are_those_of_a_computed_person(self, recording, seed):
        computed_uv = 1000.0 * SyntheticPerson.draw(17).record(10.0, EXAMPLE_FS_HZ, seed=seed)

        strip_uv = np.frombuffer(base64.b64decode(recording["signal_b64"]), "<i2")

        assert np.abs(strip_uv - computed_uv).max() < 1.0
