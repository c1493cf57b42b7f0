"""What is the wearer doing?"""

from __future__ import annotations

from app.domain.activity import ActivityRecognizer, ActivityTimeline, Pieces
from app.domain.captures import EcgStrip
from app.domain.errors import FailureToAcquireError, Fault, UnprocessableError


class ActivityService:
    """Asks the loaded activity bundle, if there is one; stores nothing and compares nobody."""

    def __init__(self, recognizer: ActivityRecognizer | None) -> None:
        self._recognizer = recognizer

    def recognize(self, recording: EcgStrip, rest: EcgStrip | None = None) -> Pieces[ActivityTimeline]:
        """Recognize the activities along a strip, piece by piece.

        Args:
            recording: An ECG strip of up to an hour.
            rest: The same wearer at rest, who everything else is then compared with.

        Raises:
            FailureToAcquireError: One of the two cannot be used.
            UnprocessableError: `modality_unavailable`: no activity bundle is loaded.
        """
        recognizer = self._recognizer
        if recognizer is None:
            raise UnprocessableError("No activity bundle is loaded.", code="modality_unavailable")
        baseline = None
        if rest is not None:
            try:
                baseline = recognizer.baseline(rest)
            except FailureToAcquireError as error:
                raise _at("/rest", error) from error
        try:
            segments = yield from recognizer.timeline(recording, baseline)
        except FailureToAcquireError as error:
            raise _at("/recording", error) from error
        return ActivityTimeline.of(segments, recognizer.card)


def _at(pointer: str, error: FailureToAcquireError) -> FailureToAcquireError:
    """The same error, saying which recording it is about."""
    return FailureToAcquireError(
        error.detail, code=error.code, faults=[Fault(pointer, error.code, error.detail)]
    )
