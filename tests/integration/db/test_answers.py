"""Stored answers to idempotent requests."""

from dataclasses import replace
from uuid import UUID

import pytest

from app.domain.errors import ConflictError
from app.domain.ports.answers import StoredAnswer
from tests.stored import NOW, later

ANSWER = StoredAnswer("client", "POST", "/enroll", "key-1", b"\x01" * 32, 201, b'{"a": 1}', UUID(int=1), NOW)


def add(store, *answers: StoredAnswer) -> None:
    with store.writing() as uow:
        for answer in answers:
            uow.answers.add(answer)


class TestAnswers:
    @pytest.mark.parametrize(
        "answer", [ANSWER, replace(ANSWER, subject_uuid=None, body=b"")], ids=["of", "of none"]
    )
    def test_an_answer_comes_back(self, store, answer):
        add(store, answer)

        with store.reading() as uow:
            assert uow.answers.get("client", "POST", "/enroll", "key-1") == answer

    @pytest.mark.parametrize(
        "change", [{"client_id": "x"}, {"method": "x"}, {"path": "x"}, {"key": "x"}], ids=str
    )
    def test_client_method_path_and_key_tell_answers_apart(self, store, change):
        other = replace(ANSWER, **change)
        names = (other.client_id, other.method, other.path, other.key)
        add(store, ANSWER)

        with store.reading() as uow:
            before = uow.answers.get(*names)
        add(store, other)

        with store.reading() as uow:
            assert before is None
            assert uow.answers.get(*names) == other

    def test_who_answers_second_learns_of_it(self, store):
        add(store, ANSWER)

        with pytest.raises(ConflictError):
            add(store, replace(ANSWER, body=b"other"))

        with store.reading() as uow:
            assert uow.answers.get("client", "POST", "/enroll", "key-1") == ANSWER

    def test_old_ones_are_pruned(self, store):
        young = replace(ANSWER, key="young", created_at=later(1))
        add(store, ANSWER, young)

        with store.writing() as uow:
            pruned = uow.answers.prune(older_than=later(1))

        with store.reading() as uow:
            assert pruned == 1
            assert uow.answers.get("client", "POST", "/enroll", "key-1") is None
            assert uow.answers.get("client", "POST", "/enroll", "young") == young
