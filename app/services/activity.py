"""What is the wearer doing?"""

from __future__ import annotations

from app.domain.activity import ActivityRecogniser, ActivityTimeline, Pieces
from app.domain.captures import EcgStrip
from app.domain.errors import FailureToAcquireError, Fault, UnprocessableError


class ActivityService:
    """Asks the loaded activity bundle, if there is one; stores nothing and compares nobody."""

    def __init__(self, recogniser: ActivityRecogniser | None) -> None:
        self._recogniser = recogniser

    def recognise(self, recording: EcgStrip, rest: EcgStrip | None = None) -> Pieces[ActivityTimeline]:
        """Tell the activities along a strip, piece by piece.

        Args:
            recording: An ECG strip of up to an hour.
            rest: The same wearer at rest, who everything else is then compared with.

        Raises:
            FailureToAcquireError: One of the two cannot be used.
            UnprocessableError: ``modality_unavailable``: no activity bundle is loaded.
        """
        recogniser = self._recogniser
        if recogniser is None:
            raise UnprocessableError("No activity bundle is loaded.", code="modality_unavailable")
        baseline = None
        if rest is not None:
            try:
                baseline = recogniser.baseline(rest)
            except FailureToAcquireError as error:
                raise _at("/rest", error) from error
        try:
            segments = yield from recogniser.timeline(recording, baseline)
        except FailureToAcquireError as error:
            raise _at("/recording", error) from error
        return ActivityTimeline.of(segments, recogniser.card)


def _at(pointer: str, error: FailureToAcquireError) -> FailureToAcquireError:
    """The same error, saying which recording it is about."""
    return FailureToAcquireError(
        error.detail, code=error.code, faults=[Fault(pointer, error.code, error.detail)]
    )
