"""Erasures that meet other requests."""

from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import pytest

from app.domain.errors import GalleryNotFoundError, SubjectNotFoundError
from app.services.enrollment import EnrollmentRequest
from app.services.idempotency import IdempotentRequest
from tests.integration.services.conftest import recording, told

DONE_S = 20.0
BLOCKED_S = 0.3  # How long a thread must not get ahead to count as waiting.


def request(method: str = "DELETE") -> IdempotentRequest:
    return IdempotentRequest("client", method, "/subjects/p1", "key-1", b"a" * 32)


class TestRepetition:
    def test_at_the_same_time_gets_the_stored_answer(self, replica):
        process = replica()
        process.enroll("p1", recording(1))
        erasure, caller = process.services.erasure, process.caller

        def erased_by_another_meanwhile():
            erasure.erase_subject(caller, "default", "p1", idempotent=request())
            return erasure.erase_subject(caller, "default", "p1")

        assert process.services.answers.once(request(), erased_by_another_meanwhile).status == 204

    def test_by_many_at_the_same_time_too(self, replica):
        process = replica()
        process.enroll("p1", recording(1))

        def erase(_: int) -> int:
            return process.services.erasure.erase_subject(
                process.caller, "default", "p1", idempotent=request()
            ).status

        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(erase, range(8))) == {204}

    def test_without_a_key_finds_nobody(self, replica):
        process = replica()
        process.enroll("p1", recording(1))
        process.services.erasure.erase_subject(process.caller, "default", "p1")

        with pytest.raises(SubjectNotFoundError):
            process.services.erasure.erase_subject(process.caller, "default", "p1")


class TestInterleaving:
    """On PostgreSQL writers meet in the middle of a transaction; on SQLite they stand in line."""

    def test_a_gallery_deleted_during_an_enrollment_leaves_no_answer(self, replica):
        process = replica()
        services, caller = process.services, process.caller
        services.galleries.create(caller, "gone", None)
        deletion = Thread(target=services.galleries.delete, args=(caller, "gone"))

        def delete_meanwhile(outcome):  # Called in the transaction that enrolls.
            deletion.start()
            deletion.join(BLOCKED_S)
            return told(outcome)

        services.enrollment.enroll(
            caller,
            EnrollmentRequest("gone", "p1", (recording(1),)),
            idempotent=request("POST"),
            render=delete_meanwhile,
        )
        deletion.join(DONE_S)

        with pytest.raises(GalleryNotFoundError):
            services.galleries.get(caller, "gone")
        assert services.answers.replay(request("POST")) is None

    def test_an_erased_subjects_uuid_is_never_used_again(self, replica):
        process = replica()
        process.enroll("p1", recording(1))
        before = uuid_of(process, "p1")
        store = process.services.enrollment._store
        enrollment = Thread(target=lambda: process.enroll("p1", recording(1, 1)))

        with store.writing() as uow:
            uow.changes.record(gallery_of(uow), [before])
            uow.subjects.remove(before)
            enrollment.start()
            enrollment.join(BLOCKED_S)
        enrollment.join(DONE_S)

        assert uuid_of(process, "p1") != before
        assert process.identify(recording(1, 7)).decision.subject_id == "p1"


def gallery_of(uow):
    return uow.galleries.by_name("default").uuid


def uuid_of(process, subject_id):
    with process.services.enrollment._store.reading() as uow:
        return uow.subjects.by_name(gallery_of(uow), subject_id).uuid
