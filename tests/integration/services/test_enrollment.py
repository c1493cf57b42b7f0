from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import get_ident

import pytest
from sqlalchemy import Engine, event

from app.domain.captures import EcgStrip
from app.domain.errors import (
    ConflictError,
    FailureToEnrollError,
    InsufficientScopeError,
    SubjectNotFoundError,
    UnprocessableError,
)
from app.domain.policies import CalibratedPolicy, DistancePolicy, DistanceRule, Metric
from app.domain.references import Modality
from app.domain.scores import Decision
from app.domain.subjects import Consent, Scope
from app.services.enrollment import EnrollmentRequest
from app.services.idempotency import IdempotentRequest, Rendered
from tests.fakes import FakeEncoder
from tests.integration.services.conftest import PEOPLE, face, recording, told

TOO_SHORT = EcgStrip(recording(1).signal[:200], 100.0)
MONDAY = datetime(2026, 11, 16, 9, tzinfo=UTC)


def stored_sessions(process, subject_id):
    directory = process.services.directory
    return [r.session for r in directory.references(process.caller, "default", subject_id, None, 100).items]


@contextmanager
def executed_statements():
    """Those of this thread: housekeeping has a thread of its own."""
    mine, statements = get_ident(), []

    def note(_connection, _cursor, statement, *_):
        if get_ident() == mine and not statement.startswith(("BEGIN", "PRAGMA")):
            statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


class TestEnroll:
    def test_three_recordings_make_three_references_and_one_template(self, replica):
        process = replica()

        outcome = process.enroll("p1", *(recording(1, take) for take in range(3)))

        assert len({reference.id for reference in outcome.references}) == 3
        assert process.identify(recording(1, 9)).gallery_size == 1
        assert process.services.health.check().templates == 1

    def test_what_is_rejected_is_told_and_the_rest_is_kept(self, replica):
        outcome = replica().enroll("p1", TOO_SHORT, recording(1))

        assert [(r.index, r.code) for r in outcome.rejected] == [(0, "signal_too_short")]
        assert len(outcome.references) == 1

    def test_nothing_usable_stores_nothing(self, replica):
        process = replica()

        with pytest.raises(FailureToEnrollError) as refusal:
            process.enroll("p1", TOO_SHORT, TOO_SHORT)

        assert refusal.value.code == "signal_too_short"
        assert [fault.pointer for fault in refusal.value.faults] == ["/recordings/0", "/recordings/1"]
        with pytest.raises(SubjectNotFoundError):
            process.services.directory.subject(process.caller, "default", "p1")

    def test_an_unserved_modality_is_rejected_beside_a_served_one(self, replica):
        outcome = replica().enroll("p1", recording(1), face(1))

        assert [(r.index, r.code) for r in outcome.rejected] == [(1, "modality_unavailable")]

    def test_at_most_32_references_of_one_kind(self, replica):
        process = replica()
        for step in range(4):
            process.enroll("p1", *(recording(1, 8 * step + take) for take in range(8)))

        with pytest.raises(ConflictError) as refusal:
            process.enroll("p1", recording(1, 99))

        assert refusal.value.code == "too_many_references"
        assert len(stored_sessions(process, "p1")) == 32

    def test_concurrent_first_enrollments_of_one_name_make_one_subject(self, replica):
        process = replica()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda take: process.enroll("p1", recording(1, take), force=True), range(8)))

        assert process.services.directory.subject(process.caller, "default", "p1").references == 8
        assert process.identify(recording(1, 50)).gallery_size == 1


class TestCost:
    """A durable enrollment waits for every statement (DESIGN §10)."""

    def test_a_new_subject_takes_few_statements(self, replica):
        process = replica()
        process.enroll("first", recording(1))  # Draws the gallery's transform,
        process.enroll("second", recording(2))  # which is read once.

        with executed_statements() as statements:
            process.enroll("third", recording(3))

        # To look for the person under other names: gallery, transforms, changes, who changed.
        # To enroll: revision, change, subject of this name, transforms, new subject, reference.
        assert len(statements) == 4 + 6


class TestSizeWarning:
    """With 400 calibration people and an fpir of 0.1 % the fake encoder can identify among two."""

    @pytest.fixture
    def strict(self, replica):
        process = replica()
        process.services.galleries.configure(process.caller, "default", CalibratedPolicy(fpir=1e-3))
        return process

    def test_begins_with_the_first_subject_too_many(self, strict):
        outcomes = [strict.enroll(f"p{person}", recording(person)) for person in range(5)]

        assert [len(outcome.warnings) for outcome in outcomes] == [0, 0, 1, 1, 1]
        assert "among 2 subjects at most" in outcomes[2].warnings[0]

    def test_counts_the_same_however_much_a_process_has_followed(self, strict, replica):
        for person in range(4):
            strict.enroll(f"p{person}", recording(person))
        informed = replica()
        strict.services.erasure.erase_subject(strict.caller, "default", "p0")
        strict.services.erasure.erase_subject(strict.caller, "default", "p1")
        strict.services.erasure.erase_subject(strict.caller, "default", "p2")
        strict.identify(recording(3))

        outcomes = [process.enroll(name, recording(9)) for process, name in ((strict, "a"), (informed, "b"))]

        assert [len(outcome.warnings) for outcome in outcomes] == [0, 1]

    def test_adding_to_a_known_subject_adds_nobody(self, strict):
        for take in range(4):
            outcome = strict.enroll("p1", recording(1, take))

        assert outcome.warnings == ()


class TestSessions:
    def test_one_request_is_one_session(self, replica):
        process = replica()

        process.enroll("p1", recording(1, 0), recording(1, 1, at=MONDAY))

        assert len(set(stored_sessions(process, "p1"))) == 1

    def test_capture_times_more_than_an_hour_apart_separate_sessions(self, replica):
        process = replica()
        hours = [0.0, 0.9, 1.8, 3.0]

        process.enroll(
            "p1", *(recording(1, take, at=MONDAY + timedelta(hours=h)) for take, h in enumerate(hours))
        )

        sessions = stored_sessions(process, "p1")
        assert [sessions.count(session) for session in dict.fromkeys(sessions)] == [3, 1]

    def test_every_session_weighs_the_same_in_the_template(self, replica):
        process = replica()
        monday = [recording(1, take, at=MONDAY) for take in range(5)]
        tuesday = recording(1, 9, at=MONDAY + timedelta(days=1), noise=0.6)
        process.enroll("days", *monday, tuesday)
        process.enroll("one", *(replace(r, captured_at=None) for r in (*monday, tuesday)))

        probe = recording(1, 9, noise=0.6)
        days, one = (process.verify(name, probe).modalities[0].distance for name in ("days", "one"))

        assert days < one  # Tuesday's noisy strip is half of one template and a sixth of the other.


class TestAdding:
    def test_the_same_person_may_be_added(self, replica):
        process = replica()
        process.enroll("p1", recording(1))

        process.enroll("p1", recording(1, 1))

        assert len(stored_sessions(process, "p1")) == 2

    def test_another_person_may_not(self, replica):
        process = replica()
        process.enroll("p1", recording(1))

        with pytest.raises(UnprocessableError) as refusal:
            process.enroll("p1", recording(2))

        assert refusal.value.code == "reference_mismatch"
        assert len(stored_sessions(process, "p1")) == 1

    def test_one_strange_recording_among_good_ones_is_refused_too(self, replica):
        process = replica()
        process.enroll("p1", recording(1))

        with pytest.raises(UnprocessableError) as refusal:
            process.enroll("p1", recording(1, 1), recording(2))

        assert refusal.value.code == "reference_mismatch"

    def test_a_modality_the_subject_has_not_needs_an_admin(self, multimodal):
        """Nothing shows that a face is that of the heart beside it."""
        multimodal.enroll("p1", recording(1))

        for added in ([face(1)], [face(1), recording(1, 1)]):
            with pytest.raises(UnprocessableError) as refusal:
                multimodal.enroll("p1", *added)
            assert refusal.value.code == "reference_mismatch"
        multimodal.enroll("p1", face(1), force=True)

        assert multimodal.verify("p1", face(1, 7)).decision is Decision.MATCH

    def test_every_modality_has_to_match(self, multimodal):
        multimodal.enroll("p1", recording(1), face(1))

        multimodal.enroll("p1", recording(1, 1), face(1, 1))
        with pytest.raises(UnprocessableError):
            multimodal.enroll("p1", recording(1, 2), face(2))

    def test_an_emptied_subject_needs_an_admin(self, replica):
        process = replica()
        (emptied,) = process.enroll("p1", recording(1)).references
        process.services.erasure.erase_reference(process.caller, "default", "p1", emptied.id)

        for person in (1, 2):
            with pytest.raises(UnprocessableError) as refusal:
                process.enroll("p1", recording(person))
            assert refusal.value.code == "reference_mismatch"
        process.enroll("p1", recording(1), force=True)

        assert len(stored_sessions(process, "p1")) == 1

    def test_another_lead_beside_a_matching_one_has_to_match_too(self, replica):
        process = replica()
        process.enroll("p1", recording(1, position="I"))

        with pytest.raises(UnprocessableError) as refusal:
            process.enroll("p1", recording(1, 1, position="I"), recording(2, position="II"))

        assert refusal.value.code == "reference_mismatch"
        assert len(stored_sessions(process, "p1")) == 1

    def test_additions_do_not_lead_away_from_what_was_enrolled_first(self, replica):
        process = replica()
        process.enroll("p1", recording(1, 0, seconds=20.0))
        own, theirs = (recording(person, 1, seconds=20.0).signal for person in (2, 1))

        def reached() -> float:
            """The largest share of another person that is let in now."""
            for percent in range(100, 0, -5):
                share = percent / 100
                blend = replace(recording(1), signal=(1.0 - share) * theirs + share * own)
                with suppress(UnprocessableError):
                    process.enroll("p1", blend)
                    return share
            return 0.0

        shares = [reached() for _ in range(8)]

        assert 0.0 < max(shares) == shares[0]
        assert process.verify("p1", recording(2, 7)).decision is Decision.NON_MATCH
        assert process.verify("p1", recording(1, 7)).decision is Decision.MATCH

    def test_the_gallery_may_ask_for_more_than_1_percent(self, replica):
        process = replica()
        process.enroll("p1", recording(1))
        beyond = CalibratedPolicy(fmr=1e-9)  # Which no recording reaches.
        process.services.galleries.configure(process.caller, "default", beyond)

        with pytest.raises(UnprocessableError) as refusal:
            process.enroll("p1", recording(1, 1))

        assert refusal.value.code == "reference_mismatch"

    @pytest.mark.parametrize("max_distance", [0.0, 2.0], ids=["strict", "lax"])
    def test_a_distance_policy_may_ask_for_more_too_and_not_for_less(self, replica, max_distance):
        process = replica()
        process.enroll("p1", recording(1))
        policy = DistancePolicy({Modality.ECG: DistanceRule(Metric.COSINE, max_distance)})
        process.services.galleries.configure(process.caller, "default", policy)

        with pytest.raises(UnprocessableError):
            process.enroll("p1", recording(2))
        if max_distance:
            process.enroll("p1", recording(1, 1))
        else:
            with pytest.raises(UnprocessableError):
                process.enroll("p1", recording(1, 1))

    def test_a_refusal_leaves_consent_as_it_was(self, replica):
        process = replica()
        process.enroll("p1", recording(1))
        consent = Consent("forged", MONDAY)
        request = EnrollmentRequest("default", "p1", (recording(1, 1), recording(2)), consent=consent)

        with pytest.raises(UnprocessableError):
            process.services.enrollment.enroll(process.caller, request, render=told)

        assert process.services.directory.subject(process.caller, "default", "p1").subject.consent is None

    def test_of_several_who_take_one_name_at_once_one_gets_it(self, replica):
        process = replica()

        def enroll(person: int) -> bool:
            try:
                process.enroll("p1", recording(person))
            except UnprocessableError:
                return False
            return True

        with ThreadPoolExecutor(4) as pool:
            won = list(pool.map(enroll, range(PEOPLE)))

        assert sum(won) == 1
        assert process.verify("p1", recording(won.index(True), 7)).decision is Decision.MATCH

    def test_leads_compare_with_each_other_for_this(self, replica):
        process = replica()
        process.enroll("p1", recording(1, position="I"))

        process.enroll("p1", recording(1, 1, position="II"))

        with pytest.raises(UnprocessableError):
            process.enroll("p1", recording(2, 1, position="V1"))

    def test_what_mismatches_its_own_lead_is_refused_even_if_it_matches_another(self, replica):
        process = replica()
        process.enroll("p1", recording(1, position="I"), recording(2, position="II"))

        process.enroll("p1", recording(1, 1, position="I"), recording(2, 1, position="II"))
        with pytest.raises(UnprocessableError) as refusal:
            process.enroll("p1", recording(1, 2, position="I"), recording(1, 3, position="II"))

        assert refusal.value.code == "reference_mismatch"

    def test_an_admin_may_force_it(self, replica):
        process = replica()
        process.enroll("p1", recording(1))

        process.enroll("p1", recording(2), force=True)

        assert len(stored_sessions(process, "p1")) == 2

    def test_others_may_not(self, replica):
        process = replica().as_client(Scope.ENROLL)

        with pytest.raises(InsufficientScopeError):
            process.enroll("p1", recording(1), force=True)


class TestIdempotency:
    def request(self, body: bytes = b"a" * 32) -> IdempotentRequest:
        return IdempotentRequest("client", "POST", "/enroll", "key-1", body)

    def test_a_repeated_request_gets_the_stored_answer_and_stores_nothing(self, replica):
        process = replica()
        request = EnrollmentRequest("default", "p1", (recording(1),))

        first, second = (
            process.services.enrollment.enroll(
                process.caller, request, idempotent=self.request(), render=told
            )
            for _ in range(2)
        )

        assert first == second
        assert len(stored_sessions(process, "p1")) == 1

    def test_at_the_same_time_too(self, replica):
        process = replica()
        request = EnrollmentRequest("default", "p1", (recording(1),))

        def enroll(_: int) -> Rendered:
            service = process.services.enrollment
            return service.enroll(process.caller, request, idempotent=self.request(), render=told)

        with ThreadPoolExecutor(4) as pool:
            answers = set(pool.map(enroll, range(8)))

        assert len(answers) == 1
        assert len(stored_sessions(process, "p1")) == 1

    def test_another_body_under_the_key_is_refused(self, replica):
        process = replica()
        process.enroll("p1", recording(1), idempotent=self.request())

        with pytest.raises(UnprocessableError) as refusal:
            process.enroll("p1", recording(1, 1), idempotent=self.request(b"b" * 32))

        assert refusal.value.code == "idempotency_key_reused"

    def test_a_failure_is_not_kept(self, replica):
        process = replica()
        with pytest.raises(FailureToEnrollError):
            process.enroll("p1", TOO_SHORT, idempotent=self.request())

        process.enroll("p1", recording(1), idempotent=self.request())

        assert len(stored_sessions(process, "p1")) == 1

    def test_erasing_a_subject_erases_its_answers(self, replica):
        process = replica()
        process.enroll("p1", recording(1), idempotent=self.request())

        process.services.erasure.erase_subject(process.caller, "default", "p1")

        assert process.services.answers.replay(self.request()) is None


class FailingEncoder(FakeEncoder):
    """One that mistakes everybody for somebody else, once it fails."""

    fails = False

    def encode(self, capture):
        encoding = super().encode(capture)
        return replace(encoding, vector=-encoding.vector) if self.fails else encoding


class TestEncoderUpgrade:
    OLD, NEW = FakeEncoder("2026.11"), FakeEncoder("2027.01")

    def test_people_of_the_old_version_are_still_found_beside_new_ones(self, replica):
        before = replica(self.OLD)
        before.enroll("old", recording(1))
        after = replica(self.NEW, self.OLD)
        after.enroll("new", recording(2))

        outcomes = {p: after.identify(recording(p, 7)) for p in (1, 2)}

        assert outcomes[1].decision.subject_id == "old"
        assert outcomes[2].decision.subject_id == "new"
        assert outcomes[1].gallery_size == 2
        assert outcomes[1].decision.modalities[0].encoder == "fake@2026.11"
        assert outcomes[2].decision.modalities[0].encoder == "fake@2027.01"

    def test_adding_encodes_with_every_version_the_subject_has(self, replica):
        replica(self.OLD).enroll("p1", recording(1))
        after = replica(self.NEW, self.OLD)

        outcome = after.enroll("p1", recording(1, 1))

        assert [r.encoder for r in outcome.references] == ["fake@2027.01", "fake@2026.11"]
        assert after.verify("p1", recording(1, 7)).modalities[0].encoder == "fake@2027.01"

    def test_only_the_newest_version_decides_whether_a_recording_may_be_added(self, replica):
        """An old encoder that a new one was to replace must not keep people from being added."""
        weak = FailingEncoder("2026.11")
        replica(weak).enroll("p1", recording(1))
        after = replica(self.NEW, weak)
        after.enroll("p1", recording(1, 1))
        weak.fails = True

        outcome = after.enroll("p1", recording(1, 2))

        # What does not look like the subject under the old one is not stored under it.
        assert [reference.encoder for reference in outcome.references] == ["fake@2027.01"]

    def test_a_new_version_stores_nothing_that_the_old_one_does_not_know(self, replica):
        replica(self.OLD).enroll("p1", recording(1))
        after = replica(self.NEW, self.OLD)

        with pytest.raises(UnprocessableError) as refusal:
            after.enroll("p1", recording(1, 1), recording(2))

        assert refusal.value.code == "reference_mismatch"

    def test_nothing_is_added_where_only_retired_encoders_know_the_subject(self, replica):
        replica(self.OLD).enroll("p1", recording(1))
        after = replica(self.NEW, allow_retired=True)

        with pytest.raises(UnprocessableError) as refusal:
            after.enroll("p1", recording(1, 1))
        after.enroll("p1", recording(1, 1), force=True)

        assert refusal.value.code == "reference_mismatch"
        assert after.verify("p1", recording(1, 7)).decision is Decision.MATCH

    def test_start_refuses_when_a_bundle_of_enrolled_people_is_gone(self, replica):
        replica(self.OLD).enroll("p1", recording(1))

        with pytest.raises(Exception, match=r"1 references of fake@2026\.11"):
            replica(self.NEW)

    def test_retired_encoders_may_be_allowed(self, replica):
        replica(self.OLD).enroll("p1", recording(1))

        after = replica(self.NEW, allow_retired=True)

        assert after.identify(recording(1, 7)).gallery_size == 0
        with pytest.raises(UnprocessableError) as refusal:
            after.verify("p1", recording(1, 7))
        assert refusal.value.code == "not_comparable"
