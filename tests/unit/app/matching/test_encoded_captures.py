from threading import Barrier

import numpy as np
import pytest

from app.domain.captures import EcgStrip, FaceImage
from app.domain.errors import FailureToAcquireError, FailureToEnrollError, UnprocessableError
from app.domain.references import Modality
from app.domain.scores import ModalityStatus
from app.matching.encoded_captures import EncodedCaptures, encode
from tests.factories import FS_HZ, strip
from tests.fakes import FakeEncoder, FakeEncoders, FakeFaceEncoder

FACE = FaceImage(b"no encoder reads it")


def ecg(seconds: float = 5.0) -> EcgStrip:
    return EcgStrip(strip(1, seconds=seconds).astype(np.float32), FS_HZ)


class CountingEncoder(FakeEncoder):
    def __init__(self, version: str = "2026.11") -> None:
        super().__init__(version)
        self.encoded = 0

    def encode(self, capture):
        self.encoded += 1
        return super().encode(capture)


class TestEncode:
    def test_the_default_encoders_at_once_and_others_when_added(self):
        new, old = CountingEncoder("2027.01"), CountingEncoder()
        captures = encode([ecg(), ecg()], FakeEncoders(new, old))

        before = (new.encoded, old.encoded)
        captures.add([new, old])

        assert before == (2, 0)
        assert (new.encoded, old.encoded) == (2, 2)

    def test_each_capture_once(self):
        encoder = CountingEncoder()
        captures = encode([ecg()], FakeEncoders(encoder))

        for _ in range(2):
            captures.batch(encoder)
            captures.rejections(0.0)

        assert encoder.encoded == 1

    def test_nothing_is_encoded_by_making_the_object(self):
        encoder = CountingEncoder()

        captures = EncodedCaptures([ecg()], FakeEncoders(encoder))

        assert encoder.encoded == 0
        assert not captures.holds(encoder)


class TestSideBySide:
    def test_modalities_are_encoded_at_the_same_time(self):
        """Each encoder waits for the other: one after the other, both would wait for ever."""
        meeting = Barrier(2, timeout=10.0)

        class Waiting(FakeEncoder):
            def encode(self, capture):
                meeting.wait()
                return super().encode(capture)

        class WaitingFace(FakeFaceEncoder):
            def encode(self, capture):
                meeting.wait()
                return super().encode(capture)

        encoders = FakeEncoders(Waiting(), WaitingFace())

        captures = encode([FaceImage(b"none"), ecg()], encoders)

        assert [len(captures.batch(encoder).accepted) for encoder in encoders.all()] == [1, 0]
        assert [one.index for one in captures.rejections(0.0)] == [0]

    def test_what_comparing_shows_to_be_wrong_is_refused_after_all(self):
        encoder = FakeEncoder()
        captures = encode([ecg(), ecg(0.5), ecg()], FakeEncoders(encoder))

        captures.reject(encoder, "fingerprint_mirrored", "flipped")

        assert captures.accepted(encoder, 0.0) == ()
        assert [(one.index, one.code) for one in captures.rejections(0.0)] == [
            (0, "fingerprint_mirrored"),
            (1, "signal_too_short"),
            (2, "fingerprint_mirrored"),
        ]


class TestRequireUsable:
    def test_one_usable_capture_suffices(self):
        encode([ecg(2.0), ecg(), FACE], FakeEncoders()).require_usable(0.0)

    def test_names_every_rejection_by_its_index(self):
        with pytest.raises(FailureToEnrollError) as refused:
            encode([ecg(2.0), FACE], FakeEncoders()).require_usable(0.0, FailureToEnrollError)

        assert refused.value.code == "signal_too_short"
        assert [fault.pointer for fault in refused.value.faults] == ["/recordings/0", "/recordings/1"]

    def test_quality_below_the_floor_is_a_rejection(self):
        with pytest.raises(FailureToAcquireError) as refused:
            encode([ecg()], FakeEncoders()).require_usable(1.0)

        assert refused.value.code == "quality_too_low"

    def test_a_modality_without_encoder_is_not_the_captures_fault(self):
        with pytest.raises(UnprocessableError) as refused:
            encode([FACE], FakeEncoders()).require_usable(0.0)

        assert refused.value.code == "modality_unavailable"


class TestStatus:
    def test_of_a_modality_that_cannot_be_scored(self):
        captures = encode([ecg(2.0), FACE], FakeEncoders())

        assert captures.status_of(Modality.ECG, 0.0) == (ModalityStatus.REJECTED_QUALITY, "signal_too_short")
        assert captures.status_of(Modality.FACE, 0.0) == (
            ModalityStatus.UNAVAILABLE,
            "modality_unavailable",
        )


class TestLongestEcg:
    def test_is_that_with_the_most_seconds(self):
        facts = encode([ecg(4.0), ecg(9.0), ecg(2.0)], FakeEncoders()).longest_ecg

        assert facts is not None
        assert np.size(facts.strip) == 9.0 * FS_HZ

    def test_without_one_there_are_no_facts(self):
        assert encode([FACE], FakeEncoders()).longest_ecg is None
