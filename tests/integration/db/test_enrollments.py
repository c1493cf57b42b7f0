"""What an enrollment asks and files: the same as one by one, whoever comes in between."""

from threading import Event, Thread
from uuid import UUID

import pytest

from app.adapters.db.unit_of_work import SqlStore
from app.domain.ports.enrollments import Claim
from app.domain.references import Modality
from app.domain.subjects import Consent
from tests.stored import NOW, a_gallery, a_reference, a_subject, a_transform, later

GALLERY = a_gallery()
ANNA = a_subject(GALLERY, 100, consent=Consent("terms", NOW))
NEW = UUID(int=77)
ECG = (Modality.ECG, "fake@1")

BLOCKED_S = 0.3  # How long a thread must not get ahead to count as waiting.
DONE_S = 20.0


@pytest.fixture
def store(store: SqlStore) -> SqlStore:
    """With an empty gallery, and another one beside it that is not asked for."""
    other = a_gallery(2, "other")
    with store.writing() as uow:
        for gallery in (GALLERY, other):
            uow.galleries.add(gallery)
        uow.transforms.add(a_transform(other, 99, wrapped_matrix=b"the other gallery's"))
        uow.subjects.add(a_subject(other, 200, subject_id=ANNA.subject_id))
    return store


def claim(store: SqlStore, subject_id: str = ANNA.subject_id, gallery: str = "default") -> Claim | None:
    with store.writing() as uow:
        return uow.enrollments.claim(gallery, subject_id, NEW)


class SecondEnrollment:
    """A thread that claims the gallery for Anna, and waits for whoever holds it."""

    def __init__(self, store: SqlStore) -> None:
        self.started, self.claimed = Event(), Event()
        self.claim: Claim | None = None
        self._thread = Thread(target=self._run, args=(store,))
        self._thread.start()
        self.started.wait(DONE_S)

    def _run(self, store: SqlStore) -> None:
        self.started.set()
        self.claim = claim(store)
        self.claimed.set()

    def found(self) -> Claim:
        self._thread.join(DONE_S)
        assert self.claim is not None
        return self.claim


class TestClaim:
    def test_it_takes_the_next_revision_and_files_the_change_under_it(self, store):
        first, second = claim(store), claim(store)

        with store.reading() as uow:
            assert (first.revision, second.revision) == (1, 2)
            assert uow.changes.since(GALLERY.uuid, 0) == [(1, NEW), (2, NEW)]
            assert uow.galleries.revision(GALLERY.uuid) == 2
            assert uow.galleries.by_name("other").revision == 0

    def test_the_gallery_is_as_it_was_last_committed(self, store):
        claim(store)
        with store.reading() as uow:
            committed = uow.galleries.by_name("default")

        assert claim(store).gallery == committed

    def test_an_empty_gallery_holds_nothing_under_the_name(self, store):
        found = claim(store)

        assert (found.subject, found.transforms) == (None, {})

    def test_it_finds_who_is_enrolled_under_the_name(self, store):
        with store.writing() as uow:
            uow.subjects.add_all([ANNA, a_subject(GALLERY, 101)])

        assert claim(store).subject == ANNA
        assert claim(store, "operator-101").subject == a_subject(GALLERY, 101)
        assert claim(store, "nobody").subject is None

    def test_it_finds_the_newest_transform_of_each_encoder(self, store):
        newest = a_transform(GALLERY, 10, wrapped_matrix=b"key id and nonce ten")
        other = a_transform(GALLERY, 3, encoder="other@1", wrapped_matrix=b"key id and nonce 3rd")
        with store.writing() as uow:
            for transform in (newest, other, *(a_transform(GALLERY, version) for version in (2, 9))):
                uow.transforms.add(transform)

        found = claim(store)

        assert found.transforms == {ECG: newest, (Modality.ECG, "other@1"): other}
        assert found.subject is None

    def test_a_gallery_that_does_not_exist_is_none(self, store):
        assert claim(store, gallery="nowhere") is None

    def test_a_rollback_leaves_no_gap(self, store):
        def change_its_mind() -> None:
            with store.writing() as uow:
                uow.enrollments.claim("default", "anybody", ANNA.uuid)
                raise RuntimeError

        with pytest.raises(RuntimeError):
            change_its_mind()

        assert claim(store).revision == 1
        with store.reading() as uow:
            assert uow.changes.since(GALLERY.uuid, 0) == [(1, NEW)]


class TestInterleaved:
    """On PostgreSQL a statement that waited for a lock still sees what was there before it waited."""

    def test_the_second_waits_and_finds_whom_the_first_enrolled(self, store):
        with store.writing() as uow:
            uow.enrollments.claim("default", ANNA.subject_id, ANNA.uuid)
            second = SecondEnrollment(store)
            overtaken = second.claimed.wait(BLOCKED_S)
            uow.enrollments.add(ANNA, [a_reference(ANNA)])

        found = second.found()

        assert not overtaken
        assert (found.subject, found.revision, found.gallery.revision) == (ANNA, 2, 1)

    def test_the_second_finds_the_transform_that_a_renewal_left(self, store):
        renewed = a_transform(GALLERY, 2, wrapped_matrix=b"key id and next nonce")
        with store.writing() as uow:
            uow.transforms.add(a_transform(GALLERY, 1))
        with store.writing() as uow:
            uow.changes.record(GALLERY.uuid, [])
            second = SecondEnrollment(store)
            second.claimed.wait(BLOCKED_S)
            uow.transforms.add(renewed)
            uow.transforms.remove_older(GALLERY.uuid, *ECG, 2)

        assert second.found().transforms == {ECG: renewed}

    def test_the_second_does_not_find_whom_the_first_erased(self, store):
        with store.writing() as uow:
            uow.subjects.add(ANNA)
        with store.writing() as uow:
            uow.changes.record(GALLERY.uuid, [ANNA.uuid])
            second = SecondEnrollment(store)
            second.claimed.wait(BLOCKED_S)
            uow.subjects.remove(ANNA.uuid)

        assert second.found().subject is None

    def test_a_gallery_that_goes_meanwhile_is_none(self, store):
        with store.writing() as uow:
            uow.changes.record(GALLERY.uuid, [])
            second = SecondEnrollment(store)
            second.claimed.wait(BLOCKED_S)
            uow.galleries.remove(GALLERY.uuid)

        assert second.claimed.wait(DONE_S)
        assert second.claim is None


class TestAdd:
    @pytest.mark.parametrize("count", [1, 2, 24])
    def test_a_subject_is_stored_with_all_its_references(self, store, count):
        references = [
            a_reference(ANNA, 1000 + number, created_at=later(number), captured_at=NOW)
            for number in range(count)
        ]

        with store.writing() as uow:
            uow.enrollments.claim("default", ANNA.subject_id, ANNA.uuid)
            uow.enrollments.add(ANNA, references)

        with store.reading() as uow:
            assert uow.subjects.by_name(GALLERY.uuid, ANNA.subject_id) == ANNA
            assert uow.references.of_subject(ANNA.uuid) == references
