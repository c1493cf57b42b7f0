import numpy as np
import pytest

from ml.runtime.ecg.drawing import draw_strip
from ml.runtime.ecg.preparation import EcgFacts
from ml.runtime.ecg.raw_ecg import RawEcg
from ml.runtime.ecg.signal.conditioning import condition, examine
from ml.runtime.ecg.signal.errors import QualityTooLowError, SignalError
from ml.runtime.ecg.strip_preparation import StripPreparation
from ml.runtime.preparation import Preparation
from tests.bundles import STRIP_CONFIG
from tests.heartbeats import NORMAL_BEAT, beat, strip


def loose(seconds: float = 20.0, start_s: float = 10.0, end_s: float = 14.0) -> np.ndarray:
    """A strip whose electrode is off for a while."""
    ecg = strip(seconds=seconds).ecg_mv.copy()
    ecg[round(250 * start_s) : round(250 * end_s)] = 0.0
    return ecg


class TestDrawStrip:
    def test_the_mean_beat_is_the_beat_that_the_strip_was_made_of(self):
        drawing = draw_strip(condition(strip(seconds=30.0).ecg_mv, 250.0))
        true = beat(drawing.beat_times_s, NORMAL_BEAT)
        drift = np.polyval(np.polyfit(drawing.beat_times_s, true, 2), drawing.beat_times_s)

        assert drawing.mean_beat is not None
        assert np.corrcoef(drawing.mean_beat, true - drift)[0, 1] > 0.98
        assert abs(float(drawing.beat_times_s[drawing.mean_beat.argmax()])) <= 0.008

    def test_whole_accepted_beats_alone_are_laid_over_each_other(self):
        conditioned = condition(loose(), 250.0)

        drawing = draw_strip(conditioned)

        n_accepted = conditioned.accepted_r_peaks.size
        assert drawing.accepted.sum() == n_accepted < drawing.r_peaks.size
        assert n_accepted - 2 <= len(drawing.beats) <= n_accepted
        assert drawing.beats.shape[1] == drawing.beat_times_s.size

    def test_a_strip_without_accepted_beats_has_no_mean_beat(self):
        noise = np.random.default_rng(0).standard_normal(2500)

        drawing = draw_strip(examine(noise, 250.0))

        assert drawing.mean_beat is None
        assert len(drawing.beats) == 0
        assert not any(segment.accepted for segment in drawing.segments)

    def test_an_inverted_strip_is_drawn_upside_down(self):
        ecg = strip().ecg_mv

        up, down = (draw_strip(condition(sign * ecg, 250.0)) for sign in (1.0, -1.0))

        np.testing.assert_array_equal(down.mean_beat, -up.mean_beat)


class TestFacts:
    def test_drawing_is_computed_only_when_it_is_wanted(self, monkeypatch):
        calls = []
        monkeypatch.setattr("ml.runtime.ecg.preparation.draw_strip", calls.append)

        prepared = StripPreparation(STRIP_CONFIG).prepare(RawEcg(strip().ecg_mv, 250.0))

        assert calls == []
        assert isinstance(prepared.facts, EcgFacts)
        prepared.facts.drawing()
        assert calls == [prepared.facts.strip]


class TestExamine:
    def test_sees_what_prepare_refuses(self):
        preparation = StripPreparation(STRIP_CONFIG)
        noise = RawEcg(np.random.default_rng(0).standard_normal(2500), 250.0)

        facts = preparation.examine(noise)

        with pytest.raises(SignalError):
            preparation.prepare(noise)
        assert facts is not None
        assert facts.heart_rate_bpm is None
        assert facts.strip.ecg.size == 2500

    def test_sees_nothing_in_what_cannot_be_filtered(self):
        assert StripPreparation(STRIP_CONFIG).examine(RawEcg(np.zeros(2500), 250.0)) is None
        assert StripPreparation(STRIP_CONFIG).examine(RawEcg(np.ones(20), 250.0)) is None

    def test_preparations_that_cannot_look_see_nothing(self):
        class Blind(Preparation[RawEcg]):
            modality, unit = "ecg", "seconds"

            from_dict = constants = classmethod(lambda cls, *_: {})  # type: ignore[assignment]

            def prepare(self, capture):
                raise QualityTooLowError("nothing")

            def example(self):
                return RawEcg(np.zeros(1), 1.0)

        assert Blind().examine(RawEcg(np.zeros(2500), 250.0)) is None
