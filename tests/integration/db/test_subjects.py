"""Subjects in the database, and their erasure."""

from dataclasses import replace
from uuid import UUID

import pytest

from app.adapters.db.unit_of_work import SqlStore
from app.domain.errors import TemporaryError
from app.domain.ports.answers import StoredAnswer
from app.domain.ports.pages import PageCursor
from app.domain.subjects import Consent
from tests.stored import NOW, a_gallery, a_reference, a_subject, later

GALLERY, OTHER = a_gallery(1), a_gallery(2, "other")


@pytest.fixture
def store(store: SqlStore) -> SqlStore:
    """With two empty galleries."""
    with store.writing() as uow:
        uow.galleries.add(GALLERY)
        uow.galleries.add(OTHER)
    return store


class TestAdd:
    @pytest.mark.parametrize("consent", [None, Consent("terms-3", later(-60))], ids=["without", "with"])
    def test_a_subject_comes_back_with_and_without_consent(self, store, consent):
        subject = a_subject(GALLERY, consent=consent)

        with store.writing() as uow:
            uow.subjects.add(subject)

        with store.reading() as uow:
            assert uow.subjects.by_name(GALLERY.uuid, subject.subject_id) == subject

    def test_galleries_do_not_share_names(self, store):
        mine, theirs = a_subject(GALLERY, 1, subject_id="op"), a_subject(OTHER, 2, subject_id="op")

        with store.writing() as uow:
            uow.subjects.add_all([mine, theirs])

        with store.reading() as uow:
            assert uow.subjects.by_name(GALLERY.uuid, "op") == mine
            assert uow.subjects.by_name(OTHER.uuid, "op") == theirs
            assert uow.subjects.by_name(OTHER.uuid, "OP") is None

    def test_the_loser_of_a_race_is_told_to_try_again(self, store):
        with store.writing() as uow:
            uow.subjects.add(a_subject(GALLERY, 1, subject_id="op"))

        with pytest.raises(TemporaryError) as refused, store.writing() as uow:
            uow.subjects.add(a_subject(GALLERY, 2, subject_id="op"))

        assert refused.value.code == "store_unavailable"

    def test_nobody_is_added_in_no_time(self, store):
        with store.writing() as uow:
            uow.subjects.add_all([])

        with store.reading() as uow:
            assert uow.galleries.counts(GALLERY.uuid) == (0, 0)


class TestHasMoreSubjectsThan:
    @pytest.mark.parametrize(("limit", "more"), [(0, True), (2, True), (3, False), (4, False)])
    def test_it_tells_whether_the_gallery_itself_exceeds_the_limit(self, store, limit, more):
        with store.writing() as uow:
            uow.subjects.add_all([a_subject(GALLERY, number) for number in (1, 2, 3)])
            uow.subjects.add_all([a_subject(OTHER, number) for number in (4, 5, 6)])

        with store.reading() as uow:
            assert uow.galleries.has_more_subjects_than(GALLERY.uuid, limit) is more


class TestByUuids:
    @pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 5000])
    def test_those_of_the_gallery_are_found_each_once(self, store, count):
        subjects = [a_subject(GALLERY, number) for number in range(1, count + 1)]
        stranger = a_subject(OTHER, 99_999)
        with store.writing() as uow:
            uow.subjects.add_all([*subjects, stranger])

        wanted = [subject.uuid for subject in subjects] + [stranger.uuid, UUID(int=77_777)]
        with store.reading() as uow:
            found = uow.subjects.by_uuids(GALLERY.uuid, wanted)

        assert sorted(found, key=lambda subject: subject.uuid) == subjects


class TestPage:
    def test_pages_follow_each_other_in_order_of_time_and_uuid(self, store):
        subjects = [
            a_subject(GALLERY, 5),
            a_subject(GALLERY, 6),
            a_subject(GALLERY, 1, created_at=later(1)),
            a_subject(GALLERY, 2, created_at=later(2)),
        ]
        with store.writing() as uow:
            uow.subjects.add_all([*reversed(subjects), a_subject(OTHER, 7)])

        pages, after = [], None
        with store.reading() as uow:
            while page := uow.subjects.page(GALLERY.uuid, after, 1):
                pages.extend(page)
                after = PageCursor(page[-1].created_at, page[-1].uuid)

        assert pages == subjects


class TestSetConsent:
    def test_it_is_replaced(self, store):
        subject = a_subject(GALLERY, consent=Consent("old", NOW))
        with store.writing() as uow:
            uow.subjects.add(subject)
        renewed = replace(subject, consent=Consent("new", later(5)))

        with store.writing() as uow:
            uow.subjects.set_consent(renewed)

        with store.reading() as uow:
            assert uow.subjects.by_name(GALLERY.uuid, subject.subject_id) == renewed


class TestRemove:
    def test_row_references_data_key_and_answers_go_and_the_others_stay(self, store, engine):
        erased, kept = (
            a_subject(GALLERY, number, wrapped_key=f"data key {number}".encode()) for number in (1, 2)
        )
        with store.writing() as uow:
            uow.subjects.add_all([erased, kept])
            for subject in (erased, kept):
                number = subject.uuid.int
                uow.references.add_all([a_reference(subject, 10 * number + n) for n in range(3)])
                uow.answers.add(
                    StoredAnswer("id", "POST", "/enroll", str(number), b"h", 201, b"{}", subject.uuid, NOW)
                )

        with store.writing() as uow:
            uow.subjects.remove(erased.uuid)

        with store.reading() as uow:
            assert uow.subjects.by_name(GALLERY.uuid, erased.subject_id) is None
            assert uow.references.of_subject(erased.uuid) == []
            assert uow.answers.get("id", "POST", "/enroll", "1") is None
            assert uow.subjects.by_name(GALLERY.uuid, kept.subject_id) == kept
            assert len(uow.references.of_subject(kept.uuid)) == 3
            assert uow.answers.get("id", "POST", "/enroll", "2") is not None
        assert b"data key 1" not in everything_in(engine)
        assert b"data key 2" in everything_in(engine)


def everything_in(engine) -> bytes:
    """All values of the subjects' table, one after the other."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT wrapped_key FROM subjects").all()
    return b"".join(bytes(row[0]) for row in rows)
