from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import text

from app.domain.errors import FailureToAcquireError, GalleryNotFoundError, SubjectNotFoundError
from app.domain.policies import CalibratedPolicy
from tests.fakes import FakeEncoder
from tests.integration.services.conftest import PEOPLE, recording


def held(replica, probe_person=1):
    """What a process would answer: every candidate with its score."""
    outcome = replica.identify(recording(probe_person, 99), max_candidates=100)
    return {candidate.subject_id: candidate.score for candidate in outcome.candidates}


class TestReplicas:
    def test_each_finds_what_the_other_acknowledged_at_the_next_request(self, replica):
        first, second = replica(), replica()
        for person in range(PEOPLE):
            writer, reader = (first, second) if person % 2 else (second, first)

            writer.enroll(f"p{person}", recording(person))

            assert reader.identify(recording(person, 9)).decision.subject_id == f"p{person}"

    def test_an_erased_subject_never_appears_again_anywhere(self, replica):
        first, second = replica(), replica()
        for person in range(PEOPLE):
            first.enroll(f"p{person}", recording(person))
        held(second)

        first.services.erasure.erase_subject(first.caller, "default", "p3")

        assert "p3" not in held(second)
        assert "p3" not in held(first)

    def test_any_history_leaves_every_process_with_what_a_new_one_builds(self, replica):
        generator = np.random.default_rng(5)
        first, second = replica(), replica()
        enrolled = set()
        for step in range(60):
            person = int(generator.integers(0, PEOPLE))
            writer = (first, second)[step % 2]
            if person in enrolled and generator.random() < 0.3:
                writer.services.erasure.erase_subject(writer.caller, "default", f"p{person}")
                enrolled.discard(person)
            else:
                writer.enroll(f"p{person}", recording(person, step), force=True)
                enrolled.add(person)

        scores = [held(process) for process in (first, second, replica())]

        assert scores[2].keys() == {f"p{person}" for person in enrolled}
        for followed in scores[:2]:
            assert followed == pytest.approx(scores[2], abs=1e-4)

    def test_a_follower_that_slept_through_the_pruned_feed_rebuilds(self, replica):
        sleeper, writer = replica(), replica()
        for person in range(4):
            writer.enroll(f"p{person}", recording(person))
        held(sleeper)
        writer.enroll("late", recording(5))
        writer.services.erasure.erase_subject(writer.caller, "default", "p0")
        with writer.services.enrollment._store.writing() as uow:
            uow.changes.prune(datetime.now(UTC) + timedelta(days=1))

        assert held(sleeper).keys() == {"p1", "p2", "p3", "late"}

    def test_a_database_restored_under_a_running_process_is_followed_from_its_past(self, replica, engine):
        process, other = replica(), replica()
        for person in range(4):
            process.enroll(f"p{person}", recording(person))
        held(process)
        with engine.begin() as connection:  # As it was after the first two.
            connection.execute(text("DELETE FROM reference_changes WHERE revision > 2"))
            connection.execute(text("DELETE FROM subjects WHERE subject_id IN ('p2', 'p3')"))
            connection.execute(text("UPDATE galleries SET revision = 2"))

        assert process.services.health.check().ready
        for person in range(5, 8):
            other.enroll(f"p{person}", recording(person))

        assert held(process).keys() == {"p0", "p1", "p5", "p6", "p7"}

    def test_a_renewal_changes_no_score_and_reaches_every_process(self, replica):
        first, second = replica(), replica()
        for person in range(PEOPLE):
            first.enroll(f"p{person}", recording(person), recording(person, 1))
        before = held(second)

        first.services.galleries.renew(first.caller, "default")

        assert held(second) == pytest.approx(before, abs=1e-3)
        assert held(first) == pytest.approx(before, abs=1e-3)
        assert first.verify("p2", recording(2, 50)).decision == "match"

    def test_renewed_templates_cannot_be_compared_with_those_of_before(self, replica):
        process = replica()
        for person in range(PEOPLE):
            process.enroll(f"p{person}", recording(person))
        vectors = [loaded_vectors(process)]

        process.services.galleries.renew(process.caller, "default")

        vectors.append(loaded_vectors(process))
        cosines = np.sum(vectors[0] * vectors[1], axis=1)
        assert np.abs(cosines).max() < 0.999
        assert np.abs(vectors[0] @ vectors[0].T - vectors[1] @ vectors[1].T).max() < 1e-5


class InterruptedEncoder(FakeEncoder):
    """Lets something else happen while a probe is being encoded, once."""

    def __init__(self, version="2026.11") -> None:
        super().__init__(version)
        self.meanwhile = None

    def encode(self, capture):
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return super().encode(capture)


def count_transactions(process):
    """Those that are open, from now on."""
    store, open_now = process.services.verification._store, []  # One store for all services.

    def counted(begin):
        @contextmanager
        def within():
            with begin() as uow:
                open_now.append(uow)
                yield uow
            open_now.remove(uow)

        return within

    store.reading, store.writing = counted(store.reading), counted(store.writing)
    return open_now


class TestInterleaving:
    @pytest.fixture
    def interrupted(self, replica):
        encoder = InterruptedEncoder()
        process = replica(encoder)
        for person in range(PEOPLE):
            process.enroll(f"p{person}", recording(person))
        return process, encoder

    @pytest.mark.parametrize("person", [2, 3])
    def test_a_renewal_during_a_search_does_not_mix_transforms(self, interrupted, person):
        process, encoder = interrupted

        def renew():
            process.services.galleries.renew(process.caller, "default")
            held(process)  # Somebody else's search follows the renewal first.

        encoder.meanwhile = renew
        searched = process.identify(recording(person, 7))
        encoder.meanwhile = renew
        verified = process.verify(f"p{person}", recording(person, 7))

        assert searched.decision.subject_id == verified.subject_id == f"p{person}"

    def test_a_gallery_deleted_during_a_search_is_not_held_for_long(self, interrupted):
        process, encoder = interrupted
        galleries = process.services.galleries
        galleries.create(process.caller, "gone", None)
        process.enroll("p1", recording(1), gallery="gone")

        encoder.meanwhile = lambda: galleries.delete(process.caller, "gone")
        with pytest.raises(GalleryNotFoundError):
            process.identify(recording(1, 7), gallery="gone")

        assert process.services.health.check().templates == PEOPLE

    def test_a_subject_erased_while_its_probe_is_encoded_is_not_verified(self, interrupted):
        process, encoder = interrupted

        encoder.meanwhile = lambda: process.services.erasure.erase_subject(process.caller, "default", "p1")
        with pytest.raises(SubjectNotFoundError):
            process.verify("p1", recording(1, 7))

    def test_a_policy_tightened_while_a_probe_is_encoded_decides(self, interrupted):
        process, encoder = interrupted
        strict = CalibratedPolicy(fmr=1e-3, min_quality=1.0)

        encoder.meanwhile = lambda: process.services.galleries.configure(process.caller, "default", strict)
        with pytest.raises(FailureToAcquireError):
            process.verify("p1", recording(1, 7))

    @pytest.mark.parametrize("call", ["verify", "identify", "enroll"])
    @pytest.mark.parametrize("version", ["2026.11", "2027.01"])
    def test_no_transaction_is_open_while_captures_are_encoded(self, replica, call, version):
        """Under the version that the people here were enrolled with, and under the newer default."""
        old, new = InterruptedEncoder("2026.11"), InterruptedEncoder("2027.01")
        before = replica(old)
        for person in range(PEOPLE):
            before.enroll(f"p{person}", recording(person))
        process, seen = replica(new, old), []
        transactions = count_transactions(process)

        {"2026.11": old, "2027.01": new}[version].meanwhile = lambda: seen.append(len(transactions))
        getattr(process, call)(*(["p1"] if call != "identify" else []), recording(1, 7))

        assert seen == [0]

    def test_a_gallery_deleted_elsewhere_is_not_held_for_long(self, replica):
        first, second = replica(), replica()
        first.services.galleries.create(first.caller, "gone", None)
        first.enroll("p1", recording(1), gallery="gone")
        assert second.identify(recording(1, 7), gallery="gone").gallery_size == 1

        first.services.galleries.delete(first.caller, "gone")

        assert second.services.health.check().templates == 0


def loaded_vectors(process):
    """Stored (transformed) template vectors of the default gallery, by subject id."""
    verification = process.services.verification
    with verification._store.reading() as uow:
        gallery = uow.galleries.by_name("default")
        subjects = uow.subjects.page(gallery.uuid, None, 100)
        loaded = verification._follower.load(uow, gallery, [subject.uuid for subject in subjects])
    ordered = sorted(loaded, key=lambda subject: subject.subject_id)
    return np.stack([next(iter(subject.templates.values())).vector for subject in ordered])


class TestCatchingUp:
    def test_reads_only_galleries_that_changed(self, replica, monkeypatch):
        process, other = replica(), replica()
        for number in range(5):
            process.services.galleries.create(process.caller, f"g{number}", None)
        process.services.health.check()
        other.enroll("p1", recording(1), gallery="g3")
        read = []
        follower = process.services.health._follower
        followed = follower.up_to_date
        monkeypatch.setattr(
            follower, "up_to_date", lambda uow, gallery: (read.append(gallery.name), followed(uow, gallery))
        )

        found = process.services.health.check()

        assert read == ["g3"]
        assert (found.ready, found.templates) == (True, 1)
