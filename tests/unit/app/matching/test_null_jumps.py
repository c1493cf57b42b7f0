"""Which changes of a gallery's own null are reported, and why."""

from dataclasses import dataclass

import pytest

from app.matching.null_jumps import JUMP_DB, JumpReason, JumpWatch
from ml.runtime.matching.possible_duplicates import PossibleDuplicates

NONE = PossibleDuplicates()
ONE_PAIR = PossibleDuplicates(((1, 2),))
TWO_PAIRS = PossibleDuplicates(((1, 2),), ((2, 5),))


@dataclass(frozen=True)
class Fit:
    """What a watch reads of a gallery's null."""

    raised_db: float = 0.0
    corrected: bool = True
    limited: bool = False
    possible_duplicates: PossibleDuplicates = NONE
    subjects: int = 60


def reported(*fits: Fit) -> list:
    jumps: list = []
    watch = JumpWatch("ecg@1", jumps.append)
    for fit in fits:
        watch(fit)
    return jumps


class TestJumpWatch:
    def test_a_first_fit_is_no_jump(self):
        assert reported(Fit(raised_db=30.0)) == []

    def test_the_first_correction_of_a_gallery_is_no_jump(self):
        assert reported(Fit(corrected=False), Fit(raised_db=30.0)) == []

    @pytest.mark.parametrize("change_db", [-JUMP_DB, 0.0, JUMP_DB])
    def test_usual_changes_are_not_reported(self, change_db: float):
        assert reported(Fit(raised_db=4.0), Fit(raised_db=4.0 + change_db)) == []

    def test_a_jump_tells_before_and_after(self):
        (jump,) = reported(Fit(raised_db=4.0), Fit(raised_db=24.0))

        assert (jump.encoder, jump.before_db, jump.after_db, jump.subjects) == ("ecg@1", 4.0, 24.0, 60)
        assert jump.reason is JumpReason.OTHER

    def test_a_fall_is_reported_as_one_towards_leniency(self):
        (jump,) = reported(Fit(raised_db=15.0), Fit(raised_db=4.0))

        assert jump.reason is JumpReason.LENIENT

    def test_more_names_that_may_be_one_person_are_the_reason(self):
        (jump,) = reported(
            Fit(possible_duplicates=ONE_PAIR),
            Fit(raised_db=9.0, possible_duplicates=TWO_PAIRS),
        )

        assert jump.reason is JumpReason.POSSIBLE_DUPLICATES

    def test_a_correction_that_is_held_back_is_reported_once(self):
        (jump,) = reported(Fit(), Fit(raised_db=3.0, limited=True), Fit(raised_db=3.5, limited=True))

        assert jump.reason is JumpReason.LIMITED
