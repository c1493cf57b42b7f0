"""What every route must do, also the next one: found in the OpenAPI document and in the application."""

import inspect
import re

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from app.domain.subjects import Scope
from app.main import create_app
from tests.api.application import JSON, Exchange

PUBLIC = {("GET", "/healthz"), ("GET", "/readyz")}
PATH_VALUES = {
    "subject_id": "ann",
    "name": "default",
    "reference_id": "01932f3a-7c1e-7b7a-9d5e-0f6c2f9d7a10",
}
APP = create_app()
OPERATIONS = {
    (method.upper(), path): operation
    for path, item in APP.openapi()["paths"].items()
    for method, operation in item.items()
}
KEYED = sorted(OPERATIONS.keys() - PUBLIC)


def filled(path):
    return re.sub(r"\{(\w+)\}", lambda match: PATH_VALUES[match[1]], path)


def scopes_of(operation):
    (requirement,) = operation["security"]
    return requirement["apiKey"]


async def unread():
    raise AssertionError("the body was read")


@pytest.mark.parametrize(("method", "path"), KEYED)
class TestKeyedRoute:
    def test_nothing_is_read_without_a_key(self, sqlite_api, method, path):
        key = f"pp_{'0' * 16}_{'A' * 43}"

        exchange = Exchange(sqlite_api, [JSON], filled(path), method, key).run(unread)

        assert (exchange.status, exchange.problem["code"]) == (401, "invalid_credentials")

    def test_nothing_is_read_without_the_scope(self, sqlite_api, method, path):
        needed = scopes_of(OPERATIONS[method, path])
        if not needed:
            assert path in ("/models", "/quality")  # Any valid key may call these.
            return
        others = [scope for scope in Scope if scope not in needed]

        exchange = Exchange(sqlite_api, [JSON], filled(path), method, sqlite_api.new_key(*others)).run(unread)

        assert (exchange.status, exchange.problem["code"]) == (403, "insufficient_scope")

    def test_unknown_and_repeated_query_parameters_are_refused(self, shared_api, method, path):
        known = [p["name"] for p in OPERATIONS[method, path].get("parameters", ()) if p["in"] == "query"]
        queries = [
            "zq7=zq7marker",
            "zq7marker%20",
            *(f"{name}=1&{name}=1" for name in known),
            *(f"{k}=1&z=1" for k in known),
        ]

        for query in queries:
            answer = shared_api.call(method, f"{filled(path)}?{query}", {} if method != "GET" else None)

            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), query
            assert "zq7marker" not in answer.text

    def test_what_it_may_answer_is_documented(self, method, path):
        operation = OPERATIONS[method, path]
        expected = {"401", "422", "503"}
        if scopes_of(operation):
            expected.add("403")
        if "requestBody" in operation:
            expected |= {"400", "408", "413", "415"}

        assert expected <= operation["responses"].keys()


def test_only_health_checks_need_no_key():
    assert {name for name, operation in OPERATIONS.items() if operation["security"] == []} == PUBLIC


def test_nothing_runs_in_the_unbounded_pool_of_fastapi():
    """FastAPI runs plain functions in threads of its own, beside the bounded executor."""
    blocking = {
        call
        for context in iter_route_contexts(APP.routes)
        if isinstance(context.original_route, APIRoute)
        for call in calls_of(context.dependant)
        if not is_async(call)
    }

    assert blocking == set()


def calls_of(dependant: Dependant):
    yield dependant.call
    for dependency in dependant.dependencies:
        yield from calls_of(dependency)


def is_async(call):
    function = call if inspect.isfunction(call) else type(call).__call__
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
