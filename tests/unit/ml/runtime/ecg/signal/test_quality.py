from contextlib import suppress

import numpy as np
import pytest

from ml.runtime.ecg.signal.conditioning import condition
from ml.runtime.ecg.signal.errors import SignalError
from ml.runtime.ecg.signal.filters import band_pass
from ml.runtime.ecg.signal.qrs import locate_qrs
from ml.runtime.ecg.signal.quality import Segment, SignalQuality, _stretches, assess_quality, segment_edges
from tests.heartbeats import strip
from tests.noises import NOISES

FS_HZ = 250.0


def assessed(ecg_mv: np.ndarray, **defects: np.ndarray) -> SignalQuality:
    clean = band_pass(ecg_mv, FS_HZ, 0.5, 40.0)
    return assess_quality(clean, FS_HZ, locate_qrs(clean), defects)


STRIPS = 50
# What passed of 50 strips each when the limits were chosen.
NOISES_LIKE_HEARTS = [
    ("twitches", 3, 11),
    ("twitches", 5, 14),
    ("twitches", 10, 24),
    ("motion", 3, 6),
    ("motion", 5, 13),
    ("motion", 10, 31),
]


def accepted_strips(noise: str, seconds: int) -> int:
    accepted = 0
    for seed in range(STRIPS):
        ecg = NOISES[noise](round(seconds * FS_HZ), np.random.default_rng([seed, seconds]))
        with suppress(SignalError):
            accepted += condition(ecg, FS_HZ).quality.accepted_s > 0.0
    return accepted


class TestAssessQuality:
    def test_a_clean_strip_is_accepted_whole(self) -> None:
        quality = assessed(strip(seconds=20.0).ecg_mv)

        assert quality.score > 0.8
        assert quality.accepted_s == 20.0
        assert quality.reasons == ()

    def test_more_noise_means_a_lower_score(self) -> None:
        scores = [
            assessed(strip(seconds=15.0, noise_mv=mv).ecg_mv).score for mv in (0.01, 0.05, 0.1, 0.2, 0.4)
        ]

        assert scores == sorted(scores, reverse=True)
        assert scores[0] > scores[-1] + 0.4

    @pytest.mark.parametrize("seed", range(5))
    def test_white_noise_has_no_heartbeat(self, seed: int) -> None:
        quality = assessed(np.random.default_rng(seed).standard_normal(2500))

        assert quality.accepted_s == 0.0
        assert quality.reasons[0] == "no_heartbeat"

    @pytest.mark.parametrize("noise", ["white", "pink", "brown", "muscle"])
    @pytest.mark.parametrize("seconds", [3, 5, 10])
    def test_no_strip_of_plain_noise_is_accepted(self, noise: str, seconds: int) -> None:
        assert accepted_strips(noise, seconds) == 0

    @pytest.mark.parametrize(("noise", "seconds", "at_most"), NOISES_LIKE_HEARTS)
    def test_few_strips_that_imitate_heartbeats_are_accepted(
        self, noise: str, seconds: int, at_most: int
    ) -> None:
        assert accepted_strips(noise, seconds) <= at_most

    @pytest.mark.parametrize("seconds", [3.0, 5.0, 10.0])
    def test_slow_drift_larger_than_the_beats_costs_no_seconds(self, seconds: float) -> None:
        ecg_mv = strip(seconds=seconds).ecg_mv
        drift_mv = 2.0 * np.sin(2 * np.pi * 0.7 * np.arange(ecg_mv.size) / FS_HZ)

        quality = assessed(ecg_mv + drift_mv)

        assert quality.accepted_s == seconds
        assert quality.score > 0.5

    def test_two_shapes_in_turn_are_heartbeats_although_they_are_unlike(self) -> None:
        quality = assessed(strip(seconds=5.0, ectopic_every=2).ecg_mv)

        assert quality.accepted_s == 5.0
        assert quality.score < 0.5

    def test_jumps_that_do_not_return_are_refused_however_steep(self) -> None:
        ecg_mv = 0.01 * np.random.default_rng(0).standard_normal(1250)
        for at, size in ((200, 1.0), (420, -1.2), (650, 1.1), (880, -0.9), (1090, 1.0)):
            ecg_mv[at:] += size

        quality = assessed(ecg_mv)

        assert quality.accepted_s == 0.0
        assert quality.reasons == ("quality_too_low",)

    @pytest.mark.parametrize("frequency_hz", [0.8, 1.3, 3.0, 8.0])
    def test_a_sine_has_no_heartbeat_however_regular(self, frequency_hz: float) -> None:
        quality = assessed(np.sin(2 * np.pi * frequency_hz * np.arange(2500) / FS_HZ))

        assert quality.accepted_s == 0.0

    def test_only_the_spoiled_segment_is_rejected(self) -> None:
        ecg_mv = strip(seconds=20.0).ecg_mv
        ecg_mv[1250:2500] += np.random.default_rng(1).standard_normal(1250)

        quality = assessed(ecg_mv)

        assert [s.accepted for s in quality.segments] == [True, False, True, True]
        assert quality.accepted_s == 15.0

    @pytest.mark.parametrize(("lost_samples", "accepted"), [(300, True), (500, False)])
    def test_a_segment_with_too_many_lost_samples_is_rejected(
        self, lost_samples: int, accepted: bool
    ) -> None:
        ecg_mv = strip(seconds=10.0).ecg_mv
        flat = np.arange(ecg_mv.size) < lost_samples

        quality = assessed(ecg_mv, signal_flat=flat)

        assert quality.segments[0].accepted is accepted
        assert quality.segments[1].accepted
        assert ("signal_flat" in quality.reasons) is not accepted

    def test_a_segment_without_beats_is_rejected_although_its_neighbors_have_them(self) -> None:
        ecg_mv = strip(seconds=15.0).ecg_mv
        ecg_mv[1250:2500] *= 0.02

        quality = assessed(ecg_mv)

        assert [s.accepted for s in quality.segments] == [True, False, True]

    def test_one_good_beat_where_five_are_due_does_not_carry_a_segment(self) -> None:
        known = strip(seconds=15.0)
        clean = band_pass(known.ecg_mv, FS_HZ, 0.5, 40.0)
        r_peaks = np.rint(known.r_times_s * FS_HZ).astype(np.int64)
        middle = np.flatnonzero((r_peaks >= 1250) & (r_peaks < 2500))

        quality = assess_quality(clean, FS_HZ, np.delete(r_peaks, middle[1:]))

        assert [s.accepted for s in quality.segments] == [True, False, True]

    def test_it_is_the_same_for_the_mirror_image(self) -> None:
        ecg_mv = strip(seconds=17.0, noise_mv=0.1, ectopic_every=3).ecg_mv

        assert assessed(-ecg_mv) == assessed(ecg_mv)

    @pytest.mark.parametrize("r_peaks", [[], [400]])
    def test_fewer_than_two_beats_are_no_heartbeat(self, r_peaks: list[int]) -> None:
        ecg = strip(seconds=4.0).ecg_mv

        quality = assess_quality(ecg, FS_HZ, np.array(r_peaks, dtype=np.int64))

        assert quality.score == 0.0
        assert quality.reasons == ("no_heartbeat",)

    def test_two_beats_are_enough(self) -> None:
        quality = assessed(strip(seconds=3.0, rr_s=1.4).ecg_mv)

        assert quality.accepted_s == 3.0


class TestSignalQuality:
    quality = SignalQuality(
        score=0.5,
        segments=(
            Segment(0.0, 5.0, 0.0, False, ("signal_flat",)),
            Segment(5.0, 10.0, 0.5, True),
            Segment(10.0, 14.0, 0.1, False, ("quality_too_low",)),
            Segment(14.0, 18.0, 0.1, False, ("quality_too_low",)),
        ),
    )

    def test_reasons_come_with_the_most_expensive_first(self) -> None:
        assert self.quality.reasons == ("quality_too_low", "signal_flat")

    def test_accepted_seconds_are_those_of_accepted_segments(self) -> None:
        assert self.quality.accepted_s == 5.0

    def test_moments_are_accepted_with_their_segment(self) -> None:
        times_s = np.array([0.0, 4.999, 5.0, 9.999, 10.0, 17.9])

        assert self.quality.accepts(times_s).tolist() == [False, False, True, True, False, False]


class TestStretches:
    @pytest.mark.parametrize("n_beats", [0, 1, 12, 119, 121, 250, 4000])
    def test_every_beat_is_in_one_of_nearly_equal_size(self, n_beats: int) -> None:
        beats = np.arange(n_beats)
        stretches = [beats[some] for some in _stretches(n_beats)]

        assert np.concatenate(stretches).tolist() == beats.tolist()
        assert np.ptp([stretch.size for stretch in stretches]) <= 1
        assert len(stretches) == max(1, round(n_beats / 80))


class TestSegmentEdges:
    @pytest.mark.parametrize(
        ("seconds", "n_segments"), [(3.0, 1), (5.0, 1), (7.0, 1), (8.0, 2), (10.0, 2), (30.0, 6)]
    )
    def test_pieces_are_about_five_seconds(self, seconds: float, n_segments: int) -> None:
        edges = segment_edges(round(seconds * 250), 250.0)

        assert len(edges) == n_segments + 1
        assert (edges[0], edges[-1]) == (0, round(seconds * 250))
