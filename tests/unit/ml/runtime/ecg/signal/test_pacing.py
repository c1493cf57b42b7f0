"""Spikes before every QRS are a pacemaker's; other spikes, and hearts without any, are not."""

import numpy as np
import pytest

from ml.runtime.ecg.signal.conditioning import condition, examine
from ml.runtime.ecg.signal.errors import PacedRhythmError
from ml.runtime.ecg.signal.pacing import spikes_before_beats
from ml.synthetic.ecg import SyntheticPerson

BEATS_S = np.arange(0.5, 20.0, 0.8)


def spiked(person: int, fs_hz: float, *, lag_s: float, width_s: float, height_mv: float) -> np.ndarray:
    ecg = SyntheticPerson.draw(person).record(10.0, fs_hz).astype(np.float64)
    at = np.rint((examine(ecg, fs_hz).r_peaks / 250.0 - lag_s) * fs_hz).astype(int)
    for offset in range(max(1, round(width_s * fs_hz))):
        ecg[at[at >= 0] + offset] += height_mv
    return ecg


class TestCondition:
    @pytest.mark.parametrize("fs_hz", [250.0, 500.0, 1000.0])
    @pytest.mark.parametrize("width_s", [0.001, 0.002, 0.006])
    @pytest.mark.parametrize("height_mv", [1.5, 3.0, -3.0, 10.0])
    @pytest.mark.parametrize("person", range(3))
    def test_a_paced_heart_is_refused(self, person, height_mv, width_s, fs_hz):
        ecg = spiked(person, fs_hz, lag_s=0.06, width_s=width_s, height_mv=height_mv)

        with pytest.raises(PacedRhythmError):
            condition(ecg, fs_hz)

    @pytest.mark.parametrize("person", range(3))
    def test_a_paced_atrium_leaves_the_persons_own_qrs(self, person):
        ecg = spiked(person, 500.0, lag_s=0.2, width_s=0.002, height_mv=3.0)

        assert condition(ecg, 500.0).quality.accepted_s == pytest.approx(10.0)

    def test_computed_hearts_are_not_paced(self):
        for person in range(40):
            condition(SyntheticPerson.draw(person).record(10.0, 500.0), 500.0)


class TestSpikesBeforeBeats:
    def test_at_one_distance_are_a_pacemakers(self):
        assert spikes_before_beats(BEATS_S - 0.08, BEATS_S)

    def test_half_of_the_beats_are_enough(self):
        assert spikes_before_beats(BEATS_S[::2] - 0.08, BEATS_S)

    def test_at_their_own_rate_are_not(self):
        assert not spikes_before_beats(np.arange(0.0, 20.0, 0.37), BEATS_S)

    @pytest.mark.parametrize("seed", range(20))
    def test_at_random_are_not(self, seed):
        spikes_s = np.sort(np.random.default_rng(seed).uniform(0.0, 20.0, 150))

        assert not spikes_before_beats(spikes_s, BEATS_S)

    @pytest.mark.parametrize("lag_s", [0.0, 0.2])
    def test_on_the_beat_or_long_before_are_not(self, lag_s):
        assert not spikes_before_beats(BEATS_S - lag_s, BEATS_S)

    def test_few_beats_prove_nothing(self):
        assert not spikes_before_beats(BEATS_S[:2] - 0.08, BEATS_S[:2])
        assert not spikes_before_beats(np.array([]), BEATS_S)
