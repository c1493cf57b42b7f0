"""What grows is pruned: the revision feed after a week, stored answers after a day."""

from __future__ import annotations

from datetime import timedelta

from app.domain.ports.clock import Clock
from app.domain.ports.store import Store
from app.matching.follower import GalleryFollower
from app.services.idempotency import KEPT_FOR

FEED_KEPT_FOR = timedelta(days=7)


class Housekeeping:
    """Run at start and every hour; safe in any number of processes."""

    def __init__(self, store: Store, follower: GalleryFollower, clock: Clock) -> None:
        self._store = store
        self._follower = follower
        self._clock = clock

    def run(self) -> None:
        """Prune once."""
        now = self._clock()
        with self._store.writing() as uow:
            uow.changes.prune(now - FEED_KEPT_FOR)
            uow.answers.prune(now - KEPT_FOR)
        self._store.tidy()
        self._follower.forget_gone()
