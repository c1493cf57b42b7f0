"""Climbing to a match by what non-matches tell."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from app.domain.subjects import Scope
from tests.api.application import Api
from tests.attacks.climber import FS_HZ, Climb, Climber, PublicBeats
from tests.attacks.crowd import Crowd, cut, enrollment, identify, recording, verify

pytestmark = pytest.mark.real_data

LONG = os.environ.get("PULSEPRINT_ATTACKS") == "long"
VICTIMS = range(10) if LONG else range(6, 8)  # Two towards whom the climber is quick, if it may see scores.
WITH_SCORES, WITHOUT, SEARCHING = (1200, 1200, 1200) if LONG else (200, 60, 60)
BY_CHANCE = 1 if LONG else 0  # Of 12 000 strips of as many made-up people; FMR 0.1 % would allow twelve.
ELSEWHERE = "elsewhere"


@pytest.fixture(scope="module")
def beats(data_dir) -> PublicBeats:
    return PublicBeats.read(data_dir)


@pytest.fixture(scope="module")
def elsewhere(attacked: Api, crowd: Crowd) -> Api:
    """With a second gallery of other people: what says the same there depends on the strip alone."""
    attacked.post("/galleries", {"name": ELSEWHERE})
    for person in crowd.strangers[:5]:
        body = enrollment(person.name, [recording(person.first)], gallery=ELSEWHERE)
        assert attacked.post("/enroll", body).status_code == 201
    return attacked


@pytest.fixture(scope="module")
def lengths(attacked: Api, crowd: Crowd) -> Api:
    """Two subjects, and two leads of a third one, enrolled with strips of different lengths."""
    attacked.post("/galleries", {"name": "lengths"})
    one, two = (person.first for person in crowd.strangers[:2])
    short, long = cut(one, 0, 4), two
    for name, recordings in (
        ("short", [recording(short, one.fs_hz)]),
        ("long", [recording(long)]),
        ("leads", [recording(short, one.fs_hz, "I"), recording(long, lead="II")]),
    ):
        body = enrollment(name, recordings, gallery="lengths")
        assert attacked.post("/enroll", body).status_code == 201
    return attacked


def verifier(api: Api, victim: str, key: str) -> Callable[[Any], dict[str, Any]]:
    return lambda strip: verify(api, victim, [recording(strip, FS_HZ)], key=key).json()


def identifier(api: Api, gallery: str, key: str) -> Callable[[Any], dict[str, Any]]:
    body = {"key": key, "gallery": gallery, "max_candidates": 100}
    return lambda strip: identify(api, [recording(strip, FS_HZ)], **body).json()


def matched(answer: dict[str, Any]) -> bool:
    return answer.get("decision") == "match"


def climbs(
    api: Api, crowd: Crowd, beats: PublicBeats, *scopes: Scope, queries: int, roams: bool = True
) -> list[Climb]:
    """One climb towards each victim through /verify."""
    key = api.new_key(*scopes)
    found = []
    for number in VICTIMS:
        victim, another = (crowd.enrolled[i].name for i in (number, number + 10))
        climber = Climber(
            beats,
            verifier(api, victim, key),
            verifier(api, another, key),
            matched,
            seed=number,
            roams=roams,
        )
        found.append(climber.climb(queries))
    return found


def search(api: Api, beats: PublicBeats, *scopes: Scope) -> Climb:
    """The same through /identify, where anybody will do."""
    key = api.new_key(*scopes)
    ask, ask_elsewhere = (identifier(api, gallery, key) for gallery in ("default", ELSEWHERE))
    return Climber(beats, ask, ask_elsewhere, matched).climb(SEARCHING)


def reached(found: list[Climb]) -> int:
    return sum(climb.matched_after is not None for climb in found)


class TestWithScores:
    """The same climber arrives where it may see scores: what stops it below is that they are withheld."""

    def test_verify_is_climbed(self, attacked, crowd, beats):
        found = climbs(attacked, crowd, beats, Scope.VERIFY, Scope.READ_SCORES, queries=WITH_SCORES)

        assert reached(found) >= len(VICTIMS) / 2, found

    def test_identify_has_something_to_follow(self, elsewhere, beats):
        found = search(elsewhere, beats, Scope.IDENTIFY, Scope.READ_SCORES)

        assert "/score" in found.followed


class TestWithoutScores:
    @pytest.mark.parametrize("roams", [False, True], ids=["from one beat", "through all beats"])
    def test_verify_alone_leads_nowhere(self, attacked, crowd, beats, roams):
        found = climbs(attacked, crowd, beats, Scope.VERIFY, queries=WITHOUT, roams=roams)

        assert {climb.followed for climb in found} == {()}
        assert reached(found) <= (BY_CHANCE if roams else 0)

    @pytest.mark.parametrize("more", [(), (Scope.READ,)], ids=["alone", "with read"])
    def test_identify_leads_nowhere(self, elsewhere, beats, more):
        assert search(elsewhere, beats, Scope.IDENTIFY, *more) == Climb(None, ())

    def test_identify_alone_lists_nobody_who_does_not_match(self, attacked, crowd):
        key = attacked.new_key(Scope.IDENTIFY)

        answers = [
            identify(attacked, [recording(person.first)], key=key, max_candidates=100).json()
            for person in crowd.strangers[:10]
        ]

        found = [answer["candidates"] for answer in answers if answer["decision"] == "non_match"]
        assert len(found) >= 8
        assert not any(found)


class TestThresholdOfANonMatch:
    """It depends on the seconds of the pair compared, and so would tell which pair that was."""

    def thresholds(self, api: Api, crowd: Crowd, *scopes: Scope) -> tuple[set[float], set[float]]:
        """Of non-matches of a search, and of a verification of the subject with two leads."""
        key = api.new_key(Scope.IDENTIFY, Scope.VERIFY, *scopes)
        found: tuple[set[float], set[float]] = set(), set()
        for person in crowd.strangers[2:12]:
            probe = [recording(person.first)]
            searched = identify(api, probe, key=key, gallery="lengths").json()
            verified = verify(api, "leads", probe, key=key, gallery="lengths").json()
            for answer, seen in zip((searched, verified), found, strict=True):
                if answer["decision"] == "non_match":
                    seen.add(answer["threshold"])
        return found

    def test_varies_with_who_came_nearest_where_scores_may_be_seen(self, lengths, crowd):
        searched, verified = self.thresholds(lengths, crowd, Scope.READ_SCORES)

        assert min(len(searched), len(verified)) > 1

    def test_is_one_for_all_probes_of_a_length_without(self, lengths, crowd):
        searched, verified = self.thresholds(lengths, crowd)

        assert (len(searched), len(verified)) == (1, 1)
