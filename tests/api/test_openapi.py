"""The served OpenAPI document is the committed one: `python -m app.cli openapi > docs/openapi.json`."""

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

    def test_every_operation_names_the_scope_it_needs(self, document):
        for item in document["paths"].values():
            for operation in item.values():
                scopes = [scope for one in operation["security"] for scope in one["apiKey"]]
                unscoped = "any valid API key" if operation["security"] else "no API key"

                assert (f"the scope `{scopes[0]}`" if scopes else unscoped) in operation["description"]

    def test_every_code_of_the_contract_is_documented_or_to_come(self, document):
        documented = json.dumps([document["paths"], document["components"]["responses"]])
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

    def test_every_reference_leads_somewhere_and_every_component_is_led_to(self, document):
        known = {
            f"#/components/{kind}/{name}"
            for kind, components in document["components"].items()
            for name in components
            if kind != "securitySchemes"
        }

        assert set(values_of(document, "$ref")) == known

    def test_nothing_of_pydantic_leaks(self, document):
        leaked = {"ge", "le", "gt", "lt", "multiple_of", "min_length", "max_length", "strict", "not"}

        assert leaked & set(keys_in(document)) == set()

    def test_a_choice_is_a_component_with_a_tag(self, document):
        """Or null; anything else makes generators invent names, or give up."""
        choices = {name for name, schema in schemas_of(document) if "oneOf" in schema}
        tagged = {name for name, schema in schemas_of(document) if "discriminator" in schema}

        assert choices == tagged == {"AnyRecording", "PolicyBody", "PolicyAnswer", "DecisionPolicyAnswer"}
        assert keys_in(document).count("oneOf") == len(choices)
        for choice in values_of(document, "anyOf"):
            assert len(choice) == 2
            assert choice[1] == {"type": "null"}

    def test_no_member_of_an_enumeration_shares_its_name(self, document):
        """Some languages have one room for all of them; so far only these enumerations name their members."""
        names = [name for listed in values_of(document, "x-enum-varnames") for name in listed]

        assert len(names) == len(set(names)) > 0

    def test_no_strip_is_said_to_hold_more_numbers_than_it_may(self, document):
        for name in ("EcgRecording", "ActivityRecording"):
            assert document["components"]["schemas"][name]["properties"]["signal"]["maxItems"] == 120 * 2000

    def test_every_answer_problem_and_body_has_an_example_that_fits(self, document):
        root = {"components": document["components"]}
        responses = [*values_of(document["paths"], "content"), *values_of(root, "content")]
        n_examples = 0
        for content in (media for response in responses for media in response.values()):
            named = [resolved(example, document)["value"] for example in content.get("examples", {}).values()]
            for example in [content["example"]] if "example" in content else named:
                validator_for({**root, **content["schema"]}).validate(example)
                n_examples += 1

        assert all("example" in media or media["examples"] for one in responses for media in one.values())
        assert n_examples > 100

    def test_examples_fit_their_schemas(self, document):
        root = {"components": document["components"]}
        for name, schema in schemas_of(document):
            for field, of in schema.get("properties", {}).items():
                for example in of.get("examples", ()):
                    check = validator_for({**root, **of})
                    assert check.is_valid(example), f"{name}.{field}: {example}"


def resolved(reference, document):
    node = document
    for part in reference["$ref"].removeprefix("#/").split("/"):
        node = node[part]
    return node


def pairs_in(node):
    """Every key with its value, at any depth; what examples hold is data."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield key, value
            if key not in ("example", "value"):
                yield from pairs_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from pairs_in(value)


def keys_in(node):
    return [key for key, _ in pairs_in(node)]


def values_of(node, wanted):
    return [value for key, value in pairs_in(node) if key == wanted]
