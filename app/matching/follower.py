"""Keeps what this process holds of each gallery in step with the database (DESIGN §6, Feed)."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from threading import Lock
from uuid import UUID

import numpy as np

from app.domain.errors import ConfigurationError, TemplateIntegrityError
from app.domain.ports.encoders import Encoders
from app.domain.ports.index import TemplateIndex
from app.domain.ports.references import ReferenceRow
from app.domain.ports.store import Store, UnitOfWork
from app.domain.ports.vault import TemplateVault
from app.domain.references import Modality, Vector
from app.domain.subjects import Gallery, GalleryTransform
from app.matching.background_fits import RunFit, at_once
from app.matching.gallery_state import GalleryState, LoadedSubject
from app.matching.loaded_subjects import pooled_subject
from app.matching.matcher import newest_transforms
from app.matching.null_jumps import NullJump
from app.matching.quarantine import Damage, Quarantine
from app.matching.stored_parts import StoredParts

_WASTE_ALLOWED = 1000  # erased slots, before a rebuild compacts them


class GalleryFollower:
    """Answers every search from a state that is at least as new as the caller's snapshot.

    Args:
        store: The truth.
        vault: Opens references.
        index: Filled here and nowhere else.
        encoders: References of encoders that are not loaded are passed over.
        report_lag: Told at every request how many revisions the state was behind.
        report_jump: Called with a gallery's name when its own null jumps.
        run_fit: Runs the fits of galleries that take seconds.
        quarantine: Told of everything stored that is passed over.
    """

    def __init__(
        self,
        store: Store,
        vault: TemplateVault,
        index: TemplateIndex,
        encoders: Encoders,
        *,
        report_lag: Callable[[int], None] = lambda _: None,
        report_jump: Callable[[str, NullJump], None] = lambda *_: None,
        run_fit: RunFit = at_once,
        quarantine: Quarantine | None = None,
    ) -> None:
        self.quarantine = quarantine or Quarantine()
        self._store = store
        self._vault = vault
        self._index = index
        self._encoders = encoders
        self._stored_parts = StoredParts(vault, encoders)
        self._report_lag = report_lag
        self._report_jump = report_jump
        self._run_fit = run_fit
        self._states: dict[UUID, GalleryState] = {}
        self._lock = Lock()
        self._unfollowed: dict[UUID, int] = {}
        self.started = False

    def start(self) -> None:
        """Load all galleries and check the index against the database; what is damaged is passed over.

        Raises:
            ConfigurationError: The index holds another number of templates than the database.
        """
        served = [encoder.encoder_id for encoder in self._encoders.all()]
        with self._store.reading() as uow:
            for gallery in uow.galleries.all():
                state = self._follow(uow, gallery)
                if state is None:
                    continue
                held = state.indexed_count
                stored = uow.references.template_count(gallery.uuid, served)
                if not 0 <= stored - held <= len(self.quarantine.of_gallery(gallery.uuid)):
                    raise ConfigurationError(
                        f"Gallery '{gallery.name}': the index holds {held} templates, the database {stored}."
                    )
        self.started = True

    def _follow(self, uow: UnitOfWork, gallery: Gallery) -> GalleryState | None:
        """As `up_to_date`; a gallery that cannot be followed is noted, and tried again once it changes."""
        try:
            if not gallery.intact:
                raise TemplateIntegrityError("Its row was changed outside of the service.")
            return self.up_to_date(uow, gallery)
        except TemplateIntegrityError as error:
            self._unfollowed[gallery.uuid] = gallery.revision
            self.quarantine.note_gallery(gallery.uuid, gallery.name, error.detail)
            return None

    def up_to_date(self, uow: UnitOfWork, gallery: Gallery) -> GalleryState:
        """The gallery's state, at the revision that `gallery` was read with or later."""
        with self._lock:
            state = self._states.get(gallery.uuid)
            if state is None:
                state = self._states[gallery.uuid] = GalleryState(
                    gallery.uuid,
                    self._index,
                    self._encoders,
                    partial(self._report_jump, gallery.name),
                    self._run_fit,
                )
        with state.lock:
            self._report_lag(max(0, gallery.revision - max(0, state.revision)))
            if state.revision < gallery.revision:
                self._catch_up(uow, gallery, state)
        return state

    def catch_up(self, uow: UnitOfWork) -> None:
        """Bring every gallery up to date; one query, and work only for those that changed."""
        with self._lock:
            held = {uuid: state.revision for uuid, state in self._states.items()} | self._unfollowed
        for uuid, revision in uow.galleries.revisions().items():
            gallery = uow.galleries.by_uuid(uuid) if held.get(uuid, -1) < revision else None
            if gallery is not None:
                self._follow(uow, gallery)

    def forget_gone(self) -> None:
        """Drop the states of galleries that are gone, or that a restored backup set back."""
        with self._lock:  # Before the query: the database may go on meanwhile.
            seen = {uuid: state.revision for uuid, state in self._states.items()}
        with self._store.reading() as uow:
            revisions = uow.galleries.revisions()
        stale = [u for u, revision in seen.items() if u not in revisions or revisions[u] < revision]
        with self._lock:
            gone = [self._states.pop(uuid) for uuid in stale if uuid in self._states]
        for state in gone:
            with state.lock:
                state.reset()
        self.quarantine.keep_only(revisions)

    def load(self, uow: UnitOfWork, gallery: Gallery, subject_uuids: Sequence[UUID]) -> list[LoadedSubject]:
        """Subjects as the database has them in this unit of work, decrypted and pooled."""
        if not subject_uuids:
            return []
        return list(self._read(uow, gallery, subject_uuids))

    def load_first(self, uow: UnitOfWork, gallery: Gallery, subject_uuid: UUID) -> LoadedSubject | None:
        """A subject by what the first request under each encoder brought, as long as any of that is left."""
        rows = list(uow.references.scan(gallery.uuid, [subject_uuid]))
        first = {row.encoder: row for row in reversed(rows)}
        kept = [row for row in rows if _request_of(row) == _request_of(first[row.encoder])]
        return next(self._pooled(uow, gallery, kept, [subject_uuid], note=False), None)

    def size_bounds(self, gallery_uuid: UUID, revision: int) -> tuple[int, int] | None:
        """How many subjects a gallery has at least and at most at a revision; None if it was never loaded.

        A revision adds or removes one subject at most, so what is held bounds what is not followed yet.
        """
        with self._lock:
            state = self._states.get(gallery_uuid)
        if state is None or state.revision < 0:
            return None
        behind = abs(revision - state.revision)
        return state.subject_count - behind, state.subject_count + behind

    def counts(self) -> tuple[int, int]:
        """(galleries, templates) held."""
        with self._lock:
            states = list(self._states.values())
        return len(states), sum(state.template_count for state in states)

    def _catch_up(self, uow: UnitOfWork, gallery: Gallery, state: GalleryState) -> None:
        transforms = newest_transforms(uow, gallery)
        renewed = any(transforms.get(key) != transform for key, transform in state.transforms.items())
        wasteful = state.wasted_slots > max(_WASTE_ALLOWED, state.subject_count)
        changes = None if state.revision < 0 else uow.changes.since(gallery.uuid, state.revision)
        if changes is None or renewed or wasteful:
            state.reset()
            state.transforms = transforms
            self._open_matrices(gallery, transforms)
            with _collector_paused():
                state.fill(self._read(uow, gallery, None))
        else:
            state.transforms = transforms
            self._apply(uow, gallery, state, list(dict.fromkeys(uuid for _, uuid in changes)))
        state.revision = gallery.revision

    def _open_matrices(
        self, gallery: Gallery, transforms: Mapping[tuple[Modality, str], GalleryTransform]
    ) -> None:
        """Note those that do not open, before a request needs them."""
        self.quarantine.forget(gallery.uuid)
        self._unfollowed.pop(gallery.uuid, None)
        for (_, encoder), transform in transforms.items():
            try:
                self._vault.matrix(gallery, transform)
                self._vault.local_matrix(gallery, transform)
            except TemplateIntegrityError:
                self.quarantine.note_gallery(
                    gallery.uuid, gallery.name, f"The matrix of {encoder} does not open."
                )

    def _apply(self, uow: UnitOfWork, gallery: Gallery, state: GalleryState, changed: Sequence[UUID]) -> None:
        found = {subject.uuid: subject for subject in self.load(uow, gallery, changed)}
        for uuid in changed:
            state.apply(uuid, found.get(uuid))
        if len(found) < len(changed):  # Somebody left, and others may move up into the sample.
            for subject in self.load(uow, gallery, state.unsampled()):
                state.apply(subject.uuid, subject)

    def _read(
        self, uow: UnitOfWork, gallery: Gallery, subject_uuids: Sequence[UUID] | None
    ) -> Iterator[LoadedSubject]:
        return self._pooled(uow, gallery, uow.references.scan(gallery.uuid, subject_uuids), subject_uuids)

    def _pooled(
        self,
        uow: UnitOfWork,
        gallery: Gallery,
        scanned: Iterable[ReferenceRow],
        subject_uuids: Sequence[UUID] | None,
        *,
        note: bool = True,
    ) -> Iterator[LoadedSubject]:
        served = {encoder.encoder_id: encoder for encoder in self._encoders.all()}
        damage = _Found(gallery)
        rows = [row for row in scanned if (row.encoder in served or not row.intact) and damage.passes(row)]
        parts = self._stored_parts.of(uow, gallery, rows, subject_uuids)
        damaged: list[int] = []
        vectors = self._open(gallery, rows, damaged)
        lacking = [
            at
            for at, row in enumerate(rows)
            if self._stored_parts.has_detail(row) and row.reference_id not in parts
        ]
        pairs: list[tuple[ReferenceRow, Vector]] = list(zip(rows, vectors, strict=True))
        if damaged or lacking:
            passed_over = {*damaged, *lacking}
            for at in passed_over:
                damage.add(rows[at], "Its ciphertext does not open.")
            pairs = [pair for at, pair in enumerate(pairs) if at not in passed_over]
        if note:
            read = None if subject_uuids is None else [uuid.bytes for uuid in subject_uuids]
            self.quarantine.note_references(gallery.uuid, read, damage.by_reference)
        for subject_uuid, group in groupby(pairs, key=_subject_of):
            yield pooled_subject(subject_uuid, list(group), parts, served)

    def _open(self, gallery: Gallery, rows: Sequence[ReferenceRow], damaged: list[int]) -> Sequence[Vector]:
        """Vectors in the order of the rows; each encoder's in one go, since sizes differ."""
        places: dict[str, list[int]] = {}
        for place, row in enumerate(rows):
            places.setdefault(row.encoder, []).append(place)
        if len(places) <= 1:
            return list(self._vault.open_many(gallery, rows, damaged))
        vectors: list[Vector] = [np.zeros(0, dtype=np.float32)] * len(rows)
        for found in places.values():
            among: list[int] = []
            opened = self._vault.open_many(gallery, [rows[p] for p in found], among)
            damaged.extend(found[at] for at in among)
            for place, vector in zip(found, opened, strict=True):
                vectors[place] = vector
        return vectors


class _Found:
    """Damage in one reading of a gallery."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self.by_reference: dict[tuple[bytes, str], Damage] = {}

    def passes(self, row: ReferenceRow) -> bool:
        """Whether a row says what it was bound to; else it is added."""
        if not row.intact:
            self.add(row, "Its row, or its subject's, was changed outside of the service.")
        return row.intact

    def add(self, row: ReferenceRow, reason: str) -> None:
        reference_id = str(UUID(bytes=bytes(row.reference_id)))
        damage = Damage(self._gallery.name, row.subject_id, reference_id, reason)
        self.by_reference[bytes(row.subject_uuid), reference_id] = damage


@contextmanager
def _collector_paused() -> Iterator[None]:
    """A rebuild makes a million objects and no garbage; looking for some takes longer than the rebuild."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _subject_of(pair: tuple[ReferenceRow, Vector]) -> bytes:
    return pair[0].subject_uuid


def _request_of(row: ReferenceRow) -> str:
    """Of a session's name, which may go on with the session's number within the request."""
    return row.session.partition(".")[0]
