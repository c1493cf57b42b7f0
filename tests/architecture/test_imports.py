"""Imports point inwards (docs/DESIGN.md §2); the serving side never loads torch."""

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STDLIB = set(sys.stdlib_module_names)
PURE = (
    "ml.runtime.evidence",
    "ml.runtime.encoding",
    "ml.runtime.details",
    "ml.runtime.calibration",
    "ml.runtime.matching",
)
"""What service, fitting and evaluation share, the domain included: numpy, and no state."""
MOST_FILES = 24
"""In one folder; beyond that a room is missing."""


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


def modules() -> dict[str, Path]:
    """Every module of `app` and `ml` by its dotted name."""
    found = [path for top in ("app", "ml") for path in sorted((ROOT / top).rglob("*.py"))]
    return {dotted(path): path for path in found}


def files_of(module: str) -> list[Path]:
    """A module's own file, or all of a package."""
    place = ROOT / Path(*module.split("."))
    return sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def package_imports() -> dict[str, set[str]]:
    """Which package imports which. A folder is a package; a file beside folders is one of its own."""
    known = modules()
    folders = {".".join(path.parent.relative_to(ROOT).parts) for path in known.values()}
    branching = {folder.rpartition(".")[0] for folder in folders}

    def package(module: str) -> str:
        folder = ".".join(known[module].parent.relative_to(ROOT).parts)
        return module if folder in branching else folder

    graph: dict[str, set[str]] = {}
    for module, path in known.items():
        for name in imports_of(path):
            if name in known and package(name) != package(module):
                graph.setdefault(package(module), set()).add(package(name))
    return graph


def reached_from(start: Iterable[str], graph: dict[str, set[str]]) -> set[str]:
    seen, waiting = set(start), list(start)
    while waiting:
        for name in graph.get(waiting.pop(), set()) - seen:
            seen.add(name)
            waiting.append(name)
    return seen


class TestLayers:
    def test_domain_imports_only_stdlib_numpy_itself_and_how_scores_are_made(self):
        own = ("app.domain", *PURE)
        foreign = [
            f"{path.name} imports {name}"
            for path in sorted((ROOT / "app/domain").rglob("*.py"))
            for name in imports_of(path)
            if name.split(".")[0] not in STDLIB | {"numpy"} and not name.startswith(own)
        ]

        assert foreign == []

    def test_how_scores_are_made_is_pure(self):
        foreign = [
            f"{path.relative_to(ROOT)} imports {name}"
            for module in PURE
            for path in files_of(module)
            for name in imports_of(path)
            if name.split(".")[0] not in STDLIB | {"numpy"} and not name.startswith(PURE)
        ]

        assert foreign == []

    @pytest.mark.parametrize("folder", ["app/services", "app/matching"])
    def test_services_and_matching_know_ports_and_no_framework(self, folder):
        outer = ("app.api", "app.adapters", "app.bootstrap", "app.main", "app.config")
        frameworks = ("sqlalchemy", "fastapi", "starlette", "pydantic", "faiss", "onnxruntime")

        assert violations(folder, outer + frameworks) == []

    def test_matching_never_imports_a_use_case(self):
        assert violations("app/matching", ("app.services",)) == []

    def test_api_never_touches_rows_or_transactions(self):
        assert violations("app/api", ("app.adapters", "app.bootstrap", "sqlalchemy", "faiss", "ml")) == []

    def test_pictures_are_drawn_of_the_domain_alone(self):
        own = ("app.domain", "app.pictures")
        foreign = [
            f"{path.name} imports {name}"
            for path in sorted((ROOT / "app/pictures").rglob("*.py"))
            for name in imports_of(path)
            if name.split(".")[0] not in STDLIB | {"numpy"} and not name.startswith(own)
        ]

        assert foreign == []
        inner = [violations(f"app/{room}", ("app.pictures",)) for room in ("domain", "matching", "services")]
        assert inner == [[], [], []]

    def test_nothing_but_itself_imports_the_demo(self):
        assert [line for line in violations("app", ("app.demo",)) if not line.startswith("app/demo/")] == []

    def test_of_ml_the_service_imports_the_runtime_alone(self):
        foreign = [
            f"{path.relative_to(ROOT)} imports {name}"
            for path in sorted((ROOT / "app").rglob("*.py"))
            if ROOT / "app/demo" not in path.parents
            for name in imports_of(path)
            if name.split(".")[0] == "ml" and not name.startswith("ml.runtime")
        ]

        assert foreign == []

    def test_the_runtime_imports_nothing_else_of_ml_and_no_training_stack(self):
        foreign = [
            f"{path.relative_to(ROOT)} imports {name}"
            for path in sorted((ROOT / "ml/runtime").rglob("*.py"))
            for name in imports_of(path)
            if name.split(".")[0] in {"torch", "onnx", "sklearn", "app"}
            or (name.split(".")[0] == "ml" and not name.startswith("ml.runtime"))
        ]

        assert foreign == []

    def test_nothing_outside_imports_the_research(self):
        lines = violations("ml", ("ml.research",)) + violations("app", ("ml.research",))

        assert [line for line in lines if not line.startswith("ml/research/")] == []

    def test_ml_never_imports_app(self):
        assert violations("ml", ("app", "benchmarks")) == []

    def test_only_main_and_cli_import_bootstrap(self):
        lines = violations("app", ("app.bootstrap",), but=("app/main.py", "app/bootstrap.py"))

        assert [line for line in lines if not line.startswith("app/cli/")] == []

    def test_no_package_reaches_itself_through_others(self):
        graph = package_imports()

        cycles = [name for name in graph if name in reached_from(graph[name], graph)]

        assert cycles == []

    def test_no_folder_is_too_full_to_take_in(self):
        folders = {path.parent for path in modules().values()}
        full = [
            str(f.relative_to(ROOT))
            for f in folders
            if sum(one.is_file() for one in f.iterdir()) > MOST_FILES
        ]

        assert full == []


class TestTwoPlanes:
    @pytest.mark.parametrize(
        "module",
        ["app.main", "app.cli", "app.demo.command", "ml.runtime.encoder", "ml.runtime.matching.gallery_null"],
    )
    def test_the_serving_side_loads_no_torch(self, module):
        code = f"import sys, {module}; print([m for m in ('torch', 'onnx') if m in sys.modules])"

        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
        )

        assert done.stdout.strip() == "[]"
