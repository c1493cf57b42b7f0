"""Galleries: their policies, what they learnt about themselves, renewal and removal."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from app.domain.errors import ConflictError
from app.domain.policies import CalibratedPolicy, Policy
from app.domain.ports.clock import Clock, NewId
from app.domain.ports.encoders import Encoders
from app.domain.ports.pages import PageCursor
from app.domain.ports.store import Store, UnitOfWork
from app.domain.ports.vault import TemplateVault
from app.domain.references import Modality
from app.domain.subjects import ALL_GALLERIES, DEFAULT_GALLERY, ApiClient, Gallery, Scope
from app.matching.follower import GalleryFollower
from app.matching.gallery_state import GalleryState
from app.services.access import granted_gallery, require_all_galleries
from app.services.directory import Page, page_of
from app.services.limits import max_subjects
from app.services.renewal import Renewal


@dataclass(frozen=True)
class CorrectionView:
    """What a gallery's own non-mated comparisons say; `possible_duplicates` for admins only."""

    modality: Modality
    encoder: str
    corrected: bool
    slope: float
    offset_db: float
    pairs: int
    subjects: int
    measured_over_nominal: float | None
    limited: bool
    possible_duplicates: tuple[tuple[str, ...], ...] | None


@dataclass(frozen=True)
class GalleryView:
    name: str
    policy: Policy
    subjects: int
    references: int
    correction: tuple[CorrectionView, ...]
    max_subjects: int | None
    fingerprint_dpi: int | None
    created_at: datetime


class GalleryService:
    """Creates, describes, renews and deletes galleries."""

    def __init__(
        self,
        *,
        store: Store,
        vault: TemplateVault,
        encoders: Encoders,
        follower: GalleryFollower,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._store = store
        self._vault = vault
        self._encoders = encoders
        self._follower = follower
        self._renewal = Renewal(store, vault)
        self._clock = clock
        self._new_id = new_id

    def page(self, caller: ApiClient, after: PageCursor | None, limit: int) -> Page[GalleryView]:
        """The galleries this caller may see."""
        names = None if ALL_GALLERIES in caller.galleries else caller.galleries
        with self._store.reading() as uow:
            found = page_of(
                uow.galleries.page(names, after, limit + 1), limit, lambda g: PageCursor(g.created_at, g.uuid)
            )
            return Page(tuple(self._view(uow, caller, gallery) for gallery in found.items), found.next)

    def get(self, caller: ApiClient, name: str) -> GalleryView:
        """Raises `GalleryNotFoundError`."""
        with self._store.reading() as uow:
            return self._view(uow, caller, granted_gallery(uow, caller, name))

    def create(
        self, caller: ApiClient, name: str, policy: Policy | None, *, fingerprint_dpi: int | None = None
    ) -> GalleryView:
        """Raises `InsufficientScopeError`, `ConflictError` (`gallery_exists`)."""
        require_all_galleries(caller)
        with self._store.writing() as uow:
            gallery = self._new(name, policy, fingerprint_dpi)
            uow.galleries.add(gallery)
            return self._view(uow, caller, gallery)

    def configure(
        self, caller: ApiClient, name: str, policy: Policy, *, fingerprint_dpi: int | None = None
    ) -> GalleryView:
        """Replace what a gallery demands and assumes; what is left out is gone.

        Raises:
            GalleryNotFoundError: No such gallery for this caller.
        """
        with self._store.writing() as uow:
            gallery = granted_gallery(uow, caller, name)
            uow.galleries.configure(replace(gallery, policy=policy, fingerprint_dpi=fingerprint_dpi))
        return self.get(caller, name)

    def renew(self, caller: ApiClient, name: str) -> None:
        """Draw new secret transforms; templates of before cannot be compared with those of after.

        Raises:
            GalleryNotFoundError: No such gallery for this caller.
            TemporaryError: Others kept renewing it meanwhile.
        """
        with self._store.reading() as uow:
            gallery = granted_gallery(uow, caller, name)
        self._renewal.renew(gallery.uuid)

    def delete(self, caller: ApiClient, name: str) -> None:
        """Erase the gallery and everybody in it; `default` comes back empty.

        Raises:
            InsufficientScopeError, GalleryNotFoundError: As for every gallery call.
        """
        require_all_galleries(caller)
        with self._store.writing() as uow:
            gallery = granted_gallery(uow, caller, name, damaged_too=True)
            uow.changes.record(gallery.uuid, [])  # An enrollment that holds the lock is erased too, then.
            uow.galleries.remove(gallery.uuid)
            if name == DEFAULT_GALLERY:
                uow.galleries.add(self._new(name))
        self._follower.forget_gone()

    def ensure_default(self) -> None:
        """The gallery `default` exists from the start."""
        with self._store.reading() as uow:
            if uow.galleries.by_name(DEFAULT_GALLERY) is not None:
                return
        with suppress(ConflictError), self._store.writing() as uow:  # Another worker may be first.
            uow.galleries.add(self._new(DEFAULT_GALLERY))

    def _new(self, name: str, policy: Policy | None = None, fingerprint_dpi: int | None = None) -> Gallery:
        uuid = self._new_id()
        return Gallery(
            uuid=uuid,
            name=name,
            policy=policy or CalibratedPolicy(),
            revision=0,
            wrapped_key=self._vault.new_gallery_key(uuid),
            created_at=self._clock(),
            fingerprint_dpi=fingerprint_dpi,
        )

    def _view(self, uow: UnitOfWork, caller: ApiClient, gallery: Gallery) -> GalleryView:
        subjects, references = uow.galleries.counts(gallery.uuid)
        state = self._follower.up_to_date(uow, gallery)
        policy = gallery.policy
        enrolled = frozenset(m for m in Modality if state.encoder_ids(m))
        limit = (
            max_subjects(policy, self._encoders, enrolled) if isinstance(policy, CalibratedPolicy) else None
        )
        return GalleryView(
            name=gallery.name,
            policy=policy,
            subjects=subjects,
            references=references,
            correction=self._corrections(state, admin=Scope.ADMIN in caller.scopes),
            max_subjects=limit,
            fingerprint_dpi=gallery.fingerprint_dpi,
            created_at=gallery.created_at,
        )

    def _corrections(self, state: GalleryState, *, admin: bool) -> tuple[CorrectionView, ...]:
        views = []
        with state.lock:
            for encoder in self._encoders.all():
                if encoder.encoder_id not in state.encoder_ids(encoder.modality):
                    continue
                sample = state.sample(encoder.modality, encoder)
                found = sample.gallery_null()
                names = tuple(
                    tuple(sorted(known.subject_id for slot in group if (known := state.subject(slot))))
                    for group in sample.possible_duplicates()
                )
                views.append(
                    CorrectionView(
                        modality=encoder.modality,
                        encoder=encoder.encoder_id,
                        corrected=found.corrected,
                        # Exact figures tell others whether a new name is a known person.
                        slope=found.slope if admin else round(found.slope, 1),
                        offset_db=found.offset_db if admin else float(round(found.offset_db)),
                        pairs=found.pairs if admin else found.subjects * (found.subjects - 1) // 2,
                        subjects=found.subjects,
                        measured_over_nominal=_rounded(found.measured_over_nominal, None if admin else 1),
                        limited=found.limited,
                        possible_duplicates=names if admin else None,
                    )
                )
        return tuple(views)


def _rounded(value: float | None, digits: int | None) -> float | None:
    return value if value is None or digits is None else round(value, digits)
