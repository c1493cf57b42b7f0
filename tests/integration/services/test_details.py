"""A modality whose encoder compares details: the whole way, on a database of each kind."""

import numpy as np
import pytest

from app.domain.captures import FingerprintImage
from app.domain.errors import ConflictError, FailureToAcquireError, FailureToEnrollError, UnprocessableError
from app.domain.policies import CalibratedPolicy, DistancePolicy, DistanceRule, Metric
from app.domain.references import Modality
from app.domain.scores import Decision, ModalityStatus
from tests.fakes import FakeEncoder, FakeFaceEncoder
from tests.fingerprint_fakes import IN_VECTOR, FakeFingerprintEncoder, print_of
from tests.integration.services.conftest import face, recording

PEOPLE = 6


@pytest.fixture
def fingers(replica):
    """A process that reads ECG, faces and fingerprints, with people enrolled by their fingers."""
    process = replica(FakeEncoder(), FakeFaceEncoder(), FakeFingerprintEncoder())
    for person in range(PEOPLE):
        process.enroll(f"p{person}", print_of(person, position="right_index"))
    return process


def forged(person: int) -> FingerprintImage:
    """Half of a print, all that its vector says, and the contrary of the other half."""
    pattern = np.frombuffer(print_of(person, position="right_index").image, dtype=np.float32).copy()
    pattern[IN_VECTOR:] *= -1.0
    return FingerprintImage(pattern.tobytes())


def fingerprint(outcome) -> object:
    return next(one for one in outcome.modalities if one.modality is Modality.FINGERPRINT)


class TestVerify:
    def test_the_own_finger_matches_and_another_does_not(self, fingers):
        own = fingers.verify("p1", print_of(1, 7))
        other = fingers.verify("p1", print_of(2, 7))

        assert own.decision is Decision.MATCH
        assert other.decision is Decision.NON_MATCH

    def test_the_details_decide_and_not_the_vectors(self, fingers):
        outcome = fingers.verify("p1", forged(1))

        assert fingerprint(outcome).distance == pytest.approx(0.0, abs=1e-5)
        assert outcome.decision is Decision.NON_MATCH

    def test_every_comparison_of_a_recording_with_a_reference_counts(self, fingers):
        fingers.enroll("p1", *(print_of(1, take, position="right_index") for take in range(1, 4)))

        one = fingers.verify("p1", print_of(2, 7))
        many = fingers.verify("p1", *(print_of(2, take) for take in range(7, 12)))

        assert many.threshold > one.threshold

    def test_different_named_fingers_do_not_compare(self, fingers):
        with pytest.raises(UnprocessableError) as refused:
            fingers.verify("p1", print_of(1, 7, position="left_thumb"))

        assert refused.value.code == "not_comparable"


class TestIdentify:
    def test_finds_who_it_is(self, fingers):
        outcome = fingers.identify(print_of(3, 7))

        assert outcome.decision.subject_id == "p3"
        assert outcome.gallery_size == PEOPLE

    def test_what_one_replica_enrolls_the_other_finds(self, fingers, replica):
        other = replica(FakeEncoder(), FakeFaceEncoder(), FakeFingerprintEncoder())
        fingers.enroll("late", print_of(50))

        assert other.identify(print_of(50, 7)).decision.subject_id == "late"

    def test_a_restart_finds_everybody_again(self, fingers, replica):
        again = replica(FakeEncoder(), FakeFaceEncoder(), FakeFingerprintEncoder())

        assert again.identify(print_of(5, 7)).decision.subject_id == "p5"

    def test_whoever_is_erased_is_found_no_more(self, fingers):
        fingers.services.erasure.erase_subject(fingers.caller, "default", "p3")

        outcome = fingers.identify(print_of(3, 7))

        assert outcome.decision.decision is Decision.NON_MATCH
        assert outcome.gallery_size == PEOPLE - 1

    def test_three_modalities_add_up(self, replica):
        process = replica(FakeEncoder(), FakeFaceEncoder(), FakeFingerprintEncoder())
        for person in range(PEOPLE):
            process.enroll(f"p{person}", recording(person), face(person), print_of(person))

        alone = process.identify(print_of(3, 7))
        together = process.identify(recording(3, 7), face(3, 7), print_of(3, 7))

        assert together.decision.subject_id == "p3"
        assert together.decision.score > alone.decision.score
        assert {one.status for one in together.decision.modalities} == {ModalityStatus.USED}


class TestRenewal:
    def test_everybody_is_found_under_the_new_matrices(self, fingers, replica):
        fingers.enroll("p1", print_of(1, 1, position="right_index"))

        fingers.services.galleries.renew(fingers.caller, "default")
        fingers.services.galleries.renew(fingers.caller, "default")

        for process in (fingers, replica(FakeEncoder(), FakeFaceEncoder(), FakeFingerprintEncoder())):
            assert process.identify(print_of(1, 7)).decision.subject_id == "p1"
            assert process.verify("p4", print_of(4, 7)).decision is Decision.MATCH

    def test_details_and_local_vectors_are_sealed_anew(self, fingers):
        store, gallery = fingers.services.enrollment._store, None
        encoders = ["fakefinger@2026.12"]
        with store.reading() as uow:
            gallery = uow.galleries.by_name("default")
            before = dict(uow.references.sealed_details(gallery.uuid, encoders))
            old = uow.transforms.of_gallery(gallery.uuid)[0]

        fingers.services.galleries.renew(fingers.caller, "default")

        with store.reading() as uow:
            after = dict(uow.references.sealed_details(gallery.uuid, encoders))
            new = uow.transforms.of_gallery(gallery.uuid)[0]
        assert before.keys() == after.keys()
        assert all(before[key] != after[key] for key in before)
        assert old.wrapped_local_matrix != new.wrapped_local_matrix


class TestAdding:
    def test_another_print_of_the_finger_is_admitted(self, fingers):
        outcome = fingers.enroll("p1", print_of(1, 1, position="right_index"))

        assert len(outcome.references) == 1

    def test_every_recording_must_match(self, fingers):
        with pytest.raises(UnprocessableError) as refused:
            fingers.enroll("p1", print_of(1, 1, position="right_index"), print_of(2, position="left_thumb"))

        assert refused.value.code == "reference_mismatch"

    def test_no_more_than_the_references_of_one_finger_are_kept(self, fingers):
        fingers.enroll("full", *(print_of(30, take) for take in range(24)))

        with pytest.raises(ConflictError):
            fingers.enroll("full", *(print_of(30, take) for take in range(24, 34)))

    def test_the_same_finger_under_another_name_is_noticed(self, fingers):
        outcome = fingers.enroll("other", print_of(1, 5))

        assert outcome.possible_duplicate_of == ("p1",)


class TestDistancePolicy:
    def test_it_looks_at_the_vectors(self, fingers):
        rule = DistanceRule(Metric.COSINE, 0.2)
        fingers.services.galleries.configure(
            fingers.caller, "default", DistancePolicy({Modality.FINGERPRINT: rule})
        )

        assert fingers.verify("p1", forged(1)).decision is Decision.MATCH
        assert fingers.identify(forged(1)).decision.subject_id == "p1"
        assert fingers.verify("p2", print_of(1, 7)).decision is Decision.NON_MATCH


class TestQuality:
    @pytest.fixture
    def strict(self, fingers):
        policy = CalibratedPolicy(min_quality=0.5, required=frozenset({Modality.FACE, Modality.FINGERPRINT}))
        fingers.services.galleries.configure(fingers.caller, "default", policy)
        fingers.enroll("anna", recording(40), face(40), print_of(40))
        return fingers

    def test_a_poor_print_is_marked_and_counts_for_nothing(self, strict):
        with_it = strict.verify("anna", recording(40, 7), face(40, 7), print_of(40, 7, faint=True))
        without = strict.verify("anna", recording(40, 7), face(40, 7))

        assert fingerprint(with_it).status is ModalityStatus.REJECTED_QUALITY
        assert fingerprint(with_it).code == "quality_too_low"
        assert with_it.score == without.score

    def test_and_it_does_not_stand_for_a_required_one(self, strict):
        outcome = strict.verify("anna", recording(40, 7), face(40, 7), print_of(40, 7, faint=True))

        assert outcome.decision is Decision.NON_MATCH
        assert "required_missing" in [reason.value for reason in outcome.reasons]

    def test_all_required_ones_together_match(self, strict):
        outcome = strict.verify("anna", face(40, 7), print_of(40, 7))

        assert outcome.decision is Decision.MATCH

    def test_of_two_prints_the_poor_one_is_left_out(self, strict):
        both = strict.verify("anna", face(40, 7), print_of(40, 7), print_of(40, 8, faint=True))
        one = strict.verify("anna", face(40, 7), print_of(40, 7))

        assert both.score == one.score
        assert both.threshold == one.threshold


class TestMirrored:
    def test_a_flipped_image_is_told_by_its_code(self, fingers):
        with pytest.raises(FailureToAcquireError) as refused:
            fingers.verify("p1", print_of(1, 7, mirrored=True))

        assert refused.value.code == "fingerprint_mirrored"

    def test_another_finger_is_a_non_match_in_any_mirror(self, fingers):
        assert fingers.verify("p1", print_of(2, 7, mirrored=True)).decision is Decision.NON_MATCH

    def test_beside_a_usable_modality_it_is_a_status(self, fingers):
        fingers.enroll("anna", recording(40), face(40), print_of(40))

        outcome = fingers.verify("anna", face(41), print_of(40, 7, mirrored=True))

        assert fingerprint(outcome).status is ModalityStatus.REJECTED_QUALITY
        assert fingerprint(outcome).code == "fingerprint_mirrored"
        assert outcome.decision is Decision.NON_MATCH

    def test_none_is_added(self, fingers):
        with pytest.raises(FailureToEnrollError) as refused:
            fingers.enroll("p1", print_of(1, 1, mirrored=True, position="right_index"))

        assert refused.value.code == "fingerprint_mirrored"
        assert [fault.pointer for fault in refused.value.faults] == ["/recordings/0"]
