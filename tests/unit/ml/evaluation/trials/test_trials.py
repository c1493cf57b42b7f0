import datetime

import numpy as np
import pytest

from ml.data.records import EcgRecord
from ml.evaluation.trials.trials import Cut, Presentation, Probe, Trials, seeded_halves, trials_of


def record(subject_id: str, number: int = 1, day: int = 1) -> EcgRecord:
    signal = np.arange(2000, dtype=np.float32) + 10_000 * number
    date = datetime.date(2005, 1, day)
    return EcgRecord(f"{subject_id}/rec_{number}", subject_id, 100.0, signal, recorded_on=date)


class TestCut:
    def test_takes_the_named_seconds(self) -> None:
        piece = Cut(record("a"), 5.0, 8.0).signal

        assert piece.size == 300
        assert piece[0] == 10_500.0

    def test_without_end_goes_to_the_end(self) -> None:
        assert Cut(record("a"), 15.0).signal.size == 500

    def test_inverted_is_the_negative(self) -> None:
        np.testing.assert_array_equal(Cut(record("a"), inverted=True).signal, -Cut(record("a")).signal)

    def test_different_pieces_have_different_keys(self) -> None:
        cuts = [Cut(record("a")), Cut(record("a"), 0.0, 5.0), Cut(record("a"), 5.0), Cut(record("b"))]

        keys = {cut.key for cut in (*cuts, Cut(record("a"), inverted=True))}

        assert len(keys) == 5


class TestPresentation:
    def test_recordings_of_one_day_are_one_session(self) -> None:
        presented = Presentation.of(Cut(record("a", 1)), Cut(record("a", 2)), Cut(record("a", 3, day=2)))

        assert presented.sessions[0] == presented.sessions[1] != presented.sessions[2]


class TestTrials:
    def test_a_subject_enrolled_twice_is_refused(self) -> None:
        twice = [Presentation.of(Cut(record("a", 1))), Presentation.of(Cut(record("a", 2)))]

        with pytest.raises(ValueError, match="enrolled twice"):
            trials_of("x", twice, [])

    def test_presentations_include_own_enrollments(self) -> None:
        one, two, three = (Presentation.of(Cut(record("a", number))) for number in (1, 2, 3))

        trials = Trials("x", (one,), (Probe(two, own_enrollment=three),))

        assert trials.presentations == (one, two, three)


class TestSeededHalves:
    def test_halves_differ_and_repeat_with_the_seed(self) -> None:
        one, other = ([tuple(half) for half in seeded_halves(20, 5)] for _ in range(2))

        assert one == other
        assert len(set(one)) == 5
        assert all(len(set(half)) == 10 for half in one)
