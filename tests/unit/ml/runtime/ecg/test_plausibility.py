"""Strips that were read wrongly get a warning, computed hearts as they are do not."""

import numpy as np
import pytest

from ml.runtime.ecg.plausibility import warnings_of
from ml.runtime.ecg.signal.conditioning import examine
from ml.synthetic.ecg import SyntheticPerson

PEOPLE = range(24)


def counts(person: int, fs_hz: float = 250.0, heart_rate_bpm: float | None = None) -> np.ndarray:
    ecg_mv = SyntheticPerson.draw(person).record(20.0, fs_hz, heart_rate_bpm=heart_rate_bpm)
    return np.rint(1000.0 * ecg_mv.astype(np.float64))


def warned(raw: np.ndarray, fs_hz: float) -> tuple[str, ...] | None:
    """None for a strip that is refused, which needs no warning."""
    strip = examine(raw, fs_hz)
    return warnings_of(raw, strip) if strip.quality.accepted_s else None


class TestRates:
    @pytest.mark.parametrize("fs_hz", [125.0, 250.0, 500.0])
    def test_of_computed_hearts_are_plausible(self, fs_hz: float) -> None:
        assert [warned(counts(person, fs_hz), fs_hz) for person in PEOPLE] == [()] * len(PEOPLE)

    @pytest.mark.parametrize("wrong_hz", [125.0, 500.0])
    def test_twice_or_half_the_true_one_are_seen_in_nearly_all(self, wrong_hz: float) -> None:
        found = [codes for p in PEOPLE if (codes := warned(counts(p), wrong_hz)) is not None]

        assert len(found) >= 18
        assert sum(not codes for codes in found) <= 2
        assert {code for codes in found for code in codes} == {
            "implausible_heart_rate",
            "implausible_beat_width",
        }

    @pytest.mark.parametrize(("bpm", "wrong_hz"), [(50.0, 500.0), (90.0, 125.0)])
    def test_that_the_heart_rate_does_not_show_are_seen_in_most_by_the_width(
        self, bpm: float, wrong_hz: float
    ) -> None:
        found = [
            codes
            for person in PEOPLE
            if (codes := warned(counts(person, heart_rate_bpm=bpm), wrong_hz)) is not None
        ]

        assert ("implausible_heart_rate",) not in found
        assert len(found) >= 18
        assert found.count(("implausible_beat_width",)) > 0.5 * len(found)

    @pytest.mark.parametrize(
        ("bpm", "codes"), [(45.0, ()), (120.0, ()), (150.0, ("implausible_heart_rate",))]
    )
    def test_of_an_unusual_heart_read_rightly(self, bpm: float, codes: tuple[str, ...]) -> None:
        assert warned(counts(3, heart_rate_bpm=bpm), 250.0) == codes


class TestRepeatedValues:
    @pytest.mark.parametrize("share", [0.0, 0.1])
    def test_are_seen_where_every_sample_came_twice(self, share: float) -> None:
        held = np.repeat(counts(1), 2)
        held[np.random.default_rng(0).random(held.size) < share] = np.nan

        assert warned(held, 500.0) == ("repeated_values",)

    @pytest.mark.parametrize("gain", [0.2, 1.0, 20.0])
    def test_are_seen_in_halves_of_wider_numbers(self, gain: float) -> None:
        words = np.rint(gain * counts(1)).astype("<i4").view("<i2").astype(np.float64)

        assert "repeated_values" in warnings_of(words, examine(words, 250.0))

    def test_are_seen_where_zeros_were_put_between(self) -> None:
        stuffed = np.stack([counts(1), np.zeros(5000)], axis=1).ravel()

        assert warned(stuffed, 500.0) == ("repeated_values",)

    def test_are_not_what_is_missing(self) -> None:
        holed = counts(1)
        holed[100:200] = np.nan
        holed[1000::9] = np.nan

        assert warned(holed, 250.0) == ()

    def test_are_not_coarse_steps(self) -> None:
        coarse = np.rint(counts(1) / 50.0)

        assert warned(coarse, 250.0) == ()
