from __future__ import annotations

import httpx
import pytest

from app.demo.modalities import Combination, ModalityStory, combinations_of, modality_table
from app.demo.recordings import Picture, Strip
from app.demo.report import Tally
from app.demo.service import Service
from app.demo.story import STRICT_FMR, STRICT_FPIR, Story
from tests.unit.app.demo.demo_fakes import FakeService, cast, person, with_picture


def play(service: FakeService, cast_) -> ModalityStory:
    headers = {"Authorization": "Bearer pp_demo_key"}
    with httpx.Client(base_url="http://demo", headers=headers, transport=service.transport) as client:
        story = Story(Service(client), cast_, "demo", track=lambda step, people: people)
        story.play()
        service.requests.clear()
        modalities = ModalityStory(
            Service(client), cast_, "demo", lambda step, people: people, story.enrolled
        )
        modalities.play()
    return modalities


@pytest.fixture
def service():
    return FakeService()


@pytest.fixture
def two_modalities():
    members = [with_picture(person("ann", 1), 1), with_picture(person("bob", 2), 2)]
    return cast(members, [with_picture(person("zoe", 9), 9)])


class TestCombinations:
    def test_each_alone_then_pairs_then_all_then_each_spoiled(self):
        names = [combination.name for combination in combinations_of(["ecg", "fingerprint"])]

        assert names == [
            "ecg",
            "fingerprint",
            "ecg + fingerprint",
            "ecg (spoiled) + fingerprint",
            "ecg + fingerprint (spoiled)",
        ]

    def test_a_spoiled_recording_holds_nothing_of_the_person(self):
        somebody = with_picture(person("ann", 1), 1)

        strip, picture = Combination(("ecg", "fingerprint"), spoiled="ecg").of(somebody)

        assert len(strip.signal) == len(somebody.probe.signal)
        assert not set(strip.signal) & set(somebody.probe.signal)
        assert picture is somebody.pictures[0]
        assert picture.spoiled().image != picture.image


class TestModalityStory:
    def test_everybody_is_recognized_by_every_combination(self, service, two_modalities):
        rows = play(service, two_modalities).rows

        assert len(rows) == 5
        assert {row.identified for row in rows} == {row.verified for row in rows} == {Tally(2, 2)}
        assert {row.strangers_rejected for row in rows} == {Tally(1, 1)}
        assert {row.false_claims_rejected for row in rows} == {Tally(1, 1)}

    def test_the_default_policy_is_asked_for(self, service, two_modalities):
        play(service, two_modalities)

        asked = [body for path, body in service.requests if path in ("/verify", "/identify")]
        assert {body.get("fmr", STRICT_FMR) for body in asked} == {STRICT_FMR}
        assert {body.get("fpir", STRICT_FPIR) for body in asked} == {STRICT_FPIR}

    def test_a_stranger_who_matches_is_counted(self, service):
        members = [with_picture(person("ann", 1), 1)]

        rows = play(service, cast(members, [with_picture(person("zoe", 1), 1)])).rows

        assert {row.strangers_rejected for row in rows} == {Tally(0, 1)}

    @pytest.mark.parametrize("served", [["ecg"], ["face", "ecg"]])
    def test_a_modality_that_is_not_served_is_left_out(self, service, two_modalities, served):
        service.served = served

        assert play(service, two_modalities).rows == []

    def test_ecg_alone_needs_no_table(self, service):
        assert play(service, cast([person("ann", 1)], [person("zoe", 9)])).rows == []

    def test_the_table_has_a_row_for_each_combination(self, service, two_modalities):
        rows = play(service, two_modalities).rows

        assert modality_table(rows).row_count == len(rows)


class TestPicture:
    def test_becomes_a_recording_of_the_contract(self):
        picture = Picture("fingerprint", b"abc", finger="right_index", dpi=500)

        assert picture.body() == {
            "modality": "fingerprint", "image_b64": "YWJj", "finger": "right_index", "dpi": 500,
        }  # fmt: skip
        assert Picture("face", b"abc").body() == {"modality": "face", "image_b64": "YWJj"}

    def test_shows_nothing_of_itself(self):
        assert "abc" not in repr(Picture("face", b"abc"))

    def test_noise_is_as_long_as_the_strip(self):
        assert len(Strip(250.0, [1.0] * 50).spoiled().signal) == 50
