"""The served OpenAPI document is the committed one: ``python -m app.cli openapi > docs/openapi.json``."""

import json
import tomllib
from pathlib import Path

import pytest
from jsonschema_rs import validator_for

from app.api.errors import PROBLEMS
from app.main import create_app

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"


@pytest.fixture(scope="module")
def document():
    return create_app().openapi()


def schemas_of(document):
    return document["components"]["schemas"].items()


class TestDocument:
    def test_the_served_one_is_the_committed_one(self, shared_api):
        served = shared_api.get("/openapi.json", key=None)

        assert served.status_code == 200
        assert served.json() == json.loads(COMMITTED.read_text()), (
            "python -m app.cli openapi > docs/openapi.json"
        )

    def test_its_version_is_that_of_the_project(self, document):
        project = tomllib.loads((COMMITTED.parents[1] / "pyproject.toml").read_text())["project"]

        assert document["info"]["version"] == project["version"]

    def test_every_operation_has_a_summary_a_description_and_an_answer(self, document):
        for path, item in document["paths"].items():
            for method, operation in item.items():
                assert operation["summary"], (method, path)
                assert operation["description"], (method, path)
                assert any(status.startswith("2") for status in operation["responses"]), (method, path)

    def test_every_code_of_the_contract_is_documented_or_to_come(self, document):
        documented = json.dumps(document["paths"])
        of_every_route = {"not_found", "method_not_allowed", "internal_error"}
        to_come = {"rate_limited", "attempts_exhausted"}

        missing = {code for code in PROBLEMS if f"`{code}`" not in documented}

        assert missing == of_every_route | to_come

    def test_every_field_has_a_description_and_an_example(self, document):
        lacking = [
            f"{name}.{field}"
            for name, schema in schemas_of(document)
            for field, of in schema.get("properties", {}).items()
            if not ("description" in of and "examples" in of)
        ]

        assert lacking == []

    def test_every_reference_leads_somewhere(self, document):
        known = {f"#/components/schemas/{name}" for name, _ in schemas_of(document)}

        assert set(references_in(document)) <= known

    def test_examples_fit_their_schemas(self, document):
        root = {"components": document["components"]}
        for name, schema in schemas_of(document):
            for field, of in schema.get("properties", {}).items():
                for example in of.get("examples", ()):
                    check = validator_for({**root, **of})
                    assert check.is_valid(example), f"{name}.{field}: {example}"


def references_in(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from references_in(value)
