"""A correction that jumps: one person under many names, people who look alike, or junk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from ml.runtime.matching.gallery_null import GalleryNull

JUMP_DB = 6.0
"""A correction that moves by this much from one fit to the next is reported: few enrollments do that."""


class JumpReason(StrEnum):
    """What most likely made a gallery's correction jump."""

    LIMITED = "limited"  # It would have gone further and was held back.
    POSSIBLE_DUPLICATES = "possible_duplicates"  # More names that may be one person.
    LENIENT = "lenient"  # Thresholds fell: junk, or people of another sensor, among the enrolled.
    OTHER = "other"  # Another sensor among the enrolled, or people who look alike.


@dataclass(frozen=True)
class NullJump:
    """A gallery's non-mated scores reach much higher, or lower, than at the last fit.

    Attributes:
        encoder: Whose scores.
        before_db, after_db: How much higher than the bundle's they reach.
        subjects: In the sample.
    """

    encoder: str
    reason: JumpReason
    before_db: float
    after_db: float
    subjects: int


class JumpWatch:
    """Compares each fit of a gallery's null with the one before.

    Args:
        encoder: Whose scores.
        report: Called for every jump.
    """

    def __init__(self, encoder: str, report: Callable[[NullJump], None]) -> None:
        self._encoder = encoder
        self._report = report
        self._last: GalleryNull | None = None

    def __call__(self, found: GalleryNull) -> None:
        """Look at a new fit."""
        before, self._last = self._last, found
        if before is not None and _jumped(before, found):
            self._report(
                NullJump(
                    encoder=self._encoder,
                    reason=_reason(before, found),
                    before_db=before.raised_db,
                    after_db=found.raised_db,
                    subjects=found.subjects,
                )
            )


def _jumped(before: GalleryNull, after: GalleryNull) -> bool:
    if after.limited and not before.limited:
        return True
    return before.corrected and abs(after.raised_db - before.raised_db) > JUMP_DB  # The first is no jump.


def _reason(before: GalleryNull, after: GalleryNull) -> JumpReason:
    if after.limited:
        return JumpReason.LIMITED
    if after.raised_db < before.raised_db:
        return JumpReason.LENIENT
    if _names_alike(after) > _names_alike(before):
        return JumpReason.POSSIBLE_DUPLICATES
    return JumpReason.OTHER


def _names_alike(found: GalleryNull) -> int:
    return len({row for group in found.possible_duplicates.groups for row in group})
