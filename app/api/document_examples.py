"""Examples for the OpenAPI document: whole answers, and one problem per code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.api.errors import PROBLEM_JSON, PROBLEMS

_TRANSACTION_ID: Final = "01932f3a-7c1e-7b7a-9d5e-0f6c2f9d7a10"
# Fields of answers to something unusual, or to an image: an example with all would contradict itself.
_UNUSUAL: Final = frozenset(
    {
        "code",
        "evidence_ceiling",
        "eye_distance_px",
        "further_seconds",
        "minutiae",
        "possible_duplicate_of",
        "possible_duplicates",
        "print_area_mm2",
        "quality_parts",
        "ridge_period_px",
        "shortfall_db",
        "warnings",
    }
)
_USUALLY_EMPTY: Final = frozenset({"rejected"})


def add_examples(document: dict[str, Any]) -> None:
    """Add examples to answers, problems and path parameters; shared refusals become components."""
    components = document["components"]
    components["examples"] = {code: _problem_example(code) for code in _codes_in(document)}
    components["responses"] = _shared_responses(document)
    for operation in _operations(document):
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path":  # Swagger UI fills fields in from here, and not from the schema.
                parameter["example"] = parameter["schema"].pop("examples")[0]
        for response in operation["responses"].values():
            content = response.get("content", {}).get("application/json")
            if content is not None and "$ref" in content.get("schema", {}):
                content["example"] = _example_of(content["schema"]["$ref"], components["schemas"])


def problem_references(*codes: str) -> dict[str, Any]:
    """`examples` of a response with these codes."""
    return {code: {"$ref": f"#/components/examples/{code}"} for code in codes}


def _problem_example(code: str) -> dict[str, Any]:
    kind = PROBLEMS[code]
    problem = {
        "type": f"/docs#{code}",
        "title": kind.title,
        "status": kind.status,
        "detail": f"{kind.title}.",
        "code": code,
        "transaction_id": _TRANSACTION_ID,
    }
    return {"summary": kind.title, "value": problem}


def _shared_responses(document: dict[str, Any]) -> dict[str, Any]:
    """Move problem responses that have one code into a component, named after the code."""
    shared: dict[str, Any] = {}
    for operation in _operations(document):
        for status, response in operation["responses"].items():
            codes = list(response.get("content", {}).get(PROBLEM_JSON, {}).get("examples", ()))
            if len(codes) == 1:
                name = "".join(word.capitalize() for word in codes[0].split("_"))
                shared[name] = response
                operation["responses"][status] = {"$ref": f"#/components/responses/{name}"}
    return dict(sorted(shared.items()))


def _codes_in(document: dict[str, Any]) -> list[str]:
    documented = {
        code
        for operation in _operations(document)
        for response in operation["responses"].values()
        for code in response.get("content", {}).get(PROBLEM_JSON, {}).get("examples", ())
    }
    return [code for code in PROBLEMS if code in documented]


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in document["paths"].values():
        yield from item.values()


def _example_of(reference: str, schemas: Mapping[str, Any]) -> dict[str, Any]:
    """A usual answer, made from the examples of its fields."""
    properties: dict[str, Any] = schemas[reference.rpartition("/")[2]]["properties"]
    return {
        name: _field_example(name, field, schemas)
        for name, field in properties.items()
        if name not in _UNUSUAL
    }


def _field_example(name: str, field: dict[str, Any], schemas: Mapping[str, Any]) -> Any:
    own = field.get("examples", [None])[0]
    listed = field.get("items", {}).get("$ref", "")
    if (
        own == []
        and name not in _USUALLY_EMPTY
        and "properties" in schemas.get(listed.rpartition("/")[2], {})
    ):
        return [_example_of(listed, schemas)]
    return own
