"""The key commands, as an operator types them."""

import base64
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.domain.errors import ConfigurationError


@pytest.fixture
def operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PULSEPRINT_DATABASE_URL", f"sqlite:///{tmp_path}/pulseprint.db")
    monkeypatch.setenv("PULSEPRINT_MASTER_KEYS", base64.b64encode(bytes(range(32))).decode())
    runner = CliRunner()
    assert runner.invoke(cli, ["migrate"]).exit_code == 0
    return runner


class TestKeys:
    def test_the_listed_id_is_whole_and_revokes_the_key(self, operator: CliRunner) -> None:
        created = operator.invoke(
            cli,
            ["keys", "create", "--name", "a door", "--scopes", "identify,read,verify", "--galleries", "*"],
        )
        client_id = created.output.strip().split("_")[1]

        listed = operator.invoke(cli, ["keys", "list"], env={"COLUMNS": "80"})
        revoked = operator.invoke(cli, ["keys", "revoke", client_id])

        assert client_id in listed.output
        assert revoked.output == "Revoked.\n"

    def test_a_narrow_list_tells_revoked_keys_from_valid_ones(self, operator: CliRunner) -> None:
        keys = [
            operator.invoke(
                cli, ["keys", "create", "--name", name, "--scopes", "verify", "--galleries", "*", *more]
            ).output
            for name, more in (("a", ()), ("b", ("--expires-days", "3")), ("c", ()))
        ]
        operator.invoke(cli, ["keys", "revoke", keys[0].split("_")[1]])

        listed = operator.invoke(cli, ["keys", "list"], env={"COLUMNS": "80"}).output

        assert [listed.count(state) for state in ("revoked 20", " until 20", "valid  ")] == [1, 1, 1]

    def test_the_list_shows_no_secret(self, operator: CliRunner) -> None:
        created = operator.invoke(
            cli, ["keys", "create", "--name", "a door", "--scopes", "verify", "--galleries", "*"]
        )
        secret = created.output.strip().split("_", 2)[2]

        listed = operator.invoke(cli, ["keys", "list"], env={"COLUMNS": "400"})

        assert secret not in listed.output


class TestGalleries:
    def create(self, operator: CliRunner, *more: str):
        return operator.invoke(cli, ["keys", "create", "--name", "a door", "--scopes", "verify", *more])

    def test_are_an_explicit_choice(self, operator: CliRunner) -> None:
        made = self.create(operator)

        assert made.exit_code != 0
        assert "--galleries" in made.output

    @pytest.mark.parametrize("galleries", ["*", "default"])
    def test_all_and_default_need_no_service_that_has_run(self, operator: CliRunner, galleries: str) -> None:
        assert self.create(operator, "--galleries", galleries).exit_code == 0

    @pytest.mark.parametrize("galleries", ["plant-3", "default,plant-3", "Default"])
    def test_that_are_absent_are_refused_and_named(self, operator: CliRunner, galleries: str) -> None:
        made = self.create(operator, "--galleries", galleries)

        assert isinstance(made.exception, ConfigurationError)
        assert galleries.rpartition(",")[2] in made.exception.detail
        assert "a door" not in operator.invoke(cli, ["keys", "list"]).output
