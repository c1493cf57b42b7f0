"""How long a body may take: as long as it keeps coming, within limits.

Short limits cut off narrow-band modems, and long ones let anybody hold connections. A body that takes longer
than the first seconds therefore counts as slow: it must have brought enough bytes for its time, may not
pause, ends at a total, and there are only so many at once. Only callers with a valid key get here.
"""

from __future__ import annotations

from typing import Self

from app.api.limits import Limits
from app.domain.errors import TemporaryError


class SlowBodies:
    """Counted on the event loop, so that no lock is needed."""

    def __init__(self, limit: int = 32) -> None:
        self._left = limit

    def take(self) -> None:
        """Raises `TemporaryError` (`overloaded`) if too many bodies are slow already."""
        if self._left == 0:
            raise TemporaryError("Too many requests are sent slowly.")
        self._left -= 1

    def give_back(self) -> None:
        self._left += 1


class Pace:
    """The time of one body; leave it as a context manager when the body is complete.

    Args:
        limits: Of the service.
        slow: Counts this body once it is slow.
        now_s: When reading begins, on the clock of the event loop.
    """

    def __init__(self, limits: Limits, slow: SlowBodies, now_s: float) -> None:
        self._limits = limits
        self._slow = slow
        self._started_s = now_s
        self._is_slow = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_slow:
            self._slow.give_back()

    def deadline_s(self, n_bytes: int, now_s: float) -> float:
        """By when something more has to come, after so many bytes.

        Raises:
            TemporaryError: The body has become slow, and there are too many of those.
        """
        limits = self._limits
        if not self._is_slow and now_s - self._started_s > limits.body_pause_s:
            self._slow.take()
            self._is_slow = True
        earned_s = limits.body_pause_s + n_bytes / limits.min_body_bytes_per_s
        return min(self._started_s + min(limits.body_timeout_s, earned_s), now_s + limits.body_pause_s)

    @property
    def rule(self) -> str:
        """A sentence for whoever broke it."""
        limits = self._limits
        return (
            f"The body must arrive without pauses of {limits.body_pause_s:g} s, at"
            f" {limits.min_body_bytes_per_s} bytes/s or more, and within {limits.body_timeout_s:g} s;"
            " int16 as signal_b64 and gzip make it smaller."
        )
