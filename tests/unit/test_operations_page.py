"""The examples of docs/operations.md set the limits of the service, and the proxies can read them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from app.adapters.connections import MAX_HEAD_BYTES
from app.api.deps import Limits
from app.config import MIB, Settings

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
DEFAULTS = {name: field.default for name, field in Settings.model_fields.items()}


def example(language):
    return re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[1]


class TestLimits:
    def test_of_the_page_are_the_defaults(self):
        sizes = re.findall(r"`(MAX_\w*BYTES\w*)` \| (\d+) MiB", PAGE)

        assert len(sizes) == 4
        for name, stated in sizes:
            assert DEFAULTS[name.lower()] == int(stated) * MIB
        assert f"`MAX_CONNECTIONS` | {DEFAULTS['max_connections']} |" in PAGE
        assert f"`CLIENT_TIMEOUT_S` | {DEFAULTS['client_timeout_s']:g} s |" in PAGE

    def test_of_routes_without_settings_are_the_defaults(self):
        limits = Limits()

        for name in ("max_body_bytes", "max_enroll_body_bytes", "max_activity_body_bytes"):
            assert getattr(limits, name) == DEFAULTS[name]

    @pytest.mark.parametrize("language", ["nginx", "caddyfile"])
    def test_of_the_examples_are_the_defaults(self, language):
        sizes = re.findall(r"(?:client_max_body_size|max_size)\s+(\d+)", example(language))

        largest = max(DEFAULTS["max_enroll_body_bytes"], DEFAULTS["max_activity_body_bytes"])
        assert {int(size) * MIB for size in sizes} == {DEFAULTS["max_body_bytes"], largest}

    def test_of_heads_are_those_of_the_service(self):
        count, size = re.search(r"large_client_header_buffers (\d+) (\d+)k", example("nginx")).groups()

        assert int(count) * int(size) * 1024 == MAX_HEAD_BYTES
        assert f"max_header_size {MAX_HEAD_BYTES // 1024}KiB" in example("caddyfile")


class TestSyntax:
    @pytest.mark.skipif(shutil.which("nginx") is None, reason="no nginx here")
    def test_nginx_reads_its_example(self, tmp_path):
        key, certificate = tmp_path / "k.pem", tmp_path / "c.pem"
        made = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=x",
            "-keyout",
            key,
            "-out",
        ]
        subprocess.run([*made, certificate], check=True, capture_output=True)
        site = example("nginx").replace("/etc/ssl/private/biometrics.pem", str(certificate))
        site = site.replace("/etc/ssl/private/biometrics.key", str(key))
        config = tmp_path / "nginx.conf"
        config.write_text(
            f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; {site} }}"
        )

        read = subprocess.run(["nginx", "-t", "-c", config], capture_output=True, text=True, check=False)

        assert read.returncode == 0, read.stderr
        assert "[warn]" not in read.stderr

    @pytest.mark.skipif(shutil.which("caddy") is None, reason="no Caddy here")
    def test_caddy_reads_its_example(self, tmp_path):
        config = tmp_path / "Caddyfile"
        config.write_text(example("caddyfile"))

        read = subprocess.run(
            ["caddy", "adapt", "--adapter", "caddyfile", "--config", config, "--validate"],
            capture_output=True, text=True, check=False, env={"HOME": str(tmp_path), "PATH": "/usr/bin"},
        )  # fmt: skip

        assert read.returncode == 0, read.stderr


class TestRotation:
    RECIPE = re.search(r"## Rotating the master key(.*?)\n### ", PAGE, re.DOTALL)[1]

    def test_deletes_every_file_that_it_writes(self):
        written = set(re.findall(r"\bmaster_keys\.\w+", self.RECIPE))
        deleted = re.search(r"^shred -u (.*)$", self.RECIPE, re.MULTILINE)[1].split()

        assert set(deleted) == written

    def test_writes_nothing_that_git_would_take(self):
        ignored = (Path(__file__).parents[2] / ".gitignore").read_text().splitlines()

        assert "master_keys.*" in ignored
