from __future__ import annotations

import socket
import stat
import subprocess
import sys

import pytest

from app.demo.server import (
    API_KEY,
    MARKER,
    DemoError,
    DemoServer,
    choose_port,
    fresh_directory,
    last_lines,
    run_cli,
    write_settings,
)


@pytest.fixture
def listening():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


class TestChoosePort:
    def test_says_that_the_port_asked_for_is_taken(self, listening):
        with pytest.raises(DemoError, match=rf"Port {listening} is taken.*PORT="):
            choose_port(listening)

    def test_gives_the_port_asked_for_if_it_is_free(self):
        free = choose_port(0)

        assert choose_port(free) == free

    def test_finds_a_free_port_by_itself(self):
        assert 1024 <= choose_port(None) <= 65535


class TestFreshDirectory:
    def test_makes_it_for_its_owner_only(self, tmp_path):
        with fresh_directory(tmp_path / "var" / "demo"):
            assert stat.S_IMODE((tmp_path / "var" / "demo").stat().st_mode) == 0o700

    def test_empties_what_an_earlier_demo_left(self, tmp_path):
        demo = tmp_path / "demo"
        with fresh_directory(demo):
            (demo / "pulseprint.db").write_text("old")
            (demo / "folder").mkdir()
            (demo / "folder" / "file").write_text("old")

        with fresh_directory(demo):
            assert [path.name for path in demo.iterdir()] == [MARKER]

    def test_follows_no_link_out_of_the_directory(self, tmp_path):
        precious = tmp_path / "precious"
        precious.mkdir()
        (precious / "file").write_text("keep")
        demo = tmp_path / "demo"
        with fresh_directory(demo):
            (demo / "link").symlink_to(precious)

        with fresh_directory(demo):
            assert (precious / "file").read_text() == "keep"

    def test_refuses_a_directory_it_has_not_made(self, tmp_path):
        (tmp_path / "thesis.txt").write_text("years of work")

        with pytest.raises(DemoError, match="does not look like a demo directory"), fresh_directory(tmp_path):
            pass

        assert (tmp_path / "thesis.txt").read_text() == "years of work"

    def test_refuses_a_link_and_a_file(self, tmp_path):
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "real")
        (tmp_path / "file").write_text("")

        for name in ("link", "file"):
            with pytest.raises(DemoError, match="no plain directory"), fresh_directory(tmp_path / name):
                pass

    def test_takes_an_empty_directory(self, tmp_path):
        with fresh_directory(tmp_path):
            assert (tmp_path / MARKER).is_file()

    def test_refuses_a_directory_in_which_a_demo_runs_and_leaves_it_alone(self, tmp_path):
        with fresh_directory(tmp_path):
            (tmp_path / "pulseprint.db").write_text("in use")

            with pytest.raises(DemoError, match="Another demo is running"), fresh_directory(tmp_path):
                pass

            assert (tmp_path / "pulseprint.db").read_text() == "in use"


class TestWriteSettings:
    def test_settings_are_read_by_the_service_and_by_nobody_else(self, tmp_path, monkeypatch):
        for name in ("PULSEPRINT_PORT", "PULSEPRINT_DATABASE_URL", "PULSEPRINT_MASTER_KEYS"):
            monkeypatch.delenv(name, raising=False)
        from app.config import load_settings

        write_settings(tmp_path, 8123)
        monkeypatch.chdir(tmp_path)
        settings = load_settings()

        assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
        assert settings.port == 8123
        assert settings.database_url == f"sqlite:///{tmp_path}/pulseprint.db"
        assert len(settings.master_keys) == 44

    def test_every_demo_has_a_master_key_of_its_own(self, tmp_path):
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            write_settings(tmp_path / name, 8123)

        keys = {
            line
            for name in ("one", "two")
            for line in (tmp_path / name / ".env").read_text().splitlines()
            if "MASTER_KEYS" in line
        }
        assert len(keys) == 2


class TestRunCli:
    def test_tells_what_the_command_said_when_it_fails(self, tmp_path):
        with pytest.raises(DemoError, match=r"`app\.cli no-such-command` failed"):
            run_cli(tmp_path, "no-such-command")


class TestDemoServer:
    def test_a_stopped_server_is_reported_with_the_end_of_its_log(self, tmp_path):
        log = tmp_path / "server.log"
        log.write_text("\n".join(f"line {i}" for i in range(9)))
        process = subprocess.Popen([sys.executable, "-c", ""])
        process.wait()

        with pytest.raises(DemoError, match=r"line 4\nline 5\nline 6\nline 7\nline 8$"):
            DemoServer("http://127.0.0.1:1", "pp_a_b", process, log).check_alive()

    def test_a_running_server_is_not(self, tmp_path):
        process = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
        )
        try:
            DemoServer("http://127.0.0.1:1", "pp_a_b", process, tmp_path / "server.log").check_alive()
        finally:
            process.communicate()


class TestApiKey:
    def test_is_found_in_whatever_the_command_prints(self):
        printed = "Key (shown once): pp_01932f3a7c1e_Zm9v-YmFy_1.\n"

        assert API_KEY.search(printed)[0] == "pp_01932f3a7c1e_Zm9v-YmFy_1"


class TestLastLines:
    def test_of_a_short_file_are_all_of_it(self, tmp_path):
        (tmp_path / "log").write_text("a\nb\n")

        assert last_lines(tmp_path / "log") == "a\nb"
