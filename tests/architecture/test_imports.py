"""Imports point inwards (docs/DESIGN.md §2); the serving side never loads torch."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STDLIB = set(sys.stdlib_module_names)


def imports_of(path: Path) -> Iterator[str]:
    """Dotted names of everything a file imports, deferred imports included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the layer"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def violations(folder: str, forbidden: tuple[str, ...], *, but: tuple[str, ...] = ()) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        if str(path.relative_to(ROOT)) not in but
        for name in imports_of(path)
        if name.startswith(forbidden)
    ]


class TestLayers:
    def test_domain_imports_only_stdlib_numpy_and_itself(self):
        foreign = [
            f"{path.name} imports {name}"
            for path in sorted((ROOT / "app/domain").rglob("*.py"))
            for name in imports_of(path)
            if name.split(".")[0] not in STDLIB | {"numpy"} and not name.startswith("app.domain")
        ]

        assert foreign == []

    def test_services_know_ports_and_no_framework(self):
        outer = ("app.api", "app.adapters", "app.bootstrap", "app.main", "app.config")
        frameworks = ("ml", "sqlalchemy", "fastapi", "starlette", "pydantic", "faiss", "onnxruntime")

        assert violations("app/services", outer + frameworks) == []

    def test_api_never_touches_rows_or_transactions(self):
        assert violations("app/api", ("app.adapters", "app.bootstrap", "sqlalchemy", "faiss", "ml")) == []

    def test_only_the_adapters_of_bundles_and_the_demo_reach_ml(self):
        but = ("app/adapters/activity.py", "app/adapters/encoders.py", "app/demo/command.py")

        assert violations("app", ("ml",), but=but) == []

    def test_ml_never_imports_app(self):
        assert violations("ml", ("app",)) == []

    def test_only_main_and_cli_import_bootstrap(self):
        but = ("app/main.py", "app/cli.py", "app/bootstrap.py")

        assert violations("app", ("app.bootstrap",), but=but) == []


class TestTwoPlanes:
    @pytest.mark.parametrize(
        "module", ["app.main", "app.cli", "app.demo.command", "ml.runtime.encoder", "ml.runtime.calibration"]
    )
    def test_the_serving_side_loads_no_torch(self, module):
        code = f"import sys, {module}; print([m for m in ('torch', 'onnx') if m in sys.modules])"

        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
        )

        assert done.stdout.strip() == "[]"
