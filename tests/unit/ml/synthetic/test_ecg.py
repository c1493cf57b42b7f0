from __future__ import annotations

import dataclasses
import hashlib
import math
import time

import numpy as np
import pytest

from ml.synthetic.ecg import (
    NO_NOISE,
    TACHOGRAM_FS_HZ,
    Noise,
    SyntheticPerson,
    Wave,
    tachogram,
)

FS_HZ = 500.0
# Rounded to microvolts; a changed model, range or stream of random numbers changes it.
DIGEST = "b740bfd17a7ad9235436c0b061dda307908a8e18e4ecd858b6a86777fdc48f59"


def r_peaks(ecg_mv, fs_hz=FS_HZ):
    """Maxima above half the highest value that are the highest within 0.2 s: enough for noise-free ECG."""
    reach = round(0.2 * fs_hz)
    high = np.flatnonzero(ecg_mv > 0.5 * ecg_mv.max())
    return np.array([i for i in high if ecg_mv[max(0, i - reach) : i + reach + 1].argmax() == min(i, reach)])


def mean_beat(ecg_mv, before_s=0.25, after_s=0.45, fs_hz=FS_HZ):
    before, after = round(before_s * fs_hz), round(after_s * fs_hz)
    whole = [i for i in r_peaks(ecg_mv, fs_hz) if before <= i < ecg_mv.size - after]
    return np.mean([ecg_mv[i - before : i + after] for i in whole], axis=0)


def typical_person():
    """The middle of every range, so that a test does not depend on whom a seed draws."""
    waves = (
        Wave(-165.0, 24.0, 0.11),
        Wave(-30.0, 8.5, -0.09),
        Wave(0.0, 11.0, 0.95),
        Wave(30.0, 9.0, -0.22),
        Wave(265.0, 47.0, 0.27),
    )
    return dataclasses.replace(SyntheticPerson.draw(0), waves=waves)


def power_fraction(ecg_mv, fs_hz, low_hz, high_hz):
    power = np.abs(np.fft.rfft(ecg_mv - ecg_mv.mean())) ** 2
    frequency_hz = np.fft.rfftfreq(ecg_mv.size, 1.0 / fs_hz)
    return power[(frequency_hz >= low_hz) & (frequency_hz <= high_hz)].sum() / power.sum()


class TestDraw:
    def test_equal_seeds_give_equal_people(self):
        assert SyntheticPerson.draw(5) == SyntheticPerson.draw(5)

    def test_other_seeds_give_other_people(self):
        assert len({SyntheticPerson.draw(seed).waves for seed in range(50)}) == 50

    def test_everybody_is_within_normal_limits(self):
        for person in (SyntheticPerson.draw(seed) for seed in range(200)):
            p, q, _, s, t = person.waves
            qrs_onset_ms = q.delay_ms - 2 * q.width_ms
            assert 100 <= qrs_onset_ms - (p.delay_ms - 2 * p.width_ms) <= 210
            assert 70 <= s.delay_ms + 2 * s.width_ms - qrs_onset_ms <= 120
            assert 345 <= t.delay_ms + 2 * t.width_ms - qrs_onset_ms <= 460
            assert 0.0 <= p.height_mv <= 0.25
            assert 4 * p.width_ms <= 120
            assert 50 <= person.resting_rate_bpm <= 90


class TestRecord:
    @pytest.mark.parametrize(
        ("duration_s", "fs_hz", "n_samples"), [(20, 250, 5000), (3, 100, 300), (1.5, 333.3, 500)]
    )
    def test_gives_float32_of_the_requested_length(self, duration_s, fs_hz, n_samples):
        ecg_mv = SyntheticPerson.draw(1).record(duration_s, fs_hz)

        assert (ecg_mv.dtype, ecg_mv.shape) == (np.float32, (n_samples,))
        assert np.isfinite(ecg_mv).all()

    def test_is_determined_by_its_arguments(self):
        digest = hashlib.sha256()
        for seed in range(3):
            ecg_mv = SyntheticPerson.draw(seed).record(10, 250, session=seed, seed=7)
            digest.update(np.round(ecg_mv.astype(np.float64) * 1000.0).astype("<i4").tobytes())

        assert digest.hexdigest() == DIGEST

    def test_the_sampling_rate_changes_nothing_but_the_sampling(self):
        person = SyntheticPerson.draw(2)

        fine = person.record(10, 1000, noise=NO_NOISE)
        coarse = person.record(10, 200, noise=NO_NOISE)

        np.testing.assert_allclose(coarse, fine[::5], atol=0.005)

    @pytest.mark.parametrize("rate_bpm", [40, 60, 75, 120, 180])
    def test_beats_come_at_the_requested_heart_rate(self, rate_bpm):
        ecg_mv = typical_person().record(60, FS_HZ, heart_rate_bpm=rate_bpm, noise=NO_NOISE)

        rr_s = np.diff(r_peaks(ecg_mv)) / FS_HZ

        assert 60.0 / rr_s.mean() == pytest.approx(rate_bpm, rel=0.02)
        assert rr_s.std() / rr_s.mean() == pytest.approx(typical_person().rr_variation, rel=0.35)

    def test_the_person_s_own_rate_is_the_default(self):
        person = SyntheticPerson.draw(4)

        rr_s = np.diff(r_peaks(person.record(60, FS_HZ, session=2, noise=NO_NOISE))) / FS_HZ

        assert 60.0 / rr_s.mean() == pytest.approx(person.in_session(2).resting_rate_bpm, rel=0.02)

    def test_waves_come_in_the_order_p_q_r_s_t(self):
        beat = mean_beat(typical_person().record(30, FS_HZ, heart_rate_bpm=60, noise=NO_NOISE))
        in_window = {
            name: beat[round((0.25 + start) * FS_HZ) : round((0.25 + stop) * FS_HZ)]
            for name, (start, stop) in {
                "P": (-0.22, -0.1),
                "Q": (-0.06, 0),
                "S": (0, 0.06),
                "T": (0.18, 0.4),
            }.items()
        }

        p, q, s, t = in_window["P"].max(), in_window["Q"].min(), in_window["S"].min(), in_window["T"].max()

        isoelectric = np.median(beat)
        assert beat.argmax() == round(0.25 * FS_HZ)
        assert s < q < isoelectric < p < t < beat.max()

    def test_the_t_wave_comes_earlier_at_a_higher_rate_by_the_square_root(self):
        def t_delay_s(rate_bpm):
            ecg_mv = typical_person().record(60, FS_HZ, heart_rate_bpm=rate_bpm, noise=NO_NOISE)
            beat = mean_beat(ecg_mv, before_s=0.0)
            return (beat[60:].argmax() + 60) / FS_HZ

        # The angle grows with √rate while a turn shortens with 1/rate.
        assert t_delay_s(90) / t_delay_s(60) == pytest.approx(math.sqrt(60 / 90), abs=0.04)

    def test_breathing_moves_the_baseline(self):
        person = dataclasses.replace(typical_person(), breathing_hz=0.25, breathing_mv=0.2)
        still = dataclasses.replace(person, breathing_mv=0.0)

        difference = person.record(60, 100, noise=NO_NOISE) - still.record(60, 100, noise=NO_NOISE)

        assert power_fraction(difference, 100, 0.2, 0.3) > 0.95

    def test_sessions_of_a_person_are_more_alike_than_persons(self):
        people = [SyntheticPerson.draw(seed) for seed in range(12)]
        beats = np.array(
            [[mean_beat(p.record(20, FS_HZ, session=s, noise=NO_NOISE)) for s in range(3)] for p in people]
        )
        beats -= beats.mean(axis=-1, keepdims=True)
        beats /= beats.std(axis=-1, keepdims=True)

        within = np.mean([np.square(b[i] - b[j]).mean() for b in beats for i in range(3) for j in range(i)])
        between = np.mean([np.square(beats[i, 0] - beats[j, 1]).mean() for i in range(12) for j in range(i)])

        assert between > 3 * within

    def test_sessions_differ(self):
        person = SyntheticPerson.draw(1)

        assert person.in_session(0).waves != person.in_session(1).waves
        assert person.in_session(1) == person.in_session(1)

    def test_recordings_of_one_session_have_the_same_waves_at_other_times(self):
        person = SyntheticPerson.draw(1)
        first, second = (person.record(30, FS_HZ, noise=NO_NOISE, seed=seed) for seed in (0, 1))

        assert not np.array_equal(first, second)
        assert np.corrcoef(mean_beat(first), mean_beat(second))[0, 1] > 0.995

    @pytest.mark.parametrize(
        ("request_", "message"),
        [
            ({"duration_s": 0, "fs_hz": 250}, "positive duration"),
            ({"duration_s": 10, "fs_hz": -1}, "positive duration"),
            ({"duration_s": math.nan, "fs_hz": 250}, "positive duration"),
            ({"duration_s": 10, "fs_hz": 250, "heart_rate_bpm": 20}, "heart rate of 30 to 200"),
            ({"duration_s": 10, "fs_hz": 250, "heart_rate_bpm": math.nan}, "heart rate of 30 to 200"),
        ],
    )
    def test_says_what_it_cannot_make(self, request_, message):
        with pytest.raises(ValueError, match=message):
            SyntheticPerson.draw(1).record(**request_)

    def test_is_quick(self):
        person = SyntheticPerson.draw(1)

        took_s = []
        for seed in range(5):
            start = time.process_time()
            person.record(20, 250, seed=seed)
            took_s.append(time.process_time() - start)

        # About 4 ms; the bound leaves room for a busy machine.
        assert min(took_s) < 0.05


class TestNoise:
    @pytest.mark.parametrize(
        ("noise", "low_hz", "high_hz"),
        [
            (Noise(wander_mv=0.5, mains_mv=0.0, muscle_snr_db=math.inf), 0.05, 0.5),
            (Noise(wander_mv=0.0, mains_mv=0.5, mains_hz=60.0, muscle_snr_db=math.inf), 59.5, 60.5),
            (Noise(wander_mv=0.0, mains_mv=0.0, muscle_snr_db=0.0), 20.0, 200.0),
        ],
    )
    def test_each_kind_lies_in_its_band(self, noise, low_hz, high_hz):
        person = typical_person()

        added = person.record(20, FS_HZ, noise=noise) - person.record(20, FS_HZ, noise=NO_NOISE)

        assert power_fraction(added, FS_HZ, low_hz, high_hz) > 0.99

    @pytest.mark.parametrize("snr_db", [0.0, 10.0, 20.0])
    def test_muscle_noise_has_the_requested_power(self, snr_db):
        person = typical_person()
        clean = person.record(20, FS_HZ, noise=NO_NOISE)

        noise = Noise(wander_mv=0.0, mains_mv=0.0, muscle_snr_db=snr_db)
        added = person.record(20, FS_HZ, noise=noise) - clean

        assert 10 * np.log10(clean.var() / added.var()) == pytest.approx(snr_db, abs=0.1)

    def test_wander_and_mains_have_the_requested_amplitude(self):
        person = typical_person()
        clean = person.record(20, FS_HZ, noise=NO_NOISE)
        wander = person.record(20, FS_HZ, noise=dataclasses.replace(NO_NOISE, wander_mv=0.3)) - clean
        mains = person.record(20, FS_HZ, noise=dataclasses.replace(NO_NOISE, mains_mv=0.2)) - clean

        assert np.sqrt(np.mean(np.square(wander))) == pytest.approx(0.3, rel=0.01)
        assert np.sqrt(2 * np.mean(np.square(mains))) == pytest.approx(0.2, rel=0.01)

    def test_mains_above_half_the_sampling_rate_is_not_heard(self):
        person = typical_person()
        mains = dataclasses.replace(NO_NOISE, mains_mv=0.2, mains_hz=50.0)

        np.testing.assert_array_equal(
            person.record(5, 100, noise=mains), person.record(5, 100, noise=NO_NOISE)
        )

    def test_does_not_move_the_beats(self):
        person = typical_person()
        noisy = Noise(wander_mv=0.0, mains_mv=0.0, muscle_snr_db=20.0)

        quiet_peaks = r_peaks(person.record(20, FS_HZ, noise=NO_NOISE))
        noisy_peaks = r_peaks(person.record(20, FS_HZ, noise=noisy))

        assert quiet_peaks.size == noisy_peaks.size
        assert np.abs(quiet_peaks - noisy_peaks).max() <= 0.01 * FS_HZ


class TestTachogram:
    @pytest.fixture
    def heart(self):
        return dataclasses.replace(
            SyntheticPerson.draw(0), lf_hf_ratio=0.5, breathing_hz=0.25, rr_variation=0.05
        )

    def test_has_the_requested_mean_and_variation(self, heart):
        rr_s = tachogram(heart, 300.0, 75.0, np.random.default_rng(1))

        assert rr_s.size >= 300 * TACHOGRAM_FS_HZ
        assert rr_s.mean() == pytest.approx(0.8)
        assert rr_s.std() == pytest.approx(0.04)

    def test_its_spectrum_has_a_mayer_wave_and_a_breathing_peak_in_the_requested_ratio(self, heart):
        rr_s = tachogram(heart, 600.0, 60.0, np.random.default_rng(1))

        low = power_fraction(rr_s, TACHOGRAM_FS_HZ, 0.07, 0.13)
        high = power_fraction(rr_s, TACHOGRAM_FS_HZ, 0.22, 0.28)

        assert low + high > 0.99
        assert low / high == pytest.approx(0.5, rel=0.05)
