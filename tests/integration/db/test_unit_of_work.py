"""Transactions as the services see them."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.domain.errors import ConflictError, PulseprintError
from tests.stored import a_gallery, a_subject

GALLERY = a_gallery()


class TestWriting:
    def test_leaving_cleanly_commits(self, store):
        with store.writing() as uow:
            uow.galleries.add(GALLERY)

        with store.reading() as uow:
            assert uow.galleries.by_name("default") == GALLERY

    def test_an_exception_rolls_everything_back(self, store):
        def fail_half_way() -> None:
            with store.writing() as uow:
                uow.galleries.add(GALLERY)
                uow.subjects.add(a_subject(GALLERY))
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail_half_way()

        with store.reading() as uow:
            assert uow.galleries.all() == []

    def test_one_creator_of_a_gallery_wins_and_the_others_learn_of_it(self, store):
        def create(number: int) -> str:
            try:
                with store.writing() as uow:
                    uow.galleries.add(a_gallery(number))
            except ConflictError as conflict:
                return conflict.code
            return "created"

        with ThreadPoolExecutor(4) as threads:
            outcomes = list(threads.map(create, range(1, 5)))

        assert sorted(outcomes) == ["created"] + ["gallery_exists"] * 3


class TestReading:
    def test_it_sees_one_snapshot_whatever_is_committed_beside_it(self, store):
        with store.writing() as uow:
            uow.galleries.add(GALLERY)

        with store.reading() as uow:
            before = uow.galleries.revision(GALLERY.uuid)
            with store.writing() as other:
                other.changes.record(GALLERY.uuid, [])
                other.subjects.add(a_subject(GALLERY))
            after = uow.galleries.revision(GALLERY.uuid)
            counts = uow.galleries.counts(GALLERY.uuid)

        assert (before, after, counts) == (0, 0, (0, 0))
        with store.reading() as uow:
            assert uow.galleries.revision(GALLERY.uuid) == 1

    def test_writes_are_refused(self, store):
        with pytest.raises(PulseprintError), store.reading() as uow:
            uow.galleries.add(GALLERY)

        with store.reading() as uow:
            assert uow.galleries.all() == []

    def test_a_connection_that_was_reading_can_write_again(self, store):
        with store.reading() as uow:
            uow.galleries.all()

        with store.writing() as uow:
            uow.galleries.add(GALLERY)

        with store.reading() as uow:
            assert len(uow.galleries.all()) == 1


class TestPing:
    def test_an_open_database_answers(self, store):
        store.ping()
