from __future__ import annotations

import httpx
import pytest

from app.demo.recordings import Strip
from app.demo.report import Tally, expected
from app.demo.server import DemoError
from app.demo.service import Service
from app.demo.story import (
    FALSE_CLAIMS,
    IDENTIFY,
    IDENTIFY_STRICT,
    INVERTED,
    SHORT,
    SHORT_S,
    STRANGERS,
    STRICT,
    STRICT_FMR,
    STRICT_FPIR,
    UNREACHABLE,
    VERIFY,
    Story,
)
from tests.unit.app.demo.demo_fakes import FakeService, cast, person


def play(service: FakeService, cast_, key: str = "pp_demo_key", gallery: str = "demo") -> Story:
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url="http://demo", headers=headers, transport=service.transport) as client:
        story = Story(Service(client), cast_, gallery, track=lambda step, people: people)
        story.play()
    return story


@pytest.fixture
def service():
    return FakeService()


class TestStrip:
    def test_becomes_a_recording_of_the_contract(self):
        assert Strip(250.0, [0.1, 0.2], lead="I").body() == {
            "modality": "ecg", "fs_hz": 250.0, "unit": "mV", "lead": "I", "signal": [0.1, 0.2],
        }  # fmt: skip

    def test_its_beginning_is_counted_in_seconds(self):
        assert Strip(2.0, [1, 2, 3, 4, 5]).first(1.5).signal == [1, 2, 3]

    def test_inversion_changes_every_sign(self):
        assert Strip(2.0, [1.0, -2.0]).inverted().signal == [-1.0, 2.0]

    def test_does_not_show_its_samples(self):
        assert "0.123" not in repr(Strip(2.0, [0.123]))


class TestStory:
    def test_everybody_is_enrolled_identified_and_verified(self, service):
        story = play(service, cast([person("ann", 1), person("bob", 2)], [person("zoe", 9)]))

        assert story.enrolled == ["ann", "bob"]
        for step in (IDENTIFY, IDENTIFY_STRICT, VERIFY, STRICT, SHORT, INVERTED):
            assert expected(story.lines, step) == Tally(2, 2), step
        for step in (STRANGERS, FALSE_CLAIMS, UNREACHABLE):
            assert expected(story.lines, step) == Tally(1, 1), step
        assert story.right_first == Tally(2, 2)

    def test_a_person_who_looks_like_another_is_a_surprise(self, service):
        story = play(service, cast([person("ann", 1), person("bob", 2, probe=1)]))

        surprises = [line for line in story.lines if line.step == IDENTIFY and not line.as_expected]
        assert [(line.probe, line.answer) for line in surprises] == [("bob", "match ann")]
        assert story.right_first == Tally(1, 2)

    def test_a_stranger_who_matches_is_a_surprise(self, service):
        story = play(service, cast([person("ann", 1)], [person("zoe", 1)]))

        assert expected(story.lines, STRANGERS) == Tally(0, 1)
        assert expected(story.lines, FALSE_CLAIMS) == Tally(0, 1)

    def test_strangers_who_join_are_recognized_afterwards(self, service):
        story = play(service, cast([person("ann", 1)], [person("zoe", 9)], strangers_join=True))

        assert expected(story.lines, STRANGERS) == Tally(1, 1)
        assert expected(story.lines, IDENTIFY) == Tally(2, 2)
        assert story.enrolled == ["ann", "zoe"]

    def test_people_without_a_second_strip_are_enrolled_only(self, service):
        lonely = person("ann", 1)
        lonely = type(lonely)(lonely.subject_id, lonely.enrollment, None)

        story = play(service, cast([lonely, person("bob", 2)]))

        assert story.enrolled == ["ann", "bob"]
        assert expected(story.lines, IDENTIFY) == Tally(1, 1)

    def test_a_strip_that_cannot_be_used_is_told_and_not_asked_for_again(self, service):
        story = play(service, cast([person("ann", 0), person("bob", 2)]))

        assert story.not_enrolled == {"ann": "signal_flat: The strip is constant."}
        assert expected(story.lines, IDENTIFY) == Tally(1, 1)

    def test_a_probe_that_cannot_be_used_is_a_mated_non_match(self, service):
        story = play(service, cast([person("ann", 1, probe=0), person("bob", 2)]))

        line = next(line for line in story.lines if line.step == IDENTIFY)
        assert (line.answer, line.as_expected) == ("signal_flat", False)
        assert sorted(story.scores.mated) == [float("-inf"), 30.0]

    def test_scores_of_all_candidates_are_counted_once(self, service):
        story = play(service, cast([person("ann", 1), person("bob", 2, probe=1)], [person("zoe", 9)]))

        assert story.scores.mated == [30.0, -10.0]
        assert sorted(story.scores.non_mated) == [-10.0, -10.0, -10.0, 30.0]
        assert story.scores.false_matches == 1

    def test_the_stricter_policies_are_asked_for(self, service):
        story = play(service, cast([person("ann", 1)]))

        asked = [body.get("fmr") for path, body in service.requests if path == "/verify"]
        assert asked[:3] == [None, STRICT_FMR, None]
        unreachable = next(line for line in story.lines if line.step == UNREACHABLE)
        assert (unreachable.answer, unreachable.shortfall_db, unreachable.further_seconds) == (
            "non-match",
            40.0,
            9.0,
        )

    def test_the_stricter_search_is_asked_for_and_not_counted(self, service):
        story = play(service, cast([person("ann", 1), person("bob", 2)]))

        asked = [body.get("fpir") for path, body in service.requests if path == "/identify"]
        assert asked == [None, None, STRICT_FPIR, STRICT_FPIR, None, None]
        assert len(story.scores.mated) == 2

    def test_the_short_probe_is_short(self, service):
        play(service, cast([person("ann", 1)]))

        lengths = [
            len(body["recordings"][0]["signal"]) for path, body in service.requests if path == "/verify"
        ]
        assert lengths[:3] == [8, 8, SHORT_S]

    def test_the_largest_change_under_inversion_is_kept(self, service):
        service.inversion_error_db = -0.5

        story = play(service, cast([person("ann", 1), person("bob", 2)]))

        assert story.largest_change_db == pytest.approx(0.5)

    def test_a_gallery_that_exists_is_left_alone(self, service):
        with pytest.raises(DemoError, match="409 gallery_exists"):
            play(service, cast([person("ann", 1)]), gallery="default")

        assert service.enrolled == {}

    def test_a_refusal_that_is_no_verdict_on_a_recording_ends_the_demo(self, service):
        with pytest.raises(DemoError, match="401 invalid_credentials: No such key"):
            play(service, cast([person("ann", 1)]), key="pp_wrong_key")


class TestWaitUntilReady:
    def wait(self, service: FakeService, check_alive=lambda: None):
        pauses: list[float] = []
        with httpx.Client(base_url="http://demo", transport=service.transport) as client:
            Service(client).wait_until_ready(check_alive, pause=pauses.append)
        return pauses

    def test_returns_as_soon_as_the_service_is_ready(self, service):
        service.not_ready = 3

        assert len(self.wait(service)) == 3

    def test_gives_up_after_a_minute(self, service):
        service.not_ready = 10**6

        with pytest.raises(DemoError, match="not ready after 60 s: 503"):
            self.wait(service)

    def test_a_server_that_died_is_not_waited_for(self, service):
        def dead():
            raise DemoError("The server stopped.")

        with pytest.raises(DemoError, match="stopped"):
            self.wait(service, check_alive=dead)

    def test_connection_errors_are_waited_out(self):
        answers = iter([httpx.ConnectError("refused"), httpx.Response(200, json={})])

        def answer(request):
            result = next(answers)
            if isinstance(result, Exception):
                raise result
            return result

        with httpx.Client(base_url="http://demo", transport=httpx.MockTransport(answer)) as client:
            Service(client).wait_until_ready(lambda: None, pause=lambda seconds: None)


class TestServiceErrors:
    @pytest.mark.parametrize(
        ("response", "message"),
        [
            (httpx.Response(200, text="<html>"), "a body that is no JSON"),
            (httpx.Response(500, json={"code": "internal_error", "title": "Oh."}), "500 internal_error: Oh."),
        ],
    )
    def test_answers_that_are_not_of_the_contract_end_the_demo(self, response, message):
        transport = httpx.MockTransport(lambda request: response)

        with (
            httpx.Client(base_url="http://demo", transport=transport) as client,
            pytest.raises(DemoError, match=message),
        ):
            Service(client).post("/verify", {})

    def test_a_lost_connection_ends_the_demo(self):
        def lost(request):
            raise httpx.ReadError("connection reset")

        with (
            httpx.Client(base_url="http://demo", transport=httpx.MockTransport(lost)) as client,
            pytest.raises(DemoError, match="POST /verify: connection reset"),
        ):
            Service(client).post("/verify", {})
