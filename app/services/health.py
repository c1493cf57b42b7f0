"""Is this process able to answer?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from app.domain.errors import ConfigurationError, PulseprintError, TemporaryError
from app.domain.ports.store import Store
from app.matching.follower import GalleryFollower

FRESH_S = 1.0
"""For which an answer stands: whoever asks, and however many do, nothing is checked more often."""
PATIENCE_S = 15.0
"""For which the answer before stands while a check is under way."""


@dataclass(frozen=True)
class Readiness:
    """Ready, or the code and reason why not; with what is held in memory."""

    ready: bool
    code: str | None
    detail: str
    galleries: int
    templates: int
    quarantined: int = 0


class HealthService:
    """Ready = the initial index build is done and checked, and the last catch-up had no error.

    Anybody may ask, without a key. So the answer is kept for a second, and one caller at a time checks.

    Args:
        store: The truth.
        follower: What is held of it.
        now_s: A clock that never goes back.
        check_key: Raises `ConfigurationError` if the database is under a master key that is not here.
    """

    def __init__(
        self,
        store: Store,
        follower: GalleryFollower,
        now_s: Callable[[], float] = monotonic,
        check_key: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._follower = follower
        self._now_s = now_s
        self._check_key = check_key
        self._checking = Lock()
        self._last: tuple[float, Readiness] | None = None

    def known(self) -> Readiness | None:
        """What need not be checked now; waits for nothing."""
        if self._last is None:
            return None
        checked_s, readiness = self._last
        age_s = self._now_s() - checked_s
        if age_s < FRESH_S:
            return readiness
        if not self._checking.locked():
            return None
        return readiness if age_s < PATIENCE_S else self._answer("index_not_ready", "A check does not end.")

    def readiness(self) -> Readiness:
        """What is known, or else what a check finds."""
        known = self.known()
        if known is not None:
            return known
        with self._checking:
            if self._last is not None and self._now_s() - self._last[0] < FRESH_S:
                return self._last[1]  # Somebody else has checked meanwhile.
            return self._checked()

    def check(self) -> Readiness:
        """Catch up with galleries that changed, as a search would, and let go of deleted ones."""
        with self._checking:
            return self._checked()

    def _checked(self) -> Readiness:
        found = self._found()
        self._last = (self._now_s(), found)
        return found

    def _found(self) -> Readiness:
        if not self._follower.started:
            return self._answer("index_not_ready", "The index is being built.")
        try:
            self._check_key()
            self._follower.forget_gone()
            with self._store.reading() as uow:
                self._follower.catch_up(uow)
        except TemporaryError as error:
            return self._answer(error.code, error.detail)
        except ConfigurationError:
            return self._answer("store_unavailable", "The database is under a master key that is not here.")
        except PulseprintError:
            return self._answer("index_not_ready", "The index cannot follow the database.")
        return self._answer(None, "ready")

    def _answer(self, code: str | None, detail: str) -> Readiness:
        galleries, templates = self._follower.counts()
        quarantined = self._follower.quarantine.count
        return Readiness(code is None, code, detail, galleries, templates, quarantined)
