"""Keys that are rewrapped while a service runs that does not have the new master key."""

import base64
import hashlib
import json

import pytest
from typer.testing import CliRunner

from app.api import handlers
from app.cli import cli
from tests.api.application import MASTER_KEY
from tests.factories import enroll_body, identify_body, verify_body

NEW_KEY = base64.b64encode(hashlib.sha256(b"a new master key").digest()).decode()


@pytest.fixture
def rewrapped(sqlite_api, sqlite_url, monkeypatch, tmp_path):
    """A service with the old key only, over a database whose keys are under the new one."""
    sqlite_api.post("/enroll", enroll_body("ann", person=1))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PULSEPRINT_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("PULSEPRINT_MASTER_KEYS", f"{NEW_KEY},{MASTER_KEY}")
    assert CliRunner().invoke(cli, ["keys", "rewrap"]).exit_code == 0
    return sqlite_api


def test_calls_are_503_and_the_log_says_once_what_to_do(rewrapped):
    for store in ("_reading", "_writing"):  # As after a restart of the database.
        getattr(rewrapped.services.access._store, store).dispose()
    handlers._report_integrity.cache_clear()
    rewrapped.log.seek(0)
    rewrapped.log.truncate()

    answers = [
        call
        for _ in range(2)
        for call in (
            rewrapped.post("/verify", verify_body("ann", person=1)),
            rewrapped.post("/identify", identify_body(person=1)),
            rewrapped.post("/enroll", enroll_body("bob", person=2)),
            rewrapped.get("/galleries"),
            rewrapped.get("/galleries/default"),
        )
    ]
    ready = rewrapped.get("/readyz")

    lines = [json.loads(line) for line in rewrapped.log.getvalue().splitlines()]
    errors = [line for line in lines if line["level"] == "error" and line["event"] == "store.not_trusted"]
    assert {answer.status_code for answer in answers} == {503}
    assert {answer.json()["code"] for answer in answers} == {"store_unavailable"}
    assert {"retry-after" in answer.headers for answer in answers} == {True}
    assert (ready.status_code, ready.json()["code"]) == (503, "store_unavailable")
    assert "master key" in ready.json()["detail"]
    assert len(errors) == 1
    assert "PULSEPRINT_MASTER_KEYS" in errors[0]["reason"]
    assert not [line for line in lines if line["event"] == "http.failed"]


def test_a_service_that_has_both_keys_goes_on(sqlite_api, sqlite_url, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PULSEPRINT_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("PULSEPRINT_MASTER_KEYS", f"{MASTER_KEY},{NEW_KEY}")
    sqlite_api.post("/enroll", enroll_body("ann", person=1))

    assert CliRunner().invoke(cli, ["keys", "rewrap"]).exit_code == 0
    assert sqlite_api.post("/verify", verify_body("ann", person=1)).status_code == 200
    assert sqlite_api.get("/readyz").status_code == 200
