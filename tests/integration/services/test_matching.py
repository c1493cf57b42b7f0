import pytest

from app.domain.captures import EcgStrip
from app.domain.errors import FailureToAcquireError, UnprocessableError
from app.domain.policies import CalibratedPolicy, DistancePolicy, DistanceRule, Metric
from app.domain.references import Modality
from app.domain.scores import Decision, ModalityStatus, Reason
from app.domain.subjects import Scope
from tests.integration.services.conftest import PEOPLE, face, recording

NOISE = EcgStrip(recording(1).signal[:290], 100.0)  # shorter than 3 s


@pytest.fixture
def enrolled(replica):
    process = replica()
    for person in range(PEOPLE):
        process.enroll(f"p{person}", recording(person, seconds=12.0))
    return process


def strangers_nearest_to(process, *subjects):
    """For each of two subjects a probe of a stranger who comes nearer to this one, and does not match."""
    found = {}
    for person in range(50, 90):
        probe = recording(person, seconds=20.0)
        outcome = process.identify(probe, max_candidates=9)
        both = [c for c in outcome.candidates if c.subject_id in subjects]
        nearest = min(both, key=lambda c: c.modalities[0].distance)
        matches = [process.verify(c.subject_id, probe).decision is Decision.MATCH for c in both]
        if nearest is both[0] and not any(matches) and nearest.modalities[0].distance < 0.8:
            found.setdefault(nearest.subject_id, probe)
    return [found[subject] for subject in subjects]


class TestVerify:
    def test_the_same_person_matches(self, enrolled):
        decision = enrolled.verify("p1", recording(1, 7))

        assert (decision.decision, decision.subject_id) == (Decision.MATCH, "p1")
        assert decision.score >= decision.threshold

    def test_another_person_does_not(self, enrolled):
        decision = enrolled.verify("p1", recording(2, 7))

        assert (decision.decision, decision.subject_id) == (Decision.NON_MATCH, None)
        assert decision.shortfall_db == pytest.approx(decision.threshold - decision.score)

    def test_a_stricter_rate_raises_the_threshold(self, enrolled):
        usual, strict = (enrolled.verify("p1", recording(1, 7), fmr=fmr) for fmr in (1e-3, 1e-4))

        assert strict.threshold > usual.threshold

    def test_only_another_position_is_not_comparable(self, replica):
        process = replica()
        process.enroll("p1", recording(1, position="I"))

        with pytest.raises(UnprocessableError) as refusal:
            process.verify("p1", recording(1, 7, position="II"))

        assert refusal.value.code == "not_comparable"

    def test_an_unknown_position_compares_with_every_one(self, replica):
        process = replica()
        process.enroll("p1", recording(1, position="I"))

        assert process.verify("p1", recording(1, 7)).decision is Decision.MATCH

    def test_several_positions_count_once_with_the_best(self, replica):
        process = replica()
        process.enroll("p1", recording(1, position="I"), recording(1, 2, position="II"))

        both = process.verify("p1", recording(1, 7, position="I"), recording(1, 8, position="II"))
        alone = [process.verify("p1", recording(1, t, position=p)) for t, p in ((7, "I"), (8, "II"))]

        assert both.modalities[0].distance == pytest.approx(min(d.modalities[0].distance for d in alone))

    def test_probe_recordings_are_pooled(self, enrolled):
        one = enrolled.verify("p1", recording(1, 7))
        three = enrolled.verify("p1", *(recording(1, take) for take in (7, 8, 9)))

        assert three.modalities[0].evidence.seconds == pytest.approx(3 * one.modalities[0].evidence.seconds)
        assert three.modalities[0].distance < one.modalities[0].distance

    def test_poor_signal_alone_is_an_error(self, enrolled):
        with pytest.raises(FailureToAcquireError) as refusal:
            enrolled.verify("p1", NOISE)

        assert refusal.value.code == "signal_too_short"

    def test_a_short_non_match_is_told_how_much_longer_it_would_take(self, replica):
        process = replica()
        process.enroll("p1", recording(1, seconds=20.0))

        decision = process.verify("p1", recording(2, 7, seconds=3.2))

        assert decision.further_amount is None  # A stranger's cosine suffices at no length.


class TestModalities:
    @pytest.fixture
    def both(self, multimodal):
        for person in range(PEOPLE):
            multimodal.enroll(f"p{person}", recording(person), face(person))
        return multimodal

    def test_any_subset_works(self, both):
        subsets = [(recording(1, 7),), (face(1, 7),), (recording(1, 7), face(1, 7))]

        decisions = [both.verify("p1", *subset) for subset in subsets]

        assert [d.decision for d in decisions] == [Decision.MATCH] * 3
        assert decisions[2].score == pytest.approx(decisions[0].score + decisions[1].score)

    def test_a_poor_one_is_no_evidence_and_says_why(self, both):
        decision = both.verify("p1", NOISE, face(1, 7))

        assert decision.decision is Decision.MATCH
        assert [(m.modality, m.status, m.code) for m in decision.modalities] == [
            (Modality.ECG, ModalityStatus.REJECTED_QUALITY, "signal_too_short"),
            (Modality.FACE, ModalityStatus.USED, None),
        ]

    def test_one_that_was_not_sent_is_missing(self, both):
        decision = both.verify("p1", recording(1, 7))

        assert [(m.modality, m.status) for m in decision.modalities] == [
            (Modality.ECG, ModalityStatus.USED),
            (Modality.FACE, ModalityStatus.MISSING),
        ]

    def test_nobody_may_choose_which_evidence_to_withhold(self, both):
        policy = CalibratedPolicy(required=frozenset({Modality.ECG, Modality.FACE}))
        both.services.galleries.configure(both.caller, "default", policy)

        decision = both.verify("p1", face(1, 7))

        assert decision.decision is Decision.NON_MATCH
        assert decision.reasons == (Reason.REQUIRED_MISSING, Reason.UNCORRECTED_SENSOR)

    def test_a_longer_probe_is_not_promised_to_replace_a_required_one(self, both):
        policy = CalibratedPolicy(required=frozenset({Modality.ECG, Modality.FACE}))
        both.services.galleries.configure(both.caller, "default", policy)

        decision = both.verify("p1", recording(1, 7))

        assert decision.reasons == (Reason.REQUIRED_MISSING, Reason.UNCORRECTED_SENSOR)
        assert decision.further_amount is None

    def test_two_modalities_resolve_what_one_cannot(self, both):
        one = both.verify("p1", recording(1, 7), fmr=1e-7)
        two = both.verify("p1", recording(1, 7), face(1, 7), fmr=1e-7)

        assert (one.decision, one.reasons) == (
            Decision.NON_MATCH,
            (Reason.EVIDENCE_CEILING, Reason.UNCORRECTED_SENSOR),
        )
        assert one.evidence_ceiling < one.threshold
        assert two.decision is Decision.MATCH

    def test_a_search_completes_candidates_with_every_modality(self, both):
        both.enroll("face only", face(50))

        outcome = both.identify(recording(1, 7), face(1, 7), max_candidates=20)

        used = {
            c.subject_id: [m.modality for m in c.modalities if m.status is ModalityStatus.USED]
            for c in outcome.candidates
        }
        assert outcome.gallery_size == PEOPLE + 1
        assert used["p1"] == [Modality.ECG, Modality.FACE]
        assert used["face only"] == [Modality.FACE]


class TestIdentify:
    def test_everybody_is_found(self, enrolled):
        found = [enrolled.identify(recording(p, 5)).decision.subject_id for p in range(PEOPLE)]

        assert found == [f"p{person}" for person in range(PEOPLE)]

    def test_a_stranger_is_nobody_and_candidates_are_listed_all_the_same(self, enrolled):
        outcome = enrolled.identify(recording(77), max_candidates=3)

        assert outcome.decision.subject_id is None
        assert [c.rank for c in outcome.candidates] == [1, 2, 3]
        scores = [c.score for c in outcome.candidates]
        assert scores == sorted(scores, reverse=True)

    def test_an_empty_gallery_is_a_non_match(self, replica):
        outcome = replica().identify(recording(1))

        assert (outcome.decision.decision, outcome.candidates) == (Decision.NON_MATCH, ())
        assert outcome.decision.reasons == (Reason.NO_COMPARISON,)

    def test_one_usable_recording_in_an_empty_gallery_is_not_a_rejection(self, replica):
        (ecg,) = replica().identify(NOISE, recording(1)).decision.modalities

        assert (ecg.status, ecg.code) == (ModalityStatus.NOT_ENROLLED, None)

    def test_verification_and_identification_agree_on_the_score(self, enrolled):
        outcome = enrolled.identify(recording(4, 5), max_candidates=100)

        for candidate in outcome.candidates:
            verified = enrolled.verify(candidate.subject_id, recording(4, 5))
            assert verified.score == pytest.approx(candidate.score, abs=1e-4)


class TestReadScores:
    def test_without_the_scope_a_search_tells_nothing_of_who_came_near(self, enrolled):
        narrow = enrolled.as_client(Scope.IDENTIFY, Scope.READ)

        outcome = narrow.identify(recording(77), max_candidates=4)

        decision = outcome.decision
        assert decision.decision is Decision.NON_MATCH
        assert (decision.score, decision.fmr_at_score, decision.shortfall_db) == (None, None, None)
        assert outcome.candidates == ()

    def test_on_a_match_the_others_are_not_listed(self, enrolled):
        narrow = enrolled.as_client(Scope.IDENTIFY)
        exact, withheld = (p.identify(recording(1, 7), max_candidates=4) for p in (enrolled, narrow))

        assert withheld.decision == exact.decision
        assert withheld.candidates == exact.candidates[:1]

    def test_all_who_match_are_listed(self, enrolled):
        enrolled.enroll("p1 again", recording(1, 1, seconds=12.0))
        narrow = enrolled.as_client(Scope.IDENTIFY)

        outcome = narrow.identify(recording(1, 7), max_candidates=4)

        assert {candidate.subject_id for candidate in outcome.candidates} == {"p1", "p1 again"}

    def test_a_match_is_told_exactly(self, enrolled):
        narrow = enrolled.as_client(Scope.VERIFY)

        assert narrow.verify("p1", recording(1, 7)).score == enrolled.verify("p1", recording(1, 7)).score

    def test_a_search_does_not_tell_what_the_first_has_enrolled(self, multimodal):
        """Neither by modalities that the probe lacks nor by a required one that the first lacks."""
        policy = CalibratedPolicy(required=frozenset({Modality.ECG}))
        multimodal.services.galleries.configure(multimodal.caller, "default", policy)
        multimodal.enroll("ecg", recording(1))
        multimodal.enroll("both", recording(2), face(2))
        narrow = multimodal.as_client(Scope.IDENTIFY)
        near = strangers_nearest_to(multimodal, "ecg", "both")

        exact, withheld = ([p.identify(r).decision for r in near] for p in (multimodal, narrow))

        assert {d.decision for d in (*exact, *withheld)} == {Decision.NON_MATCH}
        assert [len(decision.modalities) for decision in exact] == [1, 2]
        assert [len(decision.modalities) for decision in withheld] == [1, 1]
        assert [decision.reasons for decision in withheld] == [(Reason.UNCORRECTED_SENSOR,)] * 2


class TestDistancePolicy:
    def test_a_raw_rule_decides_and_the_score_is_still_reported(self, enrolled):
        rule = DistanceRule(Metric.EUCLIDEAN, 0.5)
        enrolled.services.galleries.configure(
            enrolled.caller, "default", DistancePolicy({Modality.ECG: rule})
        )

        mated, stranger = enrolled.verify("p1", recording(1, 7)), enrolled.verify("p1", recording(2, 7))

        assert (mated.decision, stranger.decision) == (Decision.MATCH, Decision.NON_MATCH)
        assert mated.threshold is None
        assert mated.score > 0
        assert mated.modalities[0].metric is Metric.EUCLIDEAN
        assert mated.modalities[0].distance <= 0.5 < stranger.modalities[0].distance

    def test_a_modality_without_a_rule_is_refused(self, multimodal):
        multimodal.enroll("p1", recording(1), face(1))
        rule = DistancePolicy({Modality.ECG: DistanceRule(Metric.COSINE, 0.5)})
        multimodal.services.galleries.configure(multimodal.caller, "default", rule)

        with pytest.raises(UnprocessableError) as refusal:
            multimodal.verify("p1", recording(1, 7), face(1, 7))

        assert refusal.value.code == "policy_incomplete"
