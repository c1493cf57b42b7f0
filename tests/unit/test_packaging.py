"""Set-up, locked versions, image and deployment files: what breaks first on a machine that is not ours."""

import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from base64 import b64decode
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from ml.runtime.bundle import default_bundle

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
BUILD_RULES = [
    line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")
]


def matches(part: Path, pattern: str, *, anchored: bool) -> bool:
    """Whether a rule names this path: from the root, unless it begins with `**/`."""
    same_depth = len(part.parts) == len(Path(pattern).parts)
    return part.match(pattern) and (same_depth or not anchored)


def enters_the_build(path: Path) -> bool:
    """Apply `.dockerignore` as Docker does: the last rule that names path or folder decides."""
    inside = path.relative_to(ROOT)
    enters = True
    for rule in BUILD_RULES:
        pattern = rule.removeprefix("!").removeprefix("**/")
        anchored = "**/" not in rule
        if any(matches(part, pattern, anchored=anchored) for part in (inside, *inside.parents)):
            enters = rule.startswith("!")
    return enters


def requirements(name: str) -> dict[str, Requirement]:
    text = (ROOT / "requirements" / name).read_text()
    lines = re.sub(r" \\\n +--hash=\S+", "", text).splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {pin.name: pin for pin in pins}


def declared(*, extra: str | None = None) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = project["optional-dependencies"][extra] if extra else project["dependencies"]
    return [Requirement(line) for line in lines]


class TestLockedVersions:
    @pytest.mark.parametrize(
        ("extra", "name"), [(None, "runtime.txt"), ("dev", "dev.txt"), ("train", "train.txt")]
    )
    def test_every_declared_dependency_has_a_pin_it_accepts(self, extra: str | None, name: str) -> None:
        pins = requirements(name)

        for wanted in declared() + (declared(extra=extra) if extra else []):
            (pin,) = pins[wanted.name.lower()].specifier
            assert pin.operator == "==", f"{wanted.name} is not pinned in {name}: run make lock"
            assert wanted.specifier.contains(pin.version), f"{wanted} is not what {name} has: run make lock"

    @pytest.mark.parametrize("name", ["dev.txt", "train.txt"])
    def test_tests_and_training_run_on_what_is_served(self, name: str) -> None:
        served, other = requirements("runtime.txt"), requirements(name)

        assert {package: str(other[package].specifier) for package in served} == {
            package: str(pin.specifier) for package, pin in served.items()
        }

    def test_tests_and_training_agree_on_what_both_need(self) -> None:
        tested, trained = requirements("dev.txt"), requirements("train.txt")
        both = tested.keys() & trained.keys()

        assert {name: str(tested[name]) for name in both} == {name: str(trained[name]) for name in both}

    def test_training_pins_nothing_that_only_builds_for_cuda_need(self) -> None:
        assert not [name for name in requirements("train.txt") if re.match("nvidia|cuda|triton", name)]

    def test_runtime_carries_no_training_and_no_test_tools(self) -> None:
        # Only `onnx` is there of what makes networks: it converts those that are fetched.
        unwanted = re.compile(
            r"torch|nvidia|cuda|triton|pytest|hypothesis|schemathesis|pgserver|mypy|ruff|onnxscript"
        )

        assert [name for name in requirements("runtime.txt") if unwanted.search(name)] == []

    def test_what_is_served_is_pinned_by_hashes_and_pip_is_told_to_demand_them(self) -> None:
        text = (ROOT / "requirements" / "runtime.txt").read_text()
        pins = [pin for pin in re.split(r"\n(?=\S)", text) if not pin.startswith("#")]

        assert len(pins) == len(requirements("runtime.txt"))
        assert [pin for pin in pins if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", pin)] == []
        assert "--require-hashes --requirement /tmp/runtime.txt" in (ROOT / "Dockerfile").read_text()

    def test_pins_name_no_index_and_no_host(self) -> None:
        for file in (ROOT / "requirements").glob("*.txt"):
            assert not re.search(r"https?:|^--?[a-z]", file.read_text(), re.MULTILINE), file.name


class TestModels:
    def test_the_network_is_the_default_and_the_bundle_before_it_stays(self) -> None:
        # Without ecg-beat, people enrolled with it alone could not be recognized.
        shipped = {bundle.name for bundle in (ROOT / "models").glob("*@*")}

        assert default_bundle(ROOT / "models", "ecg").name == "ecg@2026.11.1"
        assert shipped >= {"ecg@2026.11.1", "ecg-edge@2026.11", "ecg-beat@2026.11"}


class TestMakefile:
    """Runs the real Makefile in a folder of its own, with a PATH on which only chosen programs exist."""

    @pytest.fixture
    def checkout(self, tmp_path: Path) -> Path:
        shutil.copy(ROOT / "Makefile", tmp_path)
        shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
        return tmp_path

    def make(
        self, checkout: Path, *arguments: str, python: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        programs = checkout / "bin"
        programs.mkdir()
        for program in ("sh", "make", "awk", "touch", "cat"):
            found = shutil.which(program)
            assert found, f"{program} is needed to test the Makefile"
            (programs / program).symlink_to(found)
        if python is not None:
            fake = programs / "python3"
            fake.write_text(f"#!/bin/sh\n{python}\n")
            fake.chmod(0o755)
        environment = {"PATH": str(programs)}
        return subprocess.run(
            [str(programs / "make"), *arguments],
            cwd=checkout,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def test_without_a_python_it_says_what_is_needed(self, checkout: Path) -> None:
        result = self.make(checkout, "run")

        assert result.returncode != 0
        assert "Python 3.11 or newer is needed" in result.stderr

    def test_an_old_python_is_refused(self, checkout: Path) -> None:
        result = self.make(checkout, "run", "PYTHON=python3", python="exit 1")

        assert result.returncode != 0
        assert "Python 3.11 or newer is needed" in result.stderr

    def test_a_python_without_venv_is_named_with_the_remedy(self, checkout: Path) -> None:
        result = self.make(checkout, "run", python='case "$2" in *ensurepip*) exit 1 ;; esac')

        assert result.returncode != 0
        assert "python3 has no venv module" in result.stderr
        assert "apt install python3-venv" in result.stderr
        assert not (checkout / ".venv").exists()

    def test_a_made_environment_is_made_again_only_for_other_pins(self, checkout: Path) -> None:
        pins, made = checkout / "requirements" / "runtime.txt", checkout / ".venv" / ".made"
        made.parent.mkdir()
        made.touch()
        os.utime(pins, (1, 1))

        unchanged = self.make(checkout, "--question", ".venv/.made")
        shutil.rmtree(checkout / "bin")
        os.utime(made, (0, 0))
        changed = self.make(checkout, "--question", ".venv/.made")

        assert (unchanged.returncode, changed.returncode) == (0, 1)

    @pytest.mark.parametrize("pins", ["dev.txt", "train.txt"])
    def test_tests_get_an_environment_that_can_train(self, checkout: Path, pins: str) -> None:
        made = checkout / ".venv-dev" / ".made"
        made.parent.mkdir()
        made.touch()
        for file in (checkout / "requirements").iterdir():
            os.utime(file, (1, 1))
        os.utime(checkout / "requirements" / pins)
        os.utime(made, (2, 2))

        changed = self.make(checkout, "--question", ".venv-dev/.made")

        assert changed.returncode == 1

    def test_help_is_the_default_and_explains_every_public_target(self, checkout: Path) -> None:
        result = self.make(checkout)

        for target in ("run", "demo", "test", "check", "fuzz", "bench", "help"):
            assert f"make {target} " in result.stdout


class TestDeploySecrets:
    def draw(self, folder: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", str(ROOT / "deploy" / "make-secrets.sh")],
            env={**os.environ, "DEPLOY_SECRETS_DIR": str(folder)},
            capture_output=True,
            text=True,
            check=False,
        )

    def test_draws_a_master_key_of_32_bytes_and_a_password(self, tmp_path: Path) -> None:
        self.draw(tmp_path / "secrets")

        assert len(b64decode((tmp_path / "secrets" / "master_keys").read_text(), validate=False)) == 32
        assert re.fullmatch("[0-9a-f]{64}", (tmp_path / "secrets" / "database_password").read_text())

    def test_only_the_owner_may_enter_the_folder(self, tmp_path: Path) -> None:
        self.draw(tmp_path / "secrets")

        assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700

    def test_refuses_to_draw_twice(self, tmp_path: Path) -> None:
        self.draw(tmp_path / "secrets")
        before = (tmp_path / "secrets" / "master_keys").read_text()

        again = self.draw(tmp_path / "secrets")

        assert again.returncode == 1
        assert len(again.stderr.splitlines()) == 1
        assert (tmp_path / "secrets" / "master_keys").read_text() == before


class TestPinImages:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        shutil.copy(ROOT / "deploy.env.example", tmp_path / "deploy.env")
        return tmp_path

    def run(self, folder: Path, digest: str) -> subprocess.CompletedProcess[str]:
        docker = folder / "docker"
        docker.write_text(f"#!/bin/sh\necho {digest}\n")
        docker.chmod(0o755)
        return subprocess.run(
            ["sh", ROOT / "deploy" / "pin-images.sh"],
            cwd=folder, env={"PATH": f"{folder}:{os.environ['PATH']}"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def test_writes_the_digests_once_and_leaves_all_else(self, folder: Path) -> None:
        digest = "sha256:" + "0a" * 32
        before = (folder / "deploy.env").read_text().splitlines()

        runs = [self.run(folder, digest) for _ in range(2)]

        after = (folder / "deploy.env").read_text().splitlines()
        pinned = [
            f"DEPLOY_PYTHON_IMAGE=python:3.11-slim@{digest}",
            f"DEPLOY_DATABASE_IMAGE=postgres:17-bookworm@{digest}",
        ]
        assert [run.returncode for run in runs] == [0, 0], runs
        assert after == [line for line in before if "_IMAGE=" not in line] + pinned

    def test_what_is_no_digest_changes_nothing(self, folder: Path) -> None:
        before = (folder / "deploy.env").read_text()

        refused = self.run(folder, "error")

        assert (refused.returncode, (folder / "deploy.env").read_text()) == (1, before)


class TestCompose:
    def test_starts_only_with_its_own_settings_and_secrets(self) -> None:
        text = (ROOT / "docker-compose.yml").read_text()

        assert "${DEPLOY_SECRETS_DIR:?" in text
        assert "${DEPLOY_VERSION:?" in text
        assert "${PULSEPRINT_" not in text, (
            "a developer's .env is read by compose and must not reach a deployment"
        )

    def test_the_example_names_every_setting_that_is_used(self) -> None:
        used = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
        example = set(re.findall(r"^#?\s?(\w+)=", (ROOT / "deploy.env.example").read_text(), re.MULTILINE))

        assert used == example

    def test_service_waits_for_the_finished_migration(self) -> None:
        waits_for = COMPOSE["services"]["service"]["depends_on"]

        assert waits_for["migrate"] == {"condition": "service_completed_successfully"}
        assert COMPOSE["services"]["migrate"]["depends_on"]["database"] == {"condition": "service_healthy"}

    @pytest.mark.parametrize("name", ["database", "migrate", "service"])
    def test_every_container_is_confined(self, name: str) -> None:
        service = COMPOSE["services"][name]

        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["ulimits"] == {"core": 0}

    def test_only_the_service_is_published_and_only_on_the_loopback(self) -> None:
        published = {name: s["ports"] for name, s in COMPOSE["services"].items() if "ports" in s}

        assert published == {"service": ["${DEPLOY_PUBLISH:-127.0.0.1:8000}:8000"]}

    def test_no_secret_is_passed_through_the_environment(self) -> None:
        for service in COMPOSE["services"].values():
            named = {k for k in service["environment"] if re.search("PASSWORD|KEY|SECRET", k)}
            assert all(name.endswith("_FILE") for name in named)


class TestRelease:
    """The served document is held to `pyproject.toml` by tests/api/test_openapi.py."""

    release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    @pytest.mark.parametrize(
        ("name", "variable"), [("Dockerfile", "ARG VERSION"), ("deploy.env.example", "DEPLOY_VERSION")]
    )
    def test_image_and_deployment_name_the_release_of_the_project(self, name: str, variable: str) -> None:
        named = re.findall(rf"^{variable}=(.*)$", (ROOT / name).read_text(), re.MULTILINE)

        assert named == [self.release]


class TestDockerfile:
    text = (ROOT / "Dockerfile").read_text()

    def test_runs_as_an_unprivileged_user_with_a_fixed_id(self) -> None:
        assert re.search(r"^USER 10001:10001$", self.text, re.MULTILINE)

    def test_health_is_asked_in_exec_form(self) -> None:
        assert 'CMD ["python", "-m", "app.cli", "healthcheck"]' in self.text
        assert self.text.rstrip().endswith('CMD ["python", "-m", "app.cli", "serve"]')

    def test_only_listed_folders_enter_the_build(self) -> None:
        assert BUILD_RULES[0] == "*"
        assert {rule for rule in BUILD_RULES if rule.startswith("!")} == {
            "!LICENSE",
            "!LICENSES",
            "!alembic.ini",
            "!requirements/runtime.txt",
            "!app",
            "!migrations",
            "!ml/__init__.py",
            "!ml/runtime",
            "!models",
        }

    def test_all_that_the_service_imports_enters_the_build(self) -> None:
        code = (
            "import sys, app.cli, app.main, app.adapters.activity, app.adapters.encoders;"
            "print(*(m.__file__ for n, m in sys.modules.items() if n.split('.')[0] in ('app', 'ml')))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        )

        imported = [Path(file) for file in done.stdout.split()]
        assert ROOT / "ml" / "runtime" / "ecg" / "activity" / "bundle.py" in imported
        assert [path for path in imported if not enters_the_build(path)] == []

    def test_only_the_runtime_of_ml_enters_the_build(self) -> None:
        entering = {path for path in (ROOT / "ml").rglob("*.*") if enters_the_build(path)}

        runtime = {path for path in (ROOT / "ml" / "runtime").rglob("*.*") if path.suffix != ".pyc"}
        assert entering == {ROOT / "ml" / "__init__.py", *runtime}

    def test_the_demo_stays_out_of_the_build(self) -> None:
        left_out = {path for path in (ROOT / "app").rglob("*.py") if not enters_the_build(path)}

        assert left_out == set((ROOT / "app" / "demo").rglob("*.py"))

    def test_every_copied_path_enters_the_build(self) -> None:
        copied = re.findall(r"^COPY (?!--)(.+) \S+$", self.text, re.MULTILINE)
        sources = [ROOT / source for line in copied for source in line.split()]

        assert ROOT / "ml" / "runtime" in sources
        assert [path for path in sources if not (path.exists() and enters_the_build(path))] == []
