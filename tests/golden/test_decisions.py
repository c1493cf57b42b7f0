"""The service goes on deciding as it did when every search compared a probe with everybody."""

import json
import shutil

import pytest

from tests.golden.decisions import CONVERSATIONS, DECISIONS, ONLY_DECISIONS, differences, replay

GOLDEN = json.loads(DECISIONS.read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=list(GOLDEN))
def conversation(request, sqlite_template, tmp_path_factory):
    """Its name, and what is answered now."""
    path = tmp_path_factory.mktemp("decisions") / "pulseprint.db"
    shutil.copyfile(sqlite_template, path)
    return request.param, replay(request.param, f"sqlite:///{path}")


class TestDecisions:
    def test_every_conversation_is_kept(self):
        assert set(GOLDEN) == set(CONVERSATIONS)

    def test_the_same_is_sent(self, conversation):
        name, found = conversation

        assert list(found) == list(GOLDEN[name])

    def test_the_same_is_answered(self, conversation):
        name, found = conversation
        measurements = name not in ONLY_DECISIONS

        changed = {
            exchange: unlike
            for exchange, kept in GOLDEN[name].items()
            if (unlike := differences(kept, found[exchange], measurements=measurements))
        }

        assert not changed


KEPT = {"decision": "match", "score": 31.0, "candidates": [{"rank": 1, "distance": 0.25}]}


class TestDifferences:
    @pytest.mark.parametrize(
        "found",
        [
            {**KEPT, "score": 31.0009},
            {**KEPT, "candidates": [{"rank": 1, "distance": 0.250009}]},
        ],
    )
    def test_rounding_is_none(self, found):
        assert not differences(KEPT, found)

    @pytest.mark.parametrize(
        "found",
        [
            {**KEPT, "decision": "non_match"},
            {**KEPT, "score": 31.0011},
            {**KEPT, "score": None},
            {**KEPT, "reasons": []},
            {**KEPT, "candidates": []},
            {**KEPT, "candidates": [{"rank": 2, "distance": 0.25}]},
            {**KEPT, "candidates": [{"rank": 1, "distance": 0.25002}]},
        ],
    )
    def test_anything_else_is_one(self, found):
        assert len(differences(KEPT, found)) == 1

    def test_without_measurements_decisions_count(self):
        other = {**KEPT, "score": 12.0}

        assert not differences(KEPT, other, measurements=False)
        assert differences(KEPT, {**other, "decision": "non_match"}, measurements=False)
