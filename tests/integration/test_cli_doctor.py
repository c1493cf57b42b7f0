"""`doctor`, as an operator runs it: one line each, and an exit status."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update
from typer.testing import CliRunner

from app import bootstrap
from app.adapters.db.engine import open_engine
from app.adapters.db.tables import biometric_references, galleries, row_binding, subjects
from app.bootstrap import open_services
from app.cli import cli
from app.config import Settings
from app.domain.subjects import Scope
from tests.fakes import FakeEncoder, FakeEncoders
from tests.integration.services.conftest import MASTER_KEY, Replica, recording


@pytest.fixture
def engine(sqlite_url):
    """Of a database with three people."""
    settings = Settings(_env_file=None, database_url=sqlite_url, master_keys=MASTER_KEY, encoder_threads=1)
    with open_services(settings, encoders=FakeEncoders()) as services:
        client, _ = services.access.create("test", list(Scope))
        process = Replica(services, client)
        for person in range(3):
            process.enroll(f"p{person}", recording(person))
    opened = open_engine(sqlite_url)
    yield opened
    opened.dispose()


@pytest.fixture
def doctor(engine, sqlite_url, monkeypatch, tmp_path):
    """Runs it; (exit status, lines)."""
    encoders = [FakeEncoder()]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PULSEPRINT_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("PULSEPRINT_MASTER_KEYS", MASTER_KEY)
    monkeypatch.setattr(bootstrap, "load_bundles", lambda _: (FakeEncoders(*encoders), None, None))

    def run(*arguments):
        done = CliRunner().invoke(cli, ["doctor", *arguments])
        return done.exit_code, done.output.splitlines()

    run.encoders = encoders
    return run


def faults(lines):
    return [line.split(maxsplit=1)[1] for line in lines if line.startswith("FAULT")]


def change(engine, statement):
    with engine.begin() as connection:
        connection.execute(statement)


class TestDoctor:
    def test_of_a_sound_installation_says_so_and_changes_nothing(self, doctor, engine):
        path = Path(engine.url.database)
        before = path.read_bytes()

        status, lines = doctor()

        assert (status, faults(lines), lines[-1]) == (0, [], "no faults")
        looked_at = [line.split()[1] for line in lines[:-1]]
        assert looked_at == ["settings", "bundles", "database", "clock", "key", "rows", "index", "sealed"]
        assert path.read_bytes() == before

    def test_lists_each_damaged_row_and_ciphertext(self, doctor, engine):
        one = biometric_references.c.subject_uuid
        people = {}
        with engine.begin() as connection:
            for row in connection.execute(subjects.select()):
                people[row.subject_id] = row.uuid
        change(engine, update(subjects).where(subjects.c.subject_id == "p0").values(subject_id="px"))
        change(engine, update(biometric_references).where(one == people["p1"]).values(ciphertext=b"x" * 40))

        status, lines = doctor()

        assert status == 1
        listed = faults(lines)
        assert len(listed) == 3  # The row of p0; what is sealed of p0 and p1.
        assert any(
            line.startswith("rows") and str(people["p0"]) in line and "(px)" in line for line in listed
        )
        assert any(line.startswith("sealed") and "p1" in line and "does not open" in line for line in listed)

    def test_accepts_rows_as_they_are_if_told_to(self, doctor, engine):
        change(engine, update(subjects).where(subjects.c.subject_id == "p0").values(subject_id="px"))
        assert doctor()[0] == 1

        assert doctor("--bind")[0] == 0

        assert doctor()[0] == 0

    def test_names_bound_rows_without_their_key_and_binds_them_again(self, doctor, engine):
        change(engine, delete(row_binding))

        status, lines = doctor()
        after = doctor("--bind")

        assert status == 1
        assert "tampered with" in faults(lines)[0]
        assert (after[0], faults(after[1])) == (0, [])

    def test_names_another_key(self, doctor, monkeypatch):
        monkeypatch.setenv("PULSEPRINT_MASTER_KEYS", MASTER_KEY[:10] + "AAAA" + MASTER_KEY[14:])

        status, lines = doctor()

        assert status == 1
        assert "does not belong to this database" in faults(lines)[0]

    def test_names_a_bundle_that_is_gone(self, doctor):
        doctor.encoders[:] = [FakeEncoder("2026.12")]

        status, lines = doctor()

        assert status == 1
        assert [line for line in faults(lines) if "3 references of fake@2026.11" in line]

    def test_names_a_clock_that_is_behind_what_is_stored(self, doctor, engine):
        ahead = datetime.now(UTC) + timedelta(days=2)
        change(engine, update(subjects).values(created_at=ahead))

        assert any(line.startswith("clock") and "future" in line for line in faults(doctor()[1]))

    def test_names_a_file_that_is_damaged(self, doctor, engine):
        change(engine, galleries.update().values(revision=5))
        engine.dispose()
        with open(engine.url.database, "r+b") as file:
            file.seek(4096 * 20)
            file.write(b"\xff" * 4096 * 8)

        status, lines = doctor()

        assert status == 1
        assert any(line.startswith("database") for line in faults(lines)), lines

    def test_names_a_wrong_setting(self, doctor, monkeypatch):
        monkeypatch.setenv("PULSEPRINT_WORKERS", "many")

        status, lines = doctor()

        assert status == 1
        assert "PULSEPRINT_WORKERS" in faults(lines)[0]
