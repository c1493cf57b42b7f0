"""Strips that were read wrongly get a warning, computed hearts as they are do not."""

import numpy as np
import pytest

from ml.runtime.ecg.plausibility import warnings_of
from ml.runtime.ecg.signal.conditioning import examine
from ml.synthetic.ecg import SyntheticPerson

PEOPLE = range(12)


def counts(person: int, fs_hz: float = 250.0) -> np.ndarray:
    return np.rint(1000.0 * SyntheticPerson.draw(person).record(20.0, fs_hz))


def warned(raw: np.ndarray, fs_hz: float) -> tuple[str, ...]:
    return warnings_of(raw, examine(raw, fs_hz))


class TestWarningsOf:
    def test_computed_hearts_get_none(self) -> None:
        assert [warned(counts(person), 250.0) for person in PEOPLE] == [()] * len(PEOPLE)

    @pytest.mark.parametrize("wrong_hz", [125.0, 500.0])
    def test_another_rate_is_seen_in_most(self, wrong_hz: float) -> None:
        found = [warned(counts(person), wrong_hz) for person in PEOPLE]

        assert sum(not codes for codes in found) <= len(PEOPLE) // 3
        assert {code for codes in found for code in codes} <= {
            "implausible_heart_rate",
            "implausible_beat_width",
        }

    def test_every_sample_twice_is_seen(self) -> None:
        assert "repeated_values" in warned(np.repeat(counts(1), 2), 500.0)

    def test_missing_samples_repeat_nothing(self) -> None:
        holed = counts(1)
        holed[100:200] = np.nan

        assert warned(holed, 250.0) == ()

    def test_half_of_wider_numbers_is_seen(self) -> None:
        words = counts(1).astype("<i4").view("<i2").astype(np.float64)

        assert "repeated_values" in warned(words, 250.0)
