import numpy as np
import pytest

from app.domain.captures import EcgStrip, FaceImage
from app.domain.errors import FailureToAcquireError, UnprocessableError
from app.domain.references import Modality
from app.domain.scores import ActivityEstimate
from app.matching.decision_report import activity_of
from app.matching.encoded_captures import encode
from app.services.activity import ActivityService
from tests.factories import FS_HZ, strip
from tests.fakes import FakeEncoders, FakeFaceEncoder, FakeRecognizer


def ecg(seconds: float = 10.0, *, loudness: float = 1.0) -> EcgStrip:
    signal = loudness * strip(1, seconds=seconds)
    return EcgStrip(signal.astype(np.float32), FS_HZ)


def flat() -> EcgStrip:
    return EcgStrip(np.zeros(1000, dtype=np.float32), FS_HZ)


def finished(pieces):
    """The result of work in pieces, and how many times it stopped in between."""
    stops = 0
    while True:
        try:
            next(pieces)
        except StopIteration as stop:
            return stop.value, stops
        stops += 1


class TestActivityService:
    def test_without_a_bundle_nothing_is_told(self):
        with pytest.raises(UnprocessableError) as refused:
            finished(ActivityService(None).recognize(ecg()))

        assert refused.value.code == "modality_unavailable"

    def test_sums_up_a_timeline(self):
        timeline, _ = finished(ActivityService(FakeRecognizer()).recognize(ecg(10.0)))

        assert [segment.activity for segment in timeline.segments] == ["rest", "rest"]
        assert (timeline.activity, timeline.encoder) == ("rest", "fakeactivity@2026.11")

    def test_gives_others_their_turn_between_pieces(self):
        service = ActivityService(FakeRecognizer())

        stops = [finished(service.recognize(ecg(seconds)))[1] for seconds in (60.0, 120.0, 300.0)]

        assert stops == [0, 1, 4]

    def test_compares_with_the_wearers_own_rest(self):
        service = ActivityService(FakeRecognizer())

        alone, _ = finished(service.recognize(ecg(loudness=4.0)))
        compared, _ = finished(service.recognize(ecg(loudness=4.0), ecg(loudness=4.0)))

        assert (alone.activity, compared.activity) == ("walk", "rest")

    @pytest.mark.parametrize(
        ("recording", "rest", "pointer"), [(flat(), ecg(), "/recording"), (ecg(), flat(), "/rest")]
    )
    def test_a_poor_strip_is_refused_by_its_place(self, recording, rest, pointer):
        with pytest.raises(FailureToAcquireError) as refused:
            finished(ActivityService(FakeRecognizer()).recognize(recording, rest))

        assert refused.value.code == "signal_flat"
        assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [(pointer, "signal_flat")]


class TestActivityOf:
    """`decision_report.activity_of`: what a decision says beside identity."""

    def test_is_told_of_the_longest_strip(self):
        captures = encode([ecg(5.0), ecg(20.0, loudness=12.0), ecg(10.0)], FakeEncoders())

        assert activity_of(captures, FakeRecognizer()) == ActivityEstimate("run", 0.8, 72.0)

    def test_without_a_bundle_is_the_heart_rate_alone(self):
        captures = encode([ecg()], FakeEncoders())

        assert activity_of(captures, None) == ActivityEstimate(None, None, 72.0)

    def test_of_other_modalities_there_is_none(self):
        face = np.ones(12, dtype=np.float32) + np.arange(12, dtype=np.float32)
        captures = encode([FaceImage(face.tobytes())], FakeEncoders(FakeFaceEncoder()))

        assert activity_of(captures, FakeRecognizer()) is None

    def test_the_strip_is_not_encoded_again(self):
        encoders = FakeEncoders()
        encoder = encoders.default(Modality.ECG)
        asked = []
        once = encoder.encode
        encoder.encode = lambda capture: (asked.append(1), once(capture))[1]
        captures = encode([ecg()], encoders)

        activity_of(captures, FakeRecognizer())

        assert len(asked) == 1
