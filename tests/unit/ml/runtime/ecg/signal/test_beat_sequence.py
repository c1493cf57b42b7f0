from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.runtime.ecg.signal import constants as c
from ml.runtime.ecg.signal.beat_sequence import _best_path, _t_wave_penalty, most_plausible_sequence


def chosen(candidates: list[tuple[float, float, float]]) -> list[float]:
    """Times of the chosen ones among (time, height, sharpness)."""
    times, height, sharpness = np.array(candidates).T
    return times[most_plausible_sequence(times, height, sharpness)].tolist()


def regular(n_beats: int = 12, rr_s: float = 0.8) -> list[tuple[float, float, float]]:
    return [(0.5 + i * rr_s, 1.0, 1.0) for i in range(n_beats)]


def with_extra(*extra: tuple[float, float, float]) -> list[tuple[float, float, float]]:
    return sorted(regular() + list(extra))


class TestMostPlausibleSequence:
    def test_regular_beats_are_all_chosen(self) -> None:
        assert chosen(regular()) == [time for time, _, _ in regular()]

    def test_blunt_waves_after_each_beat_are_t_waves(self) -> None:
        t_waves = [(time + 0.3, 0.7, 0.15) for time, _, _ in regular()]

        assert chosen(sorted(regular() + t_waves)) == [time for time, _, _ in regular()]

    def test_an_equally_sharp_early_beat_is_a_beat(self) -> None:
        early = (0.5 + 4 * 0.8 + 0.42, 0.9, 0.9)

        assert early[0] in chosen(with_extra(early))

    def test_a_wide_premature_beat_is_a_beat(self) -> None:
        wide = (0.5 + 4 * 0.8 + 0.5, 0.8, 0.3)

        assert wide[0] in chosen(with_extra(wide))

    def test_a_low_beat_is_found_where_the_rhythm_expects_it(self) -> None:
        candidates = regular()
        time, _, _ = candidates[5]
        candidates[5] = (time, 0.22, 0.22)

        assert time in chosen(candidates)

    def test_the_same_low_peak_between_two_beats_is_noise(self) -> None:
        noise = (0.5 + 5 * 0.8 + 0.4, 0.22, 0.22)

        assert noise[0] not in chosen(with_extra(noise))

    def test_a_peak_that_towers_above_all_beats_is_an_artifact(self) -> None:
        giant = (0.5 + 5 * 0.8 + 0.4, 30.0, 30.0)

        assert chosen(with_extra(giant)) == [time for time, _, _ in regular()]

    def test_a_pause_is_left_empty(self) -> None:
        candidates = [c for c in regular() if not 3.0 < c[0] < 4.5]

        assert chosen(candidates) == [time for time, _, _ in candidates]

    @pytest.mark.parametrize("n_candidates", [0, 1, 2])
    def test_with_too_few_beats_for_a_rhythm_height_decides(self, n_candidates: int) -> None:
        candidates = regular()[:n_candidates]
        arrays = np.array(candidates).reshape(-1, 3).T

        assert most_plausible_sequence(*arrays).tolist() == list(range(n_candidates))


def path_by_weighing_all(
    times_s: list[float], evidence: list[float], sharpness: list[float], usual_rr_s: list[float]
) -> list[int]:
    """The same dynamic programme, in the order of time and without skipping anything."""
    total: list[float] = []
    paths: list[list[int]] = []
    for j, time_s in enumerate(times_s):
        best, path = (0.0, []) if j < c.PATH_REACH else (-np.inf, [])
        for i in range(max(0, j - c.PATH_REACH), j):
            rr_s = time_s - times_s[i]
            rhythm = c.RHYTHM_PENALTY * min(abs(log(rr_s / usual_rr_s[j])), c.RHYTHM_PENALTY_CAP)
            value = total[i] - rhythm - _t_wave_penalty(rr_s, sharpness[j] / sharpness[i])
            if value > best:
                best, path = value, paths[i]
        total.append(best + evidence[j])
        paths.append([*path, j])
    last = range(max(0, len(total) - c.PATH_REACH), len(total))
    return paths[max(last, key=total.__getitem__)]


class TestBestPath:
    # Few different values, so that many paths are equally good.
    @given(
        st.lists(
            st.tuples(
                st.sampled_from([0.25, 1.0]),
                st.sampled_from([-2.0, 0.0, 1.0, c.RHYTHM_PENALTY * c.RHYTHM_PENALTY_CAP]),
                st.sampled_from([0.25, 1.0]),
                st.sampled_from([1.0, 1000.0]),
            ),
            min_size=1,
            max_size=40,
        )
    )
    def test_skipping_what_cannot_win_changes_no_path(
        self, steps: list[tuple[float, float, float, float]]
    ) -> None:
        rr_s, evidence, sharpness, usual_rr_s = (list(values) for values in zip(*steps, strict=True))
        candidates = np.cumsum(rr_s).tolist(), evidence, sharpness, usual_rr_s

        assert _best_path(*candidates).tolist() == path_by_weighing_all(*candidates)
