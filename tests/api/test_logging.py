"""One line per request: what was asked, what came of it, who asked; never about whom."""

import json

from tests.factories import enroll_body, verify_body


def lines(api):
    events = [json.loads(line) for line in api.log.getvalue().splitlines()]
    return [event for event in events if event["event"] == "http.answered"]


class TestRequestLine:
    def test_names_route_status_client_and_decision(self, api):
        api.post("/enroll", enroll_body("ann", person=1))

        answer = api.post("/verify", verify_body("ann", person=1))

        line = lines(api)[-1]
        assert list(line)[:4] == ["timestamp", "level", "event", "transaction_id"]
        assert line["transaction_id"] == answer.headers["x-request-id"]
        assert (line["method"], line["route"], line["status"]) == ("POST", "/verify", 200)
        assert line["decision"] == "match"
        assert line["client_id"] in api.key
        assert line["ms"] > 0

    def test_names_the_code_of_a_refusal(self, api):
        api.get("/subjects/ann")

        assert (lines(api)[-1]["status"], lines(api)[-1]["code"]) == (404, "subject_not_found")

    def test_names_no_client_without_a_valid_key(self, api):
        api.get("/subjects", key=None)

        assert "client_id" not in lines(api)[-1]

    def test_names_the_template_of_the_route_and_not_the_path(self, api):
        api.get("/galleries/default")

        assert lines(api)[-1]["route"] == "/galleries/{name}"

    def test_health_checks_are_quiet(self, api):
        api.get("/healthz")

        assert lines(api)[-1]["level"] == "debug"
