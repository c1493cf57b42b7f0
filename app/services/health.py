"""Is this process able to answer?"""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.errors import PulseprintError, TemporaryError
from app.domain.ports.store import Store
from app.matching.follower import GalleryFollower


@dataclass(frozen=True)
class Readiness:
    """Ready, or the code and reason why not; with what is held in memory."""

    ready: bool
    code: str | None
    detail: str
    galleries: int
    templates: int


class HealthService:
    """Ready = the initial index build is done and checked, and the last catch-up had no error."""

    def __init__(self, store: Store, follower: GalleryFollower) -> None:
        self._store = store
        self._follower = follower

    def readiness(self) -> Readiness:
        """Catch up with every gallery, as a search would, and let go of deleted ones."""
        if not self._follower.started:
            return self._answer("index_not_ready", "The index is being built.")
        try:
            self._follower.forget_gone()
            with self._store.reading() as uow:
                for gallery in uow.galleries.all():
                    self._follower.up_to_date(uow, gallery)
        except TemporaryError as error:
            return self._answer(error.code, error.detail)
        except PulseprintError:
            return self._answer("index_not_ready", "The index cannot follow the database.")
        return self._answer(None, "ready")

    def _answer(self, code: str | None, detail: str) -> Readiness:
        galleries, templates = self._follower.counts()
        return Readiness(code is None, code, detail, galleries, templates)
