import tracemalloc

import numpy as np
import pytest

from app.adapters.activity import BundleRecognizer, load_recognizer
from app.domain.activity import ActivityTimeline
from app.domain.captures import EcgStrip
from app.domain.errors import ConfigurationError, FailureToAcquireError
from ml.runtime.bundle import read_bundle
from ml.runtime.ecg.activity.recognizer import ActivityCall, Baseline, SegmentEvidence
from ml.runtime.ecg.activity.recognizer import ActivityTimeline as Found
from ml.runtime.ecg.signal.conditioning import condition
from ml.synthetic.ecg import SyntheticPerson
from tests.bundles import write_activity_files

FS_HZ = 100.0


class ByHeartRate:
    """Tells activities by heart rate in segments of 5 s; what quality refuses allows no call."""

    encoder_id = "activity@1"
    classes = ("rest", "walk", "run")

    def __init__(self):
        self.read_s = []

    def baseline(self, resting):
        rate_bpm = resting.heart_rate_bpm
        return None if rate_bpm is None else Baseline(np.array([rate_bpm], dtype=np.float32), self.encoder_id)

    def timeline(self, strip, baseline=None):
        return self.chained([self.evidence(strip, baseline)])

    def evidence(self, strip, baseline=None, span_s=(0.0, np.inf)):
        self.read_s.append(strip.ecg.size / strip.fs_hz)
        segments = [s for s in strip.quality.segments if span_s[0] <= s.start_s < span_s[1]]
        usual_bpm = 70.0 if baseline is None else float(baseline.values[0])
        starts, ends = (np.array([getattr(s, name) for s in segments]) for name in ("start_s", "end_s"))
        peaks_s = strip.r_peaks / strip.fs_hz
        rates = np.array([self._rate(peaks_s, *span) for span in zip(starts, ends, strict=True)])
        runs = rates[:, None] > 1.3 * usual_bpm
        return SegmentEvidence(
            start_s=starts,
            end_s=ends,
            log_evidence=np.log(np.where(runs, [0.1, 0.2, 0.7], [0.8, 0.1, 0.1])),
            heart_rate_bpm=rates,
            quality=np.array([s.score for s in segments]),
            unknown=np.array([not s.accepted for s in segments]),
            own_rest=baseline is not None,
        )

    def chained(self, parts):
        """Segments one after another; none is judged by another."""
        names = set(vars(parts[0])) - {"own_rest"}
        found = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        return Found(probabilities=np.exp(found.pop("log_evidence")), **found)

    def activity(self, strip, baseline=None):
        if strip.heart_rate_bpm is None:
            return ActivityCall(None, None, np.full(3, 1 / 3), None)
        return ActivityCall("rest", 0.8, np.array([0.8, 0.1, 0.1]), strip.heart_rate_bpm)

    def _rate(self, peaks_s, start_s, end_s):
        inside = peaks_s[(peaks_s >= start_s) & (peaks_s < end_s)]
        return np.nan if inside.size < 2 else 60.0 / np.median(np.diff(inside))


def beats(seconds, rate_bpm=60.0, *, fs_hz=FS_HZ):
    person = SyntheticPerson.draw(5)
    return person.record(seconds, fs_hz, heart_rate_bpm=rate_bpm).astype(np.float32)


def noise(seconds):
    return np.random.default_rng(3).standard_normal(round(seconds * FS_HZ)).astype(np.float32)


def flat(seconds):
    return np.zeros(round(seconds * FS_HZ), dtype=np.float32)


def recording(*parts, fs_hz=FS_HZ):
    return EcgStrip(np.concatenate(parts), fs_hz)


@pytest.fixture
def inner():
    return ByHeartRate()


@pytest.fixture
def recognizer(inner, tmp_path):
    return BundleRecognizer(inner, read_bundle(write_activity_files(tmp_path)))


def timeline(recognizer, strip, baseline=None):
    """All segments, and how often the work stopped for others."""
    pieces, stops = recognizer.timeline(strip, baseline), 0
    while True:
        try:
            next(pieces)
        except StopIteration as stop:
            return stop.value, stops
        stops += 1


class TestTimeline:
    def test_says_what_happened_when(self, recognizer):
        segments, _ = timeline(recognizer, recording(beats(30.0), beats(30.0, 140.0)))

        assert {segment.activity for segment in segments[:5]} == {"rest"}
        assert {segment.activity for segment in segments[7:]} == {"run"}
        assert segments[0].probabilities == pytest.approx({"rest": 0.8, "walk": 0.1, "run": 0.1})
        assert segments[0].heart_rate_bpm == pytest.approx(60.0, abs=5.0)
        assert segments[-1].quality > 0.5

    @pytest.mark.parametrize("seconds", [60.0, 61.3, 500.7, 720.0])
    def test_covers_the_strip_without_gaps_or_overlap(self, recognizer, seconds):
        segments, _ = timeline(recognizer, recording(beats(seconds)))

        edges = [segments[0].start_s, *(segment.end_s for segment in segments)]
        assert edges[0] == 0.0
        assert [segment.start_s for segment in segments[1:]] == edges[1:-1]
        assert edges[-1] == pytest.approx(seconds, abs=0.01)
        assert all(segment.duration_s > 0.0 for segment in segments)

    def test_long_strips_are_read_in_pieces_that_overlap(self, recognizer, inner):
        _, stops = timeline(recognizer, recording(beats(300.0)))

        assert stops == 4
        assert inner.read_s == [90.0, 120.0, 120.0, 120.0, 90.0]

    def test_memory_does_not_grow_with_the_strip(self, recognizer):
        minute = beats(60.0)
        strips = [recording(np.tile(minute, minutes)) for minutes in (4, 16)]

        peaks = []
        for strip in strips:
            tracemalloc.start()
            timeline(recognizer, strip)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()

        assert peaks[1] < 1.3 * peaks[0]

    def test_a_strip_of_less_than_two_pieces_is_read_at_once(self, recognizer, inner):
        _, stops = timeline(recognizer, recording(beats(119.0)))

        assert (stops, inner.read_s) == (0, [119.0])

    def test_pieces_tell_what_the_whole_would(self, recognizer, inner):
        strip = recording(beats(100.0), beats(170.0, 140.0), beats(330.0))
        whole = inner.timeline(condition(strip.signal, FS_HZ))

        segments, _ = timeline(recognizer, strip)

        assert [segment.start_s for segment in segments] == whole.start_s.tolist()
        told = np.array([list(segment.probabilities.values()) for segment in segments])
        assert np.array_equal(told, whole.probabilities)

    def test_what_allows_no_call_is_unknown_amid_the_rest(self, recognizer):
        segments, _ = timeline(recognizer, recording(beats(30.0), flat(20.0), beats(30.0)))

        by_time = {segment.start_s: segment.activity for segment in segments}
        assert (by_time[10.0], by_time[40.0], by_time[70.0]) == ("rest", "unknown", "rest")
        assert segments[8].probabilities == {}

    def test_a_piece_without_anything_to_read_is_unknown_as_a_whole(self, recognizer):
        segments, _ = timeline(recognizer, recording(beats(120.0), flat(480.0), beats(120.0)))

        assert {segment.activity for segment in segments if segment.end_s <= 120.0} == {"rest"}
        assert {segment.activity for segment in segments if 130.0 <= segment.start_s < 590.0} == {"unknown"}
        assert {segment.activity for segment in segments if segment.start_s >= 600.0} == {"rest"}

    @pytest.mark.parametrize(
        ("parts", "code"),
        [
            ((flat(10.0),), "signal_flat"),
            ((noise(10.0),), "no_heartbeat"),
            ((beats(2.0),), "signal_too_short"),
            ((noise(300.0), flat(300.0)), "no_heartbeat"),
        ],
    )
    def test_a_strip_that_allows_no_call_at_all_is_refused(self, recognizer, parts, code):
        with pytest.raises(FailureToAcquireError) as refused:
            timeline(recognizer, recording(*parts))

        assert refused.value.code == code

    def test_a_baseline_moves_the_calls(self, recognizer):
        strip = recording(beats(30.0, 140.0))
        baseline = recognizer.baseline(recording(beats(20.0, 135.0)))

        alone, compared = (ActivityTimeline.of(timeline(recognizer, strip, b)[0], recognizer.card)
                           for b in (None, baseline))  # fmt: skip

        assert (alone.activity, compared.activity) == ("run", "rest")


class TestBaseline:
    @pytest.mark.parametrize(("strip", "code"), [(flat(10.0), "signal_flat"), (noise(10.0), "no_heartbeat")])
    def test_of_a_poor_strip_is_refused(self, recognizer, strip, code):
        with pytest.raises(FailureToAcquireError) as refused:
            recognizer.baseline(recording(strip))

        assert refused.value.code == code


class TestEstimate:
    def test_reads_a_strip_that_was_conditioned_before(self, recognizer):
        strip = condition(beats(10.0), FS_HZ)

        estimate = recognizer.estimate(strip)

        assert (estimate.activity, estimate.probability) == ("rest", 0.8)
        assert estimate.heart_rate_bpm == strip.heart_rate_bpm


class TestCard:
    def test_is_what_the_bundle_says(self, recognizer, tmp_path):
        info = read_bundle(tmp_path / "activity@1")

        assert recognizer.card.encoder_id == "activity@1"
        assert (recognizer.card.sha256, recognizer.card.licence) == (info.sha256, "GPL-3.0")
        assert recognizer.card.classes == ("rest", "walk", "run")


class TestLoadRecognizer:
    def test_of_a_folder_without_such_a_bundle_is_none(self, tmp_path):
        assert load_recognizer(tmp_path) is None

    def test_one_that_was_chosen_must_be_there(self, tmp_path):
        with pytest.raises(ConfigurationError, match=r"names 'activity@2' for activity; loaded are: none\.$"):
            load_recognizer(tmp_path, "activity@2")

    def test_a_damaged_bundle_stops_the_start_even_if_another_is_chosen(self, tmp_path):
        write_activity_files(tmp_path, "activity@1")
        (write_activity_files(tmp_path, "activity@2") / "card.md").write_text("another card")

        with pytest.raises(ConfigurationError, match=r"^bundle activity@2: checksum of card\.md"):
            load_recognizer(tmp_path, "activity@1")
