"""Fuzzing by the OpenAPI document: no input makes a 500 or an answer that the document does not know.

Three in five requests are plausible (existing subjects, recordings that can be used), so that every route
also shows what it answers when all is well; the others are whatever schemathesis makes of the schemas, right
and wrong ones. `make fuzz` runs 500 examples per route, `make test` 50.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core import NOT_SET
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.main import create_app
from tests.factories import ecg, ecg_bytes, enroll_body, flat_ecg
from tests.fakes import FakeRecognizer

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
LEAST_2XX = 20
RECOGNISER = FakeRecognizer()

SCHEMA = schemathesis.openapi.from_dict(create_app().openapi())
OPERATIONS = {operation.ok().label: operation.ok() for operation in SCHEMA.get_all_operations()}
MODES = st.sampled_from(["positive", "negative"])
PLAUSIBLE_SHARE = 0.6

people = st.integers(0, 7)
takes = st.integers(0, 20)
recordings = st.one_of(
    st.builds(ecg, people, takes),
    st.builds(ecg_bytes, people, takes, dtype=st.sampled_from(["int16", "float32"])),
)


@dataclass(frozen=True)
class Plausible:
    """The parts of a request that may well succeed; what is absent is left to schemathesis."""

    body: st.SearchStrategy[Any] | None = None
    path: dict[str, st.SearchStrategy[str]] | None = None
    query: st.SearchStrategy[dict[str, Any]] | None = None


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


def merged(first: st.SearchStrategy[Any], second: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(lambda a, b: {**a, **b}, first, second)


def of_person(person: int, take: int, lead: str) -> dict[str, Any]:
    """What the person is always enrolled under; the probe of a stranger would be a mismatch."""
    return {"subject_id": f"fuzz-{person}", "recordings": [ecg(person, take) | {"lead": lead}]}


POLICIES = st.one_of(
    merged(
        st.just({"kind": "calibrated"}),
        optional(fmr=st.floats(1e-6, 0.1), fpir=st.floats(1e-6, 0.1), min_quality=st.floats(0.0, 0.5)),
    ),
    st.builds(
        lambda metric, x: {"kind": "distance", "rules": {"ecg": {"metric": metric, "max_distance": x}}},
        st.sampled_from(["cosine", "euclidean"]),
        st.floats(0.0, 2.0),
    ),
)
NAMES = {"subject_id": st.just("fuzz-0")}
PAGE = optional(limit=st.integers(1, 200), gallery=st.just("default"))
IN_DEFAULT = optional(gallery=st.just("default"))
PLAUSIBLE = {
    "POST /enroll": Plausible(
        merged(
            st.builds(of_person, people, takes, st.just("unknown")),
            optional(
                consent=st.just({"text_id": "t 1", "given_at": "2026-11-20T09:30:00Z"}),
                force=st.booleans(),
                gallery=st.just("default"),
            ),
        )
    ),
    "POST /verify": Plausible(
        merged(
            st.fixed_dictionaries(
                {
                    "subject_id": st.sampled_from(["fuzz-0", "fuzz-1"]),
                    "recordings": st.lists(recordings, min_size=1, max_size=2),
                }
            ),
            optional(fmr=st.floats(1e-12, 1e-3), fusion=st.just("score")),
        )
    ),
    "POST /identify": Plausible(
        merged(
            st.fixed_dictionaries({"recordings": st.lists(recordings, min_size=1, max_size=2)}),
            optional(fpir=st.floats(1e-12, 1e-2), max_candidates=st.integers(1, 100)),
        )
    ),
    "POST /activity": Plausible(
        merged(st.fixed_dictionaries({"recording": recordings}), optional(rest=recordings))
    ),
    "POST /quality": Plausible(
        st.fixed_dictionaries(
            {"recordings": st.lists(st.one_of(recordings, st.builds(flat_ecg)), min_size=1, max_size=3)}
        )
    ),
    "GET /subjects": Plausible(query=PAGE),
    "GET /subjects/{subject_id}": Plausible(path=NAMES, query=IN_DEFAULT),
    "GET /subjects/{subject_id}/references": Plausible(path=NAMES, query=PAGE),
    "DELETE /subjects/{subject_id}": Plausible(path={"subject_id": st.just("victim")}, query=IN_DEFAULT),
    "DELETE /subjects/{subject_id}/references/{reference_id}": Plausible(
        path={"subject_id": st.just("victim"), "reference_id": st.just("")}, query=IN_DEFAULT
    ),
    "GET /galleries": Plausible(query=optional(limit=st.integers(1, 200))),
    "POST /galleries": Plausible(merged(st.just({"name": "fuzz"}), optional(policy=POLICIES))),
    "GET /galleries/{name}": Plausible(path={"name": st.just("default")}),
    "PUT /galleries/{name}": Plausible(
        st.fixed_dictionaries({"policy": POLICIES}), path={"name": st.just("fuzz")}
    ),
    "POST /galleries/{name}/renew": Plausible(path={"name": st.just("fuzz")}),
    "DELETE /galleries/{name}": Plausible(path={"name": st.just("fuzz")}),
    "GET /models": Plausible(),
    "GET /healthz": Plausible(),
    "GET /readyz": Plausible(),
}


def prepare(api, label, path):
    """Make what a plausible request speaks of; some requests remove it every time."""
    if path.get("subject_id") == "victim":
        api.post("/enroll", enroll_body("victim", person=30, force=True))  # Emptied before, perhaps.
        if "reference_id" in path:
            listed = api.get("/subjects/victim/references").json()["items"]
            path["reference_id"] = listed[0]["id"]
    if "/galleries" in label and label.startswith(("PUT", "DELETE", "POST")):
        known = api.get("/galleries/fuzz").status_code == 200
        if label == "POST /galleries" and known:
            api.delete("/galleries/fuzz")
        elif label != "POST /galleries" and not known:
            api.post("/galleries", {"name": "fuzz"})


def request_of(case: schemathesis.Case) -> dict[str, Any]:
    """A case as bytes on the wire; what cannot be sent as JSON is sent as it is."""
    if case.body is NOT_SET:
        content = None
    elif isinstance(case.body, bytes):
        content = case.body
    else:
        content = json.dumps(case.body).encode()
    query = str(httpx.QueryParams(case.query)) if case.query else ""
    headers = {
        name: value.encode("utf-8", "surrogatepass")
        for name, value in (case.headers or {}).items()
        if name.lower() not in ("authorization", "content-type") and isinstance(value, str)
    }
    return {
        "path": case.formatted_path + (f"?{query}" if query else ""),
        "content": content,
        "headers": headers,
    }


def plausible_case(data, api, label):
    """A request that may well succeed."""
    plausible = PLAUSIBLE[label]
    data.draw(st.integers(0, 2**32))  # Routes without parameters would have one example only.
    path = {name: data.draw(of) for name, of in (plausible.path or {}).items()}
    prepare(api, label, path)
    body = {} if plausible.body is None else {"body": data.draw(plausible.body)}
    case = data.draw(OPERATIONS[label].as_strategy(path_parameters=path, **body))
    case.query = {} if plausible.query is None else data.draw(plausible.query)  # It adds some of its own,
    case.headers = {}  # and reuses idempotency keys.
    return case


def any_case(data, api, label):
    """Whatever schemathesis makes of the schemas."""
    mode = schemathesis.GenerationMode(data.draw(MODES))
    return data.draw(OPERATIONS[label].as_strategy(mode))


def fuzz(api, label, make_case, share):
    """Send a share of the profile's examples; return how often each status came back."""
    statuses = Counter()

    @given(data=st.data())
    @settings(
        max_examples=round(share * settings().max_examples),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    def send(data):
        case = make_case(data, api, label)
        answer = api.call(case.method, **request_of(case))
        statuses[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    send()
    return statuses


@pytest.mark.hypothesis
class TestEveryRoute:
    @pytest.mark.parametrize("label", OPERATIONS)
    def test_answers_as_documented_whatever_it_is_sent(self, shared_api, label):
        for person in (0, 1):
            shared_api.post("/enroll", enroll_body(f"fuzz-{person}", person))

        statuses = fuzz(shared_api, label, plausible_case, PLAUSIBLE_SHARE)
        statuses += fuzz(shared_api, label, any_case, 1.0 - PLAUSIBLE_SHARE)

        print(f"\n{label}: {dict(sorted(statuses.items()))}")  # noqa: T201 (the counts are asked for)
        good = sum(count for status, count in statuses.items() if status < 300)
        assert good >= LEAST_2XX

    def test_every_documented_route_is_fuzzed(self):
        assert set(PLAUSIBLE) == set(OPERATIONS)
