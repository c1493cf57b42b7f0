import pytest
from typer.testing import CliRunner

from app.cli import cli


class TestCreateKey:
    @pytest.mark.parametrize("days", ["0", "-1", "999999999", "soon"])
    def test_days_that_no_calendar_has_are_a_usage_error(self, days):
        arguments = [
            "keys",
            "create",
            "--name",
            "x",
            "--scopes",
            "read",
            "--galleries",
            "*",
            "--expires-days",
            days,
        ]

        done = CliRunner().invoke(cli, arguments)

        assert done.exit_code == 2
        assert done.exception is None or isinstance(done.exception, SystemExit)
