import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ml.data.readers import read_ecg_id
from ml.runtime.ecg.signal.conditioning import ConditionedEcg, condition, examine
from ml.runtime.ecg.signal.errors import (
    NoHeartbeatError,
    SamplesMissingError,
    SamplingRateUnsupportedError,
    SignalError,
    SignalFlatError,
    SignalNotFiniteError,
    SignalSaturatedError,
    SignalTooShortError,
)
from tests.heartbeats import strip

# Some as devices state them, from a clock or a period.
RATES_HZ = (100.0, 130.03, 199.8049, 250.0, 360.0, 497.5, 500.0, 513.625, 1000.0, 2000.0)


def assert_alike(a: ConditionedEcg, b: ConditionedEcg, gain: float) -> None:
    np.testing.assert_allclose(b.ecg / gain, a.ecg, atol=1e-4 * np.ptp(a.ecg))
    assert np.array_equal(a.r_peaks, b.r_peaks)
    assert b.quality.score == pytest.approx(a.quality.score, abs=1e-4)


class TestCondition:
    @pytest.mark.parametrize("fs_hz", RATES_HZ)
    def test_every_rate_gives_the_same_beats_at_250_hz(self, fs_hz: float) -> None:
        known = strip(fs_hz=fs_hz, noise_mv=0.003)

        conditioned = condition(known.ecg_mv.astype(np.float32), fs_hz)

        assert conditioned.fs_hz == 250.0
        assert conditioned.ecg.dtype == np.float32
        assert abs(conditioned.ecg.size - 2500) <= 1
        np.testing.assert_allclose(conditioned.r_peaks / 250.0, known.r_times_s, atol=0.008)
        assert conditioned.heart_rate_bpm == pytest.approx(60 / 0.83, rel=0.02)

    @pytest.mark.parametrize("fs_hz", RATES_HZ)
    def test_the_mirror_image_differs_in_the_sign_only_to_the_bit(self, fs_hz: float) -> None:
        ecg = strip(fs_hz=fs_hz, noise_mv=0.05, ectopic_every=4).ecg_mv.astype(np.float32)

        upright, mirrored = condition(ecg, fs_hz), condition(-ecg, fs_hz)

        assert np.array_equal(mirrored.ecg, -upright.ecg)
        assert np.array_equal(mirrored.r_peaks, upright.r_peaks)
        assert mirrored.quality == upright.quality
        assert mirrored.heart_rate_bpm == upright.heart_rate_bpm

    @pytest.mark.parametrize(("gain", "offset"), [(1e-6, 0.0), (3e5, 0.0), (1000.0, 1e6), (-300.0, -1e6)])
    def test_gain_and_offset_do_not_matter(self, gain: float, offset: float) -> None:
        ecg = strip(noise_mv=0.03).ecg_mv

        assert_alike(condition(ecg, 250.0), condition(gain * ecg + offset, 250.0), gain)

    def test_a_bare_window_of_300_samples_at_100_hz_is_enough(self) -> None:
        ecg = np.round(800 * strip(fs_hz=100.0, seconds=3.0).ecg_mv) + 2048

        assert condition(ecg, 100.0).quality.accepted_s == pytest.approx(3.0)

    def test_half_a_sample_may_be_missing(self) -> None:
        ecg = strip(fs_hz=497.5, seconds=3.0).ecg_mv  # 1492 samples where 1492.5 are 3 s

        assert condition(ecg, 497.5).quality.accepted_s == pytest.approx(3.0, abs=0.01)

    def test_less_than_three_seconds_are_too_short(self) -> None:
        with pytest.raises(SignalTooShortError):
            condition(strip(seconds=2.9).ecg_mv, 250.0)

    @pytest.mark.parametrize("fs_hz", [0.0, -250.0, 99.9, 2000.1, float("nan"), float("inf")])
    def test_other_rates_are_refused(self, fs_hz: float) -> None:
        with pytest.raises(SamplingRateUnsupportedError):
            condition(strip().ecg_mv, fs_hz)

    @pytest.mark.parametrize("bad", [np.inf, -np.inf, 1e30])
    def test_one_number_that_is_infinite_or_huge_is_refused(self, bad: float) -> None:
        ecg = strip().ecg_mv
        ecg[700] = bad

        with pytest.raises(SignalNotFiniteError):
            condition(ecg, 250.0)

    @pytest.mark.parametrize(
        "not_a_lead", [np.zeros((2, 900)), np.array(1.0), np.zeros(900, dtype=complex), np.array(["a"] * 900)]
    )
    def test_what_is_not_one_lead_of_real_numbers_is_refused(self, not_a_lead: np.ndarray) -> None:
        with pytest.raises(SignalNotFiniteError):
            condition(not_a_lead, 250.0)

    @pytest.mark.parametrize("value", [0.0, 3.3, 1e6])
    def test_a_constant_is_flat(self, value: float) -> None:
        with pytest.raises(SignalFlatError):
            condition(np.full(1000, value, dtype=np.float32), 250.0)

    def test_a_plain_drift_has_no_heartbeat(self) -> None:
        with pytest.raises(NoHeartbeatError):
            condition(np.linspace(-1e7, 1e7, 2500), 250.0)

    def test_a_clipped_strip_is_saturated(self) -> None:
        with pytest.raises(SignalSaturatedError):
            condition(np.clip(strip().ecg_mv, -0.1, 0.4), 250.0)

    @pytest.mark.parametrize("seconds", [3.0, 10.0, 30.0])
    @pytest.mark.parametrize("seed", range(4))
    def test_white_noise_has_no_heartbeat(self, seconds: float, seed: int) -> None:
        with pytest.raises(NoHeartbeatError):
            condition(np.random.default_rng(seed).standard_normal(round(seconds * 250)), 250.0)

    def test_a_sine_above_the_band_leaves_no_beats_at_the_ends(self) -> None:
        with pytest.raises(NoHeartbeatError):
            condition(np.sin(2 * np.pi * 110.4 * np.arange(1500) / 500.0), 500.0)

    def test_mains_hum_does_not_cost_the_beats(self) -> None:
        known = strip(fs_hz=500.0)
        hum = 0.5 * np.sin(2 * np.pi * 50.0 * np.arange(known.ecg_mv.size) / 500.0)

        conditioned = condition(known.ecg_mv + hum, 500.0)

        np.testing.assert_allclose(conditioned.r_peaks / 250.0, known.r_times_s, atol=0.012)
        assert conditioned.quality.score > 0.7

    def test_a_flat_beginning_costs_its_segments_only(self) -> None:
        ecg = strip(seconds=20.0).ecg_mv
        ecg[:1025] = 0.0

        conditioned = condition(ecg, 250.0)

        assert conditioned.quality.accepted_s == 15.0
        assert conditioned.quality.reasons == ("signal_flat",)
        assert conditioned.accepted_r_peaks.min() >= 1250

    @given(
        arrays(
            np.float64,
            st.integers(1, 700),
            elements=st.floats(-1e7, 1e7) | st.sampled_from([0.0, 1e7, -1e7, np.nan, np.inf, 1e-300]),
        ),
        st.sampled_from(RATES_HZ),
    )
    def test_any_array_is_conditioned_or_refused_with_a_reason(self, ecg: np.ndarray, fs_hz: float) -> None:
        with contextlib.suppress(SignalError):
            conditioned = condition(ecg, fs_hz)

            assert np.isfinite(conditioned.ecg).all()
            assert 0.0 <= conditioned.quality.score <= 1.0

    @given(
        impulses=st.lists(st.tuples(st.integers(0, 2499), st.floats(-1e7, 1e7)), max_size=6),
        gain=st.sampled_from([1e-9, 1.0, 1e6]),
    )
    def test_impulses_of_any_size_on_an_ecg_raise_nothing_but_signal_errors(
        self, impulses: list[tuple[int, float]], gain: float
    ) -> None:
        ecg = gain * strip().ecg_mv
        for at, height in impulses:
            ecg[at] += height
        outcomes = []
        for sign in (1.0, -1.0):
            try:
                outcomes.append(condition(sign * ecg, 250.0).quality)
            except SignalError as error:
                outcomes.append(error.code)

        assert outcomes[0] == outcomes[1]


class TestMissingSamples:
    @pytest.mark.parametrize("fs_hz", [100.0, 250.0, 500.0])
    @pytest.mark.parametrize("share", [0.001, 0.01, 0.05])
    def test_single_ones_are_bridged(self, fs_hz: float, share: float) -> None:
        whole = strip(fs_hz=fs_hz, seconds=10.0).ecg_mv
        holed = whole.copy()
        holed[np.random.default_rng(1).random(holed.size) < share] = np.nan

        found, expected = condition(holed, fs_hz), condition(whole, fs_hz)

        assert found.quality.accepted_s == pytest.approx(10.0)
        assert np.corrcoef(found.ecg, expected.ecg)[0, 1] > 0.98

    def test_a_gap_of_a_fifth_of_a_second_costs_nothing(self) -> None:
        ecg = strip(seconds=10.0).ecg_mv
        ecg[1000:1050] = np.nan

        assert condition(ecg, 250.0).quality.accepted_s == pytest.approx(10.0)

    def test_a_gap_of_two_seconds_costs_its_segment(self) -> None:
        ecg = strip(seconds=10.0).ecg_mv
        ecg[300:800] = np.nan

        quality = condition(ecg, 250.0).quality

        assert [segment.reasons for segment in quality.segments] == [("samples_missing",), ()]

    @pytest.mark.parametrize("there", [0, 1, 249])
    def test_hardly_any_sample_is_no_strip(self, there: int) -> None:
        ecg = strip(seconds=10.0).ecg_mv
        ecg[there:] = np.nan

        with pytest.raises(SamplesMissingError):
            condition(ecg, 250.0)

    @pytest.mark.parametrize("edge", [slice(0, 100), slice(-100, None)])
    def test_either_end_may_be_missing(self, edge: slice) -> None:
        ecg = strip(seconds=10.0).ecg_mv
        ecg[edge] = np.nan

        assert condition(ecg, 250.0).quality.accepted_s == pytest.approx(10.0)

    def test_an_end_that_repeats_the_highest_sample_is_not_saturated(self) -> None:
        ecg = strip(seconds=10.0).ecg_mv
        highest = 2100 + int(ecg[2100:].argmax())
        ecg[:highest] = np.minimum(ecg[:highest], ecg[highest])
        ecg[highest + 1 :] = np.nan

        assert condition(ecg, 250.0).quality.accepted_s == pytest.approx(10.0)

    def test_infinity_beside_missing_ones_is_refused(self) -> None:
        ecg = strip(seconds=10.0).ecg_mv
        ecg[100:110], ecg[110] = np.nan, np.inf

        with pytest.raises(SignalNotFiniteError):
            condition(ecg, 250.0)

    def test_the_mirror_image_misses_the_same(self) -> None:
        ecg = strip(seconds=10.0).ecg_mv
        ecg[::37] = np.nan

        np.testing.assert_array_equal(condition(ecg, 250.0).ecg, -condition(-ecg, 250.0).ecg)


class TestExamine:
    def test_a_strip_that_is_refused_is_given_with_the_reason(self) -> None:
        examined = examine(np.random.default_rng(0).standard_normal(2500), 250.0)

        assert examined.quality.accepted_s == 0.0
        assert examined.quality.reasons == ("no_heartbeat",)
        assert examined.heart_rate_bpm is None

    def test_a_good_strip_is_as_conditioned_to_the_bit(self) -> None:
        ecg = strip().ecg_mv

        examined, conditioned = examine(ecg, 250.0), condition(ecg, 250.0)

        assert np.array_equal(examined.ecg, conditioned.ecg)
        assert examined.quality == conditioned.quality

    def test_one_constant_value_is_no_strip(self) -> None:
        with pytest.raises(SignalFlatError):
            examine(np.full(2500, 3.0), 250.0)


@pytest.mark.real_data
class TestConditionOnRealStrips:
    def test_zeros_at_the_beginning_of_person_13_are_left_out(self, data_dir: Path) -> None:
        records = {record.record_id: record for record in read_ecg_id(data_dir / "ecg" / "ecg_id")}
        record = records["Person_13/rec_2"]

        quality = condition(record.signal, record.fs_hz).quality

        assert [s.accepted for s in quality.segments] == [False, True, True, True]
        assert quality.reasons == ("signal_flat",)
