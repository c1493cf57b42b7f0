"""A renewal of a gallery that goes on changing."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from tests.integration.services.conftest import PEOPLE, recording


@pytest.fixture
def enrolled(replica):
    process = replica()
    for person in range(PEOPLE):
        process.enroll(f"p{person}", recording(person))
    return process


class TestRenewal:
    def test_takes_along_what_changed_while_it_was_built(self, enrolled, replica):
        renewal, store = enrolled.services.galleries._renewal, enrolled.services.enrollment._store
        with store.reading() as uow:
            gallery = uow.galleries.by_name("default")
            built = renewal._build(uow, gallery)

        enrolled.enroll("late", recording(50))
        enrolled.enroll("p0", recording(0, 1))
        enrolled.services.erasure.erase_subject(enrolled.caller, "default", "p1")
        with store.writing() as uow:
            assert renewal._swap(uow, gallery, built)

        for process in (enrolled, replica()):
            outcome = process.identify(recording(50, 7), max_candidates=100)
            assert outcome.candidates[0].subject_id == "late"
            assert outcome.gallery_size == PEOPLE
            assert process.verify("p0", recording(0, 7)).decision == "match"
            assert process.verify("p2", recording(2, 7)).decision == "match"

    def test_one_that_another_overtook_changes_nothing(self, enrolled):
        renewal, store = enrolled.services.galleries._renewal, enrolled.services.enrollment._store
        with store.reading() as uow:
            gallery = uow.galleries.by_name("default")
            built = renewal._build(uow, gallery)

        enrolled.services.galleries.renew(enrolled.caller, "default")
        with store.writing() as uow:
            assert not renewal._swap(uow, gallery, built)

        assert enrolled.verify("p2", recording(2, 7)).decision == "match"

    def test_succeeds_beside_a_stream_of_enrollments(self, enrolled):
        enough = Event()

        def stream() -> int:
            count = 0
            while not enough.is_set():
                enrolled.enroll(f"n{count}", recording(100 + count % 50), force=True)
                count += 1
            return count

        with ThreadPoolExecutor(1) as pool:
            streaming = pool.submit(stream)
            try:
                for _ in range(10):
                    enrolled.services.galleries.renew(enrolled.caller, "default")
            finally:
                enough.set()
            added = streaming.result()

        assert enrolled.identify(recording(1, 7)).gallery_size == PEOPLE + added
