"""Is this the claimed subject? (1:1)"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.domain.activity import ActivityRecognizer
from app.domain.captures import Capture
from app.domain.errors import SubjectNotFoundError, UnprocessableError
from app.domain.policies import DEFAULT_FMR, CalibratedPolicy, Policy, tighten
from app.domain.ports.encoders import Encoders
from app.domain.ports.store import Store, UnitOfWork
from app.domain.references import Modality, Template, TemplateKey
from app.domain.scores import ComparisonDecision, Fusion
from app.domain.subjects import ApiClient, Gallery, Scope, Subject
from app.matching.decision_report import Enrolled, Report, activity_of, nothing_compared
from app.matching.encoded_captures import EncodedCaptures, encode
from app.matching.follower import GalleryFollower
from app.matching.gallery_state import GalleryState
from app.matching.matcher import Matcher, newest_transforms
from app.matching.mirrored import MIRRORED, MIRRORED_DETAIL, matches_in_mirror_only
from app.matching.transformed_probe import TransformedProbe
from app.services.access import found_subject, granted_gallery
from app.services.resolution import resolved


@dataclass(frozen=True)
class VerificationRequest:
    """A probe and the identity it claims."""

    gallery: str
    subject_id: str
    recordings: tuple[Capture, ...]
    fmr: float | None = None
    fusion: Fusion = Fusion.SCORE


class VerificationService:
    """Compares a probe with the templates of one claimed subject, read from the database."""

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

    def verify(self, caller: ApiClient, request: VerificationRequest) -> ComparisonDecision:
        """Decide on the claim.

        Callers without the scope `read` cannot tell whether a name is enrolled: an unknown one stands for
        somebody else of the gallery, through every step, and never matches.

        Encoding takes longer than all else, so it is done before the transaction. What is wrong with the
        request is still said before what is wrong with its captures.

        Raises:
            GalleryNotFoundError: No such gallery for this caller.
            SubjectNotFoundError: No such subject, for a caller with the scope `read`.
            FailureToAcquireError: No recording could be used.
            UnprocessableError: `policy_looser`, `policy_incomplete`, `not_comparable`,
                `fusion_unavailable`, `modality_unavailable`.
        """
        self._matcher.require_fusion(request.fusion)
        recordings = resolved(self._store, caller, request.gallery, request.recordings)
        captures = encode(recordings, self._encoders)
        with self._store.reading() as uow:
            gallery = granted_gallery(uow, caller, request.gallery)
            policy = tighten(gallery.policy, fmr=request.fmr)
            self._matcher.require_fusion(request.fusion, policy)
            claimed = _claimed(uow, caller, gallery, request.subject_id)
            captures.require_usable(policy.quality_floor)
            state = self._follower.up_to_date(uow, gallery)
            compared = claimed.uuid if claimed else state.stand_in(request.subject_id)
            loaded = self._follower.load(uow, gallery, [compared] if compared else [])
            retired = self._retired(uow, compared)
            transforms = newest_transforms(uow, gallery)
        probes = self._matcher.transformed(gallery, transforms, captures, policy.quality_floor)
        templates = loaded[0].templates if loaded else {}
        board = self._matcher.against_subject(state, probes, templates, policy)
        if len(board) and not board.passes.all():
            flipped = self._flipped(state, probes, templates, policy)
            if flipped:
                self._reject(captures, flipped, policy)
                probes = [probe for probe in probes if all(probe is not one for one in flipped)]
                board = self._matcher.against_subject(state, probes, templates, policy)
        exact = Scope.READ_SCORES in caller.scopes
        activity = activity_of(captures, self._recognizer)
        if compared is None:
            return nothing_compared(policy, captures, activity, exact=exact)
        if not len(board):
            raise _not_comparable(probes, templates, retired)
        if request.fusion is Fusion.FEATURE:
            board = self._matcher.by_features_of_subject(board, gallery, transforms, probes, templates)
        enrolled = Enrolled(frozenset(key.modality for key in templates), retired)
        report = Report(board, captures, probes)
        if claimed is None:
            exact = exact and not report.matches(0)
        return report.decision(
            0, request.subject_id, enrolled, exact=exact, activity=activity, never=claimed is None
        )

    def _flipped(
        self,
        state: GalleryState,
        probes: Sequence[TransformedProbe],
        templates: Mapping[TemplateKey, Template],
        policy: Policy,
    ) -> list[TransformedProbe]:
        """Those of a probe that matches nobody which would match in a mirror."""
        fmr = policy.fmr if isinstance(policy, CalibratedPolicy) else DEFAULT_FMR
        return [
            probe for probe in probes if matches_in_mirror_only(self._matcher, state, probe, templates, fmr)
        ]

    @staticmethod
    def _reject(captures: EncodedCaptures, flipped: Sequence[TransformedProbe], policy: Policy) -> None:
        """As if their encoders had refused them; raises `fingerprint_mirrored` if nothing else is left."""
        for probe in flipped:
            captures.reject(probe.encoder, MIRRORED, MIRRORED_DETAIL)
        captures.require_usable(policy.quality_floor)

    def _retired(self, uow: UnitOfWork, subject_uuid: UUID | None) -> frozenset[Modality]:
        """Modalities the subject has references of, under encoders that are not loaded."""
        keys = uow.references.keys_of(subject_uuid) if subject_uuid else ()
        return frozenset(k.modality for k in keys if self._encoders.get(k.encoder) is None)


def _claimed(uow: UnitOfWork, caller: ApiClient, gallery: Gallery, subject_id: str) -> Subject | None:
    """Who is claimed; None is nobody, of which a caller without `read` must learn nothing.

    Raises:
        SubjectNotFoundError: Nobody, and the caller may read who is enrolled.
    """
    try:
        return found_subject(uow, gallery, subject_id)
    except SubjectNotFoundError:
        if Scope.READ in caller.scopes:
            raise
        return None


def _not_comparable(
    probes: Sequence[TransformedProbe],
    templates: Mapping[TemplateKey, Template],
    retired: frozenset[Modality],
) -> UnprocessableError:
    """Name the positions on both sides, where those are why."""
    sentences = ["Nothing in this probe is comparable with what is enrolled of the subject."]
    for probe in probes:
        encoder = probe.encoder
        enrolled = [key.position for key in templates if key.encoder == encoder.encoder_id]
        if enrolled:
            what = "leads" if encoder.modality is Modality.ECG else "positions"
            sentences.append(
                f"Different {what} are not compared: the probe has {_listed(probe.templates)}, enrolled"
                f" is {_listed(enrolled)} ({encoder.modality})."
            )
    if retired:
        sentences.append("An encoder of it is retired.")
    return UnprocessableError(" ".join(sentences), code="not_comparable")


def _listed(positions: Iterable[str]) -> str:
    return ", ".join(sorted(positions))
