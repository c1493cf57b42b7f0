"""`/models`, `/healthz`, `/readyz`, `/metrics`: what needs no gallery."""

import dataclasses
import re

from app.services.health import Readiness
from app.worker_starts import WorkerStarts
from tests.api.application import open_api
from tests.factories import enroll_body, verify_body
from tests.fakes import FakeEncoder, FakeEncoders


class TestModels:
    def test_every_bundle_in_use_is_described(self, shared_api):
        (model,) = shared_api.get("/models").json()["items"]

        assert list(model) == [
            "id", "version", "purpose", "modality", "default", "sha256", "vector_size", "metric",
            "compares", "licence", "training_data", "operating_points",
        ]  # fmt: skip
        assert (model["id"], model["version"], model["modality"]) == ("fake", "2026.11", "ecg")

    def test_the_default_of_each_modality_is_marked(self, sqlite_url):
        with open_api(sqlite_url, FakeEncoders(FakeEncoder("2026.12"), FakeEncoder("2026.11"))) as api:
            models = api.get("/models").json()["items"]

        assert {model["version"]: model["default"] for model in models} == {"2026.12": True, "2026.11": False}


class TestHealth:
    def test_alive_needs_no_key(self, shared_api):
        answer = shared_api.get("/healthz", key=None)

        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})

    def test_ready_tells_what_is_held(self, api):
        api.post("/enroll", enroll_body("ann", person=1))

        answer = api.get("/readyz", key=None)

        assert answer.status_code == 200
        assert answer.json() == {"status": "ready", "galleries": 1, "templates": 1, "quarantined": 0}

    def test_not_ready_is_503(self, sqlite_api):
        class Behind:
            def known(self):
                return Readiness(False, "index_not_ready", "The index is being built.", 0, 0)

        sqlite_api.app.state.services = dataclasses.replace(sqlite_api.services, health=Behind())

        answer = sqlite_api.get("/readyz", key=None)

        assert (answer.status_code, answer.json()["code"]) == (503, "index_not_ready")
        assert "retry-after" in answer.headers
        assert sqlite_api.get("/healthz").status_code == 200


class TestMetrics:
    def test_count_requests_and_decisions_without_naming_anybody(self, api):
        api.post("/enroll", enroll_body("zq7marker", person=1))
        api.post("/verify", verify_body("zq7marker", person=1))
        api.get("/subjects/zq7marker")
        api.get("/zq7marker")

        text = api.get("/metrics", key=None).text

        assert "zq7marker" not in text
        assert re.search(
            r'pulseprint_requests_total\{method="POST",route="/verify",status="200"\} [1-9]', text
        )
        assert re.search(r'pulseprint_decisions_total\{decision="match",use_case="verify"\} [1-9]', text)
        assert 'route="/subjects/{subject_id}"' in text
        assert 'route="unmatched"' in text
        assert "pulseprint_queue_depth" in text
        assert "pulseprint_index_revision_lag" in text

    def test_invented_methods_make_one_label(self, shared_api):
        shared_api.call("ZQ7", "/healthz")

        text = shared_api.get("/metrics").text

        assert "ZQ7" not in text
        assert 'method="OTHER"' in text


class TestSeveralWorkers:
    def test_none_is_ready_before_the_others(self, sqlite_api, tmp_path):
        sqlite_api.app.state.starts = WorkerStarts(tmp_path, 2)
        sqlite_api.app.state.starts.add()

        before = sqlite_api.get("/readyz", key=None)
        (tmp_path / "2.started").touch()
        after = sqlite_api.get("/readyz", key=None)

        assert (before.status_code, before.json()["code"]) == (503, "index_not_ready")
        assert after.status_code == 200
