"""What only real processes show: durability, several replicas, and refusals at start."""

from __future__ import annotations

import base64
import hashlib
import http.client
import random
import shutil
import socket
import sqlite3
import threading
from pathlib import Path

import pytest

from app.demo.command import SAMPLE_PERSON
from app.demo.computed_people import computed_strip
from ml.synthetic.ecg import SyntheticPerson
from tests.integration.server import ROOT, ServerProcess, cli, environment

MASTER_KEY = base64.b64encode(hashlib.sha256(b"a master key for tests").digest()).decode()
OTHER_KEY = base64.b64encode(hashlib.sha256(b"another master key").digest()).decode()
KILLS = {
    "sqlite": 20,
    "postgresql": 5,
}  # SQLite is in our hands; PostgreSQL's own log keeps what it acknowledged.


def strip(person: int, take: int = 0) -> dict[str, object]:
    ecg = SyntheticPerson.draw(person).record(6.0, 250.0, session=take, seed=take)
    return {"modality": "ecg", "fs_hz": 250, "unit": "mV", "signal": [round(float(x), 4) for x in ecg]}


def new_key(folder: Path, env: dict[str, str]) -> str:
    scopes = "enroll,erase,verify,identify,read,read:scores,admin"
    made = cli(folder, env, "keys", "create", "--name", "test", "--scopes", scopes, "--galleries", "*")
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


@pytest.fixture
def env(database_url: str, tmp_path: Path) -> dict[str, str]:
    return environment(tmp_path, database_url, MASTER_KEY)


class TestReplicas:
    def test_two_processes_see_each_others_enrollments_at_the_next_request(self, env, tmp_path):
        key = new_key(tmp_path, env)
        with ServerProcess(tmp_path, env, key) as first, ServerProcess(tmp_path, env, key) as second:
            found = []
            for person in range(6):
                writer, reader = (first, second) if person % 2 else (second, first)
                body = {"subject_id": f"p{person}", "recordings": [strip(person)]}
                assert writer.call("POST", "/enroll", body)[0] == 201
                probe = {"recordings": [strip(person)], "max_candidates": 1}
                found.append(reader.call("POST", "/identify", probe)[1]["candidates"][0]["subject_id"])

        assert found == [f"p{person}" for person in range(6)]

    def test_several_workers_answer_as_one(self, env, tmp_path):
        key = new_key(tmp_path, env)
        with ServerProcess(tmp_path, env | {"PULSEPRINT_WORKERS": "2"}, key) as server:
            for person in range(6):
                body = {"subject_id": f"p{person}", "recordings": [strip(person)]}
                assert server.call("POST", "/enroll", body)[0] == 201
                sizes = {
                    server.call("POST", "/identify", {"recordings": [strip(person)]})[1]["gallery_size"]
                    for _ in range(8)
                }
                assert sizes == {person + 1}

    def test_limits_of_connections_hold_in_every_worker(self, sqlite_url, tmp_path):
        """Which of them takes a connection is chance: some of twenty reach each."""
        env = environment(tmp_path, sqlite_url, MASTER_KEY, workers="2", max_enroll_body_bytes="5000")
        with ServerProcess(tmp_path, env, new_key(tmp_path, env)) as server:
            for _ in range(20):
                with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
                    connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"a" * 40_000)
                    assert connection.recv(100).startswith(b"HTTP/1.1 400")
                assert server.call("POST", "/verify", "a" * 5_000)[0] == 413


class TestStop:
    @pytest.mark.parametrize("workers", ["1", "2"])
    def test_sigterm_leaves_one_whole_file(self, sqlite_url, tmp_path, workers):
        """What is erased lingers in SQLite's log until the last connection is closed."""
        env = environment(tmp_path, sqlite_url, MASTER_KEY, workers=workers)
        with ServerProcess(tmp_path, env, new_key(tmp_path, env)) as server:
            body = {"subject_id": "p1", "recordings": [strip(1)]}
            assert server.call("POST", "/enroll", body)[0] == 201

            assert server.stop() == 0

        assert [path.name for path in tmp_path.glob("*.db*")] == ["pulseprint.db"]


@pytest.mark.slow
class TestKill:
    def test_no_acknowledged_enrollment_is_lost(self, env, tmp_path):
        key, chance, acknowledged = new_key(tmp_path, env), random.Random(20261120), []
        recordings = [strip(person) for person in range(10)]
        kills = KILLS[env["PULSEPRINT_DATABASE_URL"].partition(":")[0]]
        for round_number in range(kills):
            with ServerProcess(tmp_path, env, key) as server:
                status, gallery = server.call("GET", "/galleries/default")
                assert (status, server.call("GET", "/readyz")[0]) == (200, 200)
                assert gallery["subjects"] >= len(acknowledged)
                self.enroll_until_killed(server, round_number, recordings, acknowledged, chance)

        with ServerProcess(tmp_path, env, key) as server:
            missing = [name for name in acknowledged if server.call("GET", f"/subjects/{name}")[0] != 200]
            probe = {"recordings": [recordings[0]], "max_candidates": 1}
            searched = server.call("POST", "/identify", probe)[1]["gallery_size"]
            stored = server.call("GET", "/galleries/default")[1]["subjects"]
        assert missing == []
        assert searched == stored >= len(acknowledged) >= kills

    @staticmethod
    def enroll_until_killed(server, round_number, recordings, acknowledged, chance):
        """Kill the server a random moment after a random number of acknowledgements."""
        target, progress = chance.randint(1, 4), threading.Semaphore(0)

        def stream():
            for number in range(1000):
                name = f"r{round_number}-{number}"
                body = {"subject_id": name, "recordings": [recordings[number % len(recordings)]]}
                try:
                    status, _ = server.call("POST", "/enroll", body)
                except (OSError, http.client.HTTPException):
                    return
                assert status == 201
                acknowledged.append(name)
                progress.release()

        client = threading.Thread(target=stream)
        client.start()
        for _ in range(target):
            assert progress.acquire(timeout=60)
        threading.Event().wait(chance.uniform(0.0, 0.02))
        server.kill()
        client.join(timeout=60)
        assert not client.is_alive()


class TestReadme:
    def test_the_sample_person_is_verified_as_the_readme_shows(self, sqlite_url, tmp_path):
        env = environment(tmp_path, sqlite_url, MASTER_KEY)
        key = new_key(tmp_path, env)
        first, second = (computed_strip(SAMPLE_PERSON, take).body() for take in (1, 2))

        with ServerProcess(tmp_path, env, key) as server:
            server.call("POST", "/enroll", {"subject_id": "operator-17", "recordings": [first]})
            verified = server.call(
                "POST", "/verify", {"subject_id": "operator-17", "recordings": [second], "fmr": 0.0005}
            )
            identified = server.call("POST", "/identify", {"recordings": [second], "max_candidates": 3})

        assert [answer["decision"] for _, answer in (verified, identified)] == ["match", "match"]


class TestRefusalsAtStart:
    """One clear line, exit status 1, and nothing generated."""

    def refused(self, folder: Path, env: dict[str, str]) -> str:
        before = listing(folder)
        done = cli(folder, env, "serve")
        assert done.returncode == 1
        assert listing(folder) == before
        lines = done.stderr.strip().splitlines()
        assert len(lines) == 1, done.stderr
        return lines[0]

    def test_no_master_key(self, sqlite_url, tmp_path):
        env = environment(tmp_path, sqlite_url, "")

        assert "master key" in self.refused(tmp_path, env)

    def test_a_wrong_master_key(self, sqlite_url, tmp_path):
        env = environment(tmp_path, sqlite_url, MASTER_KEY)
        new_key(tmp_path, env)

        assert "master key does not belong to this database" in self.refused(
            tmp_path, environment(tmp_path, sqlite_url, OTHER_KEY)
        )

    @pytest.mark.parametrize("placeholder", ["changeme", base64.b64encode(bytes(32)).decode()])
    def test_a_placeholder_for_a_master_key(self, sqlite_url, tmp_path, placeholder):
        assert "aster key 1" in self.refused(tmp_path, environment(tmp_path, sqlite_url, placeholder))

    def test_a_database_that_was_never_migrated(self, tmp_path):
        env = environment(tmp_path, f"sqlite:///{tmp_path}/none.db", MASTER_KEY)

        done = cli(tmp_path, env, "serve")

        assert done.returncode == 1
        assert "migrate" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1

    def test_a_database_from_newer_code(self, sqlite_url, tmp_path):
        path = sqlite_url.removeprefix("sqlite:///")
        with sqlite3.connect(path) as database:
            database.execute("UPDATE alembic_version SET version_num = '20991231_0000'")
            database.execute("UPDATE schema_compat SET oldest_code = '20991231_0000'")
        database.close()

        assert "newer" in self.refused(tmp_path, environment(tmp_path, sqlite_url, MASTER_KEY))

    def test_a_bundle_with_a_wrong_checksum(self, sqlite_url, tmp_path):
        shutil.copytree(ROOT / "models", tmp_path / "models")
        weights = next((tmp_path / "models").glob("*/model.onnx"))
        weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
        env = environment(tmp_path, sqlite_url, MASTER_KEY, models_dir=str(tmp_path / "models"))

        assert "model.onnx" in self.refused(tmp_path, env)

    def test_a_port_that_is_taken(self, sqlite_url, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            env = environment(tmp_path, sqlite_url, MASTER_KEY, port=str(taken.getsockname()[1]))

            assert "Cannot listen on 127.0.0.1" in self.refused(tmp_path, env)

    def test_a_setting_that_is_no_number(self, sqlite_url, tmp_path):
        env = environment(tmp_path, sqlite_url, MASTER_KEY, workers="many")

        assert "PULSEPRINT_WORKERS" in self.refused(tmp_path, env)


class TestSetup:
    """`setup` makes a fresh installation ready and never guesses about an old one."""

    def run(self, folder: Path, **settings: str):
        env = environment(folder, f"sqlite:///{folder}/pulseprint.db", "", **settings)
        del env["PULSEPRINT_MASTER_KEYS"]
        return cli(folder, env, "setup")

    def test_a_fresh_folder_gets_key_database_and_api_key(self, tmp_path):
        done = self.run(tmp_path)

        text = (tmp_path / ".env").read_text()
        assert done.returncode == 0
        assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
        assert "PULSEPRINT_MASTER_KEYS=" in text
        assert text.split("PULSEPRINT_API_KEY=")[1].strip() in done.stdout

    def test_a_second_run_changes_nothing(self, tmp_path):
        self.run(tmp_path)
        before = (tmp_path / ".env").read_text()

        done = self.run(tmp_path)

        assert (done.returncode, done.stdout) == (0, "")
        assert (tmp_path / ".env").read_text() == before

    def test_a_database_without_its_env_file_is_left_alone(self, tmp_path):
        self.run(tmp_path)
        (tmp_path / ".env").unlink()
        before = listing(tmp_path)

        done = self.run(tmp_path)

        assert done.returncode == 1
        assert ".env" in done.stderr
        assert listing(tmp_path) == before


def listing(folder: Path) -> dict[str, bytes]:
    """Every file of a folder with a digest; SQLite's shared-memory file says nothing about data."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).digest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal")) and "__pycache__" not in path.parts
    }
