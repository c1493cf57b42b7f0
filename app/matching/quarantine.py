"""What is stored and cannot be trusted or opened: passed over, counted and named, never deleted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from threading import Lock
from typing import NamedTuple
from uuid import UUID


class Damage(NamedTuple):
    """One stored thing that is passed over.

    Attributes:
        subject_id: The caller's name for whom it belongs to; empty for a whole gallery.
        reference_id: Empty for what is not one reference.
        reason: In words.
    """

    gallery: str
    subject_id: str
    reference_id: str
    reason: str


class Quarantine:
    """Keeps what the last reading of each gallery found.

    Args:
        report: Called once for each damage, with how many there are now.
        report_count: Called when their number changes.
    """

    def __init__(
        self,
        report: Callable[[Damage], None] = lambda _: None,
        report_count: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._report = report
        self._report_count = report_count
        self._lock = Lock()
        self._of_gallery: dict[UUID, dict[tuple[bytes, str], Damage]] = {}
        self.count = 0

    def note_gallery(self, uuid: UUID, name: str, reason: str) -> None:
        """The gallery as a whole, or something that belongs to all in it."""
        self._update(uuid, lambda key: not key[0], {(b"", reason): Damage(name, "", "", reason)})

    def note_references(
        self, uuid: UUID, subjects: Iterable[bytes] | None, found: dict[tuple[bytes, str], Damage]
    ) -> None:
        """What reading some subjects, or all, came to.

        Args:
            uuid: Of their gallery.
            subjects: Uuids of those that were read; None for everybody.
            found: By the subject's uuid and the reference's id.
        """
        if not found and uuid not in self._of_gallery:  # As nearly always.
            return
        read = None if subjects is None else set(subjects)
        self._update(uuid, lambda key: bool(key[0]) and (read is None or key[0] in read), found)

    def forget(self, uuid: UUID) -> None:
        """A gallery that is gone, or whole again."""
        if uuid in self._of_gallery:
            self._update(uuid, lambda _: True, {})

    def keep_only(self, uuids: Collection[UUID]) -> None:
        """Forget galleries that are not among these: they are gone."""
        for uuid in [uuid for uuid in self._of_gallery if uuid not in uuids]:
            self.forget(uuid)

    def of_gallery(self, uuid: UUID) -> list[Damage]:
        """What is known of one gallery."""
        with self._lock:
            return list(self._of_gallery.get(uuid, {}).values())

    def all(self) -> list[Damage]:
        """What is known of all galleries."""
        with self._lock:
            return [damage for known in self._of_gallery.values() for damage in known.values()]

    def _update(
        self,
        uuid: UUID,
        replaced: Callable[[tuple[bytes, str]], bool],
        found: dict[tuple[bytes, str], Damage],
    ) -> None:
        with self._lock:
            before = self._of_gallery.get(uuid, {})
            kept = {key: damage for key, damage in before.items() if not replaced(key)}
            self._of_gallery[uuid] = kept | found
            if not self._of_gallery[uuid]:
                del self._of_gallery[uuid]
            self.count = sum(map(len, self._of_gallery.values()))
            new = [damage for key, damage in found.items() if key not in before]
        for damage in new:
            self._report(damage)
        self._report_count(self.count)
