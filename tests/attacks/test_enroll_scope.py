"""From the scope `enroll` to somebody else's name: every way that was thought of, tried by strangers."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from app.domain.subjects import Scope
from tests.api.application import Api
from tests.attacks.climber import FS_HZ, mean_beat, strip_of
from tests.attacks.crowd import Crowd, Person, cut, enrollment, matches, recording, verify

pytestmark = pytest.mark.real_data

LONG = os.environ.get("PULSEPRINT_ATTACKS") == "long"
CONSENT = {"text_id": "forged", "given_at": "2026-11-20T09:30:00Z"}


@pytest.fixture
def key(attacked: Api) -> str:
    """All that the attacker has."""
    return attacked.new_key(Scope.ENROLL)


@pytest.fixture(scope="module")
def victim(attacked: Api, crowd: Crowd) -> Person:
    """Somebody enrolled in lead I whose second recording may be added: only a stranger's can be at fault."""
    for person in crowd.enrolled:
        assert attacked.delete(f"/subjects/{person.name}").status_code == 204
        enrolled = enrollment(person.name, [recording(person.first, lead="I")])
        assert attacked.post("/enroll", enrolled).status_code == 201
        added = enrollment(person.name, genuine(person, lead="I"))
        if attacked.post("/enroll", added, key=attacked.new_key(Scope.ENROLL)).status_code == 201:
            return person
    raise AssertionError


def genuine(person: Person, **more: Any) -> list[dict[str, Any]]:
    """The second recording, as an attacker may have come by it, in two halves."""
    assert person.second is not None
    halves = (cut(person.second, start, 10) for start in (0, 10))
    return [recording(half, person.second.fs_hz, **more) for half in halves]


def references(api: Api, subject_id: str) -> int:
    return int(api.get(f"/subjects/{subject_id}").json()["references"])


def is_mismatch(answer: httpx.Response) -> bool:
    return answer.status_code == 422 and answer.json()["code"] == "reference_mismatch"


Recording = dict[str, Any]
WAYS: dict[str, Callable[[Recording, list[Recording]], list[Recording]]] = {
    "alone": lambda own, genuine: [own],
    "beside genuine recordings": lambda own, genuine: [*genuine, own],
    "first of all": lambda own, genuine: [own, *genuine],
    "as another lead beside a genuine one": lambda own, genuine: [*genuine, {**own, "lead": "II"}],
    "as the same lead": lambda own, genuine: [*genuine, {**own, "lead": "I"}],
    "as every lead": lambda own, genuine: [
        *genuine, *({**own, "lead": lead} for lead in ("I", "II", "III", "aVR", "aVL", "aVF", "V1")),
    ],
    "as a session of its own": lambda own, genuine: [
        *({**one, "captured_at": "2026-11-01T08:00:00Z"} for one in genuine),
        {**own, "captured_at": "2026-11-02T08:00:00Z"},
    ],
}  # fmt: skip


class TestAdding:
    @pytest.mark.parametrize("way", WAYS)
    def test_a_strangers_strip_gets_in_in_no_way(self, attacked, crowd, victim, key, way):
        had = references(attacked, victim.name)
        all_of_them = LONG or way == "as another lead beside a genuine one"
        strangers = crowd.strangers if all_of_them else crowd.strangers[:6]

        answers = [
            attacked.post(
                "/enroll",
                enrollment(victim.name, WAYS[way](recording(person.first), genuine(victim, lead="I"))),
                key=key,
            )
            for person in strangers
        ]

        assert [person.name for person, a in zip(strangers, answers, strict=True) if not is_mismatch(a)] == []
        assert references(attacked, victim.name) == had

    def test_consent_stays_what_it_was(self, attacked, crowd, victim, key):
        own = [*genuine(victim, lead="I"), recording(crowd.strangers[0].first, lead="II")]

        assert is_mismatch(attacked.post("/enroll", enrollment(victim.name, own, consent=CONSENT), key=key))
        assert attacked.get(f"/subjects/{victim.name}").json().get("consent") is None

    def test_nobody_but_an_admin_may_force_it(self, attacked, crowd, victim, key):
        body = enrollment(victim.name, [recording(crowd.strangers[0].first)], force=True)

        assert attacked.post("/enroll", body, key=key).status_code == 403

    def test_a_name_that_only_looks_alike_is_another_subject_or_none(self, attacked, crowd, victim, key):
        own = [recording(crowd.strangers[0].first)]
        had = references(attacked, victim.name)

        upper, cyrillic, ended = (
            attacked.post("/enroll", enrollment(name, own), key=key).status_code
            for name in (victim.name.upper(), victim.name.replace("p", "р"), f"{victim.name}\n")
        )

        assert (upper, cyrillic, ended) == (201, 422, 422)
        assert references(attacked, victim.name) == had
        assert not matches(verify(attacked, victim.name, own))


class TestMakingRoom:
    """To get rid of what is enrolled, and then to put one's own under the name."""

    def test_enroll_erases_nobody_and_nothing(self, attacked, crowd, victim, key):
        listed = attacked.get(f"/subjects/{victim.name}/references").json()["items"]

        refusals = [
            attacked.delete(path, key=key).status_code
            for path in (
                f"/subjects/{victim.name}",
                *(f"/subjects/{victim.name}/references/{one['id']}" for one in listed),
                "/galleries/default",
            )
        ]

        assert refusals == [403] * (2 + len(listed))

    def test_nor_do_all_scopes_but_erase_and_admin(self, attacked, victim):
        key = attacked.new_key(*(set(Scope) - {Scope.ERASE, Scope.ADMIN}))

        assert attacked.delete(f"/subjects/{victim.name}", key=key).status_code == 403

    def test_nobody_but_an_admin_adds_to_an_emptied_subject(self, attacked_anew, crowd):
        api, emptied, stranger = attacked_anew, crowd.enrolled[1], crowd.strangers[0]
        for one in api.get(f"/subjects/{emptied.name}/references").json()["items"]:
            path = f"/subjects/{emptied.name}/references/{one['id']}"
            assert api.delete(path, key=api.new_key(Scope.ERASE)).status_code == 204
        key = api.new_key(*(set(Scope) - {Scope.ADMIN}))

        for body in (
            enrollment(emptied.name, [recording(stranger.first)]),
            enrollment(emptied.name, [recording(emptied.first)]),
        ):
            assert is_mismatch(api.post("/enroll", body, key=key))
        forced = enrollment(emptied.name, [recording(emptied.first)], force=True)
        assert api.post("/enroll", forced).status_code == 201
        assert not matches(verify(api, emptied.name, [recording(stranger.first)]))

    def test_a_repeated_request_does_not_bring_back_who_was_under_the_name(self, attacked_anew, crowd):
        api, stranger, rightful = attacked_anew, crowd.strangers[0], crowd.strangers[1]
        key = api.new_key(Scope.ENROLL)
        own = enrollment("operator", [recording(stranger.first)])
        again = {"Idempotency-Key": "once more"}
        assert api.post("/enroll", own, key=key, headers=again).status_code == 201
        assert api.delete("/subjects/operator").status_code == 204
        body = enrollment("operator", [recording(rightful.first)])
        assert api.post("/enroll", body).status_code == 201

        assert is_mismatch(api.post("/enroll", own, key=key, headers=again))
        assert references(api, "operator") == 1


class TestBlends:
    """Strips between somebody's heartbeat and one's own: each that is added would move the templates on."""

    PAIRS, DAYS = (range(10), 12) if LONG else ((9,), 5)
    SHARES = (1.0, 0.9, 0.7, 0.5, 0.4, 0.3, 0.2, 0.1)

    @pytest.mark.parametrize("pair", PAIRS)
    def test_do_not_lead_from_one_person_to_another(self, attacked, crowd, key, pair):
        victim, attacker = crowd.enrolled[20 + pair], crowd.strangers[pair]
        theirs, own = mean_beat(victim.second), mean_beat(attacker.first)

        def strip(share: float, seed: int) -> Recording:
            made = strip_of((1.0 - share) * theirs + share * own, 20.0, seed)
            return recording(made, FS_HZ, captured_at=f"2026-10-{seed:02d}T08:00:00Z")

        reached = 0.0
        for day in range(1, self.DAYS + 1):
            for share in self.SHARES:
                body = enrollment(victim.name, [strip(share, day)])
                if attacked.post("/enroll", body, key=key).status_code == 201:
                    reached = max(reached, share)
                    break

        assert reached < 0.7
        assert not matches(verify(attacked, victim.name, [strip(1.0, 31)]))
        assert not matches(verify(attacked, victim.name, [recording(attacker.first)]))
