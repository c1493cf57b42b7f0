"""Who is this, if anybody here? (1:N)"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app.domain.activity import ActivityRecognizer
from app.domain.captures import Capture
from app.domain.policies import CalibratedPolicy, Policy, tighten
from app.domain.ports.encoders import Encoders
from app.domain.ports.store import Store, UnitOfWork
from app.domain.scores import (
    ActivityEstimate,
    Candidate,
    Fusion,
    IdentificationOutcome,
)
from app.domain.subjects import ApiClient, Gallery, Scope
from app.matching.decision_report import Enrolled, Report, activity_of, nothing_compared
from app.matching.encoded_captures import EncodedCaptures, encode
from app.matching.follower import GalleryFollower
from app.matching.gallery_state import GalleryState, KnownSubject
from app.matching.matcher import Matcher
from app.matching.policy_board import PolicyBoard
from app.matching.transformed_probe import TransformedProbe
from app.services.access import granted_gallery
from app.services.resolution import resolved


@dataclass(frozen=True)
class IdentificationRequest:
    """A probe to be searched in a gallery."""

    gallery: str
    recordings: tuple[Capture, ...]
    fpir: float | None = None
    max_candidates: int = 10
    fusion: Fusion = Fusion.SCORE


@dataclass(frozen=True)
class _Ranked:
    """A scoreboard row and who it is."""

    row: int
    subject: KnownSubject
    enrolled: Enrolled


class _Search(NamedTuple):
    """What a search came to: the first candidates of a scoreboard, and what they were compared with."""

    policy: Policy
    board: PolicyBoard
    probes: Sequence[TransformedProbe]
    ranked: Sequence[_Ranked]


class IdentificationService:
    """Searches a gallery and decides on the best candidate."""

    def __init__(
        self,
        store: Store,
        encoders: Encoders,
        matcher: Matcher,
        follower: GalleryFollower,
        recognizer: ActivityRecognizer | None,
    ) -> None:
        self._store = store
        self._encoders = encoders
        self._matcher = matcher
        self._follower = follower
        self._recognizer = recognizer

    def identify(self, caller: ApiClient, request: IdentificationRequest) -> IdentificationOutcome:
        """Decide on the first candidate, and list the best ones.

        Who came nearest, and how near, helps a caller to climb: candidates below their own threshold are
        listed to those who hold both `read` and `read:scores`, and to nobody else.

        Raises:
            GalleryNotFoundError: No such gallery for this caller.
            FailureToAcquireError: No recording could be used.
            UnprocessableError: `policy_looser`, `policy_incomplete`, `fusion_unavailable`,
                `modality_unavailable`.
        """
        exact = Scope.READ_SCORES in caller.scopes
        lists_others = exact and Scope.READ in caller.scopes
        self._matcher.require_fusion(request.fusion)
        recordings = resolved(self._store, caller, request.gallery, request.recordings)
        captures = encode(recordings, self._encoders)
        policy, board, probes, ranked = self._search(caller, request, captures)
        activity = activity_of(captures, self._recognizer)
        if not ranked:
            return _nobody(policy, captures, activity, exact=exact)
        report = Report(board, captures, probes)
        first = ranked[0]
        shown = exact or report.matches(first.row)
        listed = [entry for entry in ranked if lists_others or report.matches(entry.row)]
        return IdentificationOutcome(
            decision=(
                report.decision(
                    first.row, first.subject.subject_id, first.enrolled, exact=exact, activity=activity
                )
                if shown
                else report.nobody(activity)
            ),
            gallery_size=board.gallery_size,
            fpir=policy.fpir if isinstance(policy, CalibratedPolicy) else None,
            candidates=tuple(
                Candidate(
                    rank=rank,
                    subject_id=entry.subject.subject_id,
                    score=report.score(entry.row),
                    modalities=report.outcomes(entry.row, entry.enrolled),
                )
                for rank, entry in enumerate(listed, start=1)
            ),
        )

    def _search(
        self, caller: ApiClient, request: IdentificationRequest, captures: EncodedCaptures
    ) -> _Search:
        """Compare with the gallery; what is wrong with the request comes before what is with its captures.

        Encoding takes longer than all else, and no transaction is open meanwhile: where older versions turn
        out to be needed, they are encoded after it, and the search begins anew.
        """
        with self._store.reading() as uow:
            gallery = granted_gallery(uow, caller, request.gallery)
            policy = tighten(gallery.policy, fpir=request.fpir)
            self._matcher.require_fusion(request.fusion, policy)
            captures.require_usable(policy.quality_floor)
            state = self._follower.up_to_date(uow, gallery)
            lacking = self._matcher.lacking(captures, state.transforms)
            if not lacking:
                with state.lock:  # Whoever held it before may have followed a renewal.
                    probes = self._matcher.transformed(
                        gallery, state.transforms, captures, policy.quality_floor
                    )
                    board = self._matcher.against_gallery(state, probes, policy, request.max_candidates)
                    if request.fusion is Fusion.FEATURE:
                        board = self._matcher.by_features_in_gallery(board, gallery, state, probes)
                    ranked = _ranked(board, state, request.max_candidates)
                present = _still_enrolled(uow, gallery, ranked)[: request.max_candidates]
                return _Search(policy, board, probes, present)
        captures.add(lacking)
        return self._search(caller, request, captures)


def _ranked(board: PolicyBoard, state: GalleryState, limit: int) -> list[_Ranked]:
    """The best rows with their subjects; equal ones by subject id. The caller holds the state's lock."""
    found = []
    for row in board.order.best(limit).tolist():
        slot = int(board.slots[row])
        subject = state.subject(slot)
        if subject is not None:
            found.append(_Ranked(row, subject, Enrolled(state.enrolled_modalities(slot))))
    return sorted(found, key=lambda entry: (*board.order.key(entry.row), entry.subject.subject_id))


def _still_enrolled(uow: UnitOfWork, gallery: Gallery, ranked: list[_Ranked]) -> list[_Ranked]:
    """Read the listed subjects from the database again: an erased or changed one never appears."""
    present = uow.subjects.by_uuids(gallery.uuid, [entry.subject.uuid for entry in ranked])
    uuids = {subject.uuid for subject in present if subject.intact}
    return [entry for entry in ranked if entry.subject.uuid in uuids]


def _nobody(
    policy: Policy, captures: EncodedCaptures, activity: ActivityEstimate | None, *, exact: bool
) -> IdentificationOutcome:
    return IdentificationOutcome(
        decision=nothing_compared(policy, captures, activity, exact=exact),
        gallery_size=0,
        fpir=policy.fpir if isinstance(policy, CalibratedPolicy) else None,
        candidates=(),
    )
