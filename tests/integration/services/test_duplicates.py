"""Does an enrollment say that the person may be enrolled under another name?"""

from app.domain.subjects import Scope
from app.services.enrollment import EnrollmentRequest
from app.services.idempotency import IdempotentRequest
from tests.integration.services.conftest import recording, told


class TestPossibleDuplicateOf:
    def test_nobody_else_is_nobody(self, replica):
        process = replica()
        process.enroll("p1", recording(1))

        assert process.enroll("p2", recording(2)).possible_duplicate_of == ()

    def test_the_same_person_under_another_name_is_told_to_admins(self, replica):
        process = replica()
        for person in range(1, 5):
            process.enroll(f"p{person}", recording(person))

        first, *_ = process.enroll("again", recording(3, 1)).possible_duplicate_of

        assert first == "p3"

    def test_what_another_process_enrolled_is_seen(self, replica):
        replica().enroll("p1", recording(1))

        assert replica().enroll("again", recording(1, 1)).possible_duplicate_of == ("p1",)

    def test_adding_to_oneself_is_no_duplicate(self, replica):
        process = replica()
        process.enroll("p1", recording(1))

        assert process.enroll("p1", recording(1, 1)).possible_duplicate_of == ()

    def test_other_callers_learn_nothing(self, replica):
        process = replica()
        process.enroll("p1", recording(1))
        narrow = process.as_client(Scope.ENROLL)

        assert narrow.enroll("again", recording(1, 1)).possible_duplicate_of == ()

    def test_names_of_others_are_not_kept_with_the_answer(self, replica):
        process = replica()
        process.enroll("p1", recording(1))
        request = EnrollmentRequest("default", "again", (recording(1, 1),))
        key = IdempotentRequest(process.caller.id, "POST", "/enroll", "key", b"0" * 32)

        first, repeated = (
            process.services.enrollment.enroll(process.caller, request, idempotent=key, render=told).body
            for _ in range(2)
        )

        assert b"possible_duplicate_of=('p1',)" in first
        assert repeated == first.replace(b"('p1',)", b"()")
