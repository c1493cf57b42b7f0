"""Store biometric references of a subject, so that it is found at the next request and for ever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, partial
from uuid import UUID

from app.domain.captures import Capture, EcgFacts
from app.domain.details import pack, rotated_local
from app.domain.errors import (
    ConflictError,
    FailureToEnrollError,
    GalleryNotFoundError,
    InsufficientScopeError,
)
from app.domain.policies import CalibratedPolicy
from app.domain.ports.clock import Clock, NewId
from app.domain.ports.encoders import Encoder, Encoders
from app.domain.ports.enrollments import Claim
from app.domain.ports.store import Store, UnitOfWork
from app.domain.ports.vault import TemplateVault
from app.domain.references import (
    MAX_REFERENCES,
    Modality,
    Reference,
    ReferenceIdentity,
    TemplateKey,
)
from app.domain.subjects import ApiClient, Consent, Gallery, GalleryTransform, Scope, Subject
from app.matching.encoded_captures import Acquired, EncodedCaptures, Rejection, encode
from app.matching.follower import GalleryFollower
from app.services.access import require_intact
from app.services.duplicates import DuplicateSearch
from app.services.idempotency import AnswerLog, IdempotentRequest, Rendered
from app.services.limits import max_subjects
from app.services.mismatch import Admitted, MismatchCheck
from app.services.resolution import resolved
from ml.runtime.evidence import Evidence

SESSION_GAP = timedelta(hours=1)


@dataclass(frozen=True)
class EnrollmentRequest:
    """Recordings of one subject; `force` skips the comparison with what is enrolled (admin only)."""

    gallery: str
    subject_id: str
    recordings: tuple[Capture, ...]
    consent: Consent | None = None
    force: bool = False


@dataclass(frozen=True)
class EnrolledReference:
    """What an answer says of a stored reference; `warnings` are codes."""

    id: UUID
    modality: Modality
    position: str
    encoder: str
    evidence: Evidence
    heart_rate_bpm: float | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class EnrollmentOutcome:
    """The stored references, what was rejected, and what the operator should know.

    Attributes:
        possible_duplicate_of: Other names that may be the same person, the most alike first; for admins only.
    """

    subject_id: str
    gallery: str
    references: tuple[EnrolledReference, ...]
    rejected: tuple[Rejection, ...]
    warnings: tuple[str, ...]
    created_at: datetime
    possible_duplicate_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Owner:
    """Whose references they will be, how many there are under each key, and the gallery's revision."""

    subject: Subject
    known: Mapping[TemplateKey, int]
    revision: int


class EnrollmentService:
    """Enrolls new subjects and adds to known ones; nothing is ever retrained."""

    def __init__(
        self,
        *,
        store: Store,
        vault: TemplateVault,
        encoders: Encoders,
        follower: GalleryFollower,
        check: MismatchCheck,
        duplicates: DuplicateSearch,
        answers: AnswerLog,
        clock: Clock,
        new_id: NewId,
        report_duplicate: Callable[[str, int], None] = lambda *_: None,
    ) -> None:
        self._store = store
        self._vault = vault
        self._encoders = encoders
        self._follower = follower
        self._check = check
        self._duplicates = duplicates
        self._report_duplicate = report_duplicate
        self._answers = answers
        self._clock = clock
        self._new_id = new_id
        # The same at every enrollment, and the search for the limit takes longer than a commit.
        self._most_subjects = cache(partial(max_subjects, encoders=encoders))

    def enroll(
        self,
        caller: ApiClient,
        request: EnrollmentRequest,
        *,
        idempotent: IdempotentRequest | None = None,
        render: Callable[[EnrollmentOutcome], Rendered],
    ) -> Rendered:
        """Store what is usable, durably, before answering.

        Raises:
            InsufficientScopeError: `force` without the scope `admin`.
            GalleryNotFoundError: No such gallery for this caller.
            FailureToEnrollError: Nothing was accepted; the code is that of recording 0.
            UnprocessableError: `reference_mismatch`: what is added to a subject must match it.
            ConflictError: `too_many_references`.
        """
        if request.force and Scope.ADMIN not in caller.scopes:
            raise InsufficientScopeError("'force' needs the scope 'admin'.")
        return self._answers.once(idempotent, lambda: self._enroll_once(caller, request, idempotent, render))

    def _enroll_once(
        self,
        caller: ApiClient,
        request: EnrollmentRequest,
        idempotent: IdempotentRequest | None,
        render: Callable[[EnrollmentOutcome], Rendered],
    ) -> Rendered:
        recordings = resolved(self._store, caller, request.gallery, request.recordings)
        captures = encode(recordings, self._encoders)  # Before the transaction, which must be short.
        alike = self._duplicates.names_like(caller, request.gallery, request.subject_id, captures)
        new_uuid = self._new_id()  # Never an old one again: erased uuids are not reused.
        with self._store.writing() as uow:
            claim = _claim(uow, caller, request, new_uuid)
            gallery, floor = claim.gallery, claim.gallery.policy.quality_floor
            captures.require_usable(floor, FailureToEnrollError)
            owner = self._owner(uow, claim, request, new_uuid)
            encoders = self._encoders_for(captures, owner.known)
            admitted = None
            if claim.subject is not None and not request.force:
                admitted = self._check.admitted(uow, gallery, owner.subject, captures, encoders)
            stored = self._references(uow, claim, owner, encoders, captures, admitted=admitted)
            references = [reference for reference, _ in stored]
            if claim.subject is None:
                uow.enrollments.add(owner.subject, references)
            else:
                uow.references.add_all(references)
            outcome = EnrollmentOutcome(
                subject_id=request.subject_id,
                gallery=gallery.name,
                references=tuple(_enrolled(reference, acquired) for reference, acquired in stored),
                rejected=captures.rejections(floor),
                warnings=self._warnings(
                    uow, gallery, owner.revision, frozenset(r.modality for r in references)
                ),
                created_at=references[0].created_at,
            )
            answer = render(outcome)  # Names nobody else: kept for repetitions, it outlives their erasure.
            self._answers.keep(uow, idempotent, answer, owner.subject.uuid)
        if not alike:
            return answer
        # Only of what was stored, and not where no key is needed: or it would tell who is enrolled.
        self._report_duplicate(gallery.name, len(alike))
        if Scope.ADMIN not in caller.scopes:
            return answer
        return render(replace(outcome, possible_duplicate_of=alike))

    def _owner(self, uow: UnitOfWork, claim: Claim, request: EnrollmentRequest, new_uuid: UUID) -> _Owner:
        """Who is enrolled under the name, or a new subject."""
        gallery, subject = claim.gallery, claim.subject
        if subject is None:
            made = Subject(
                uuid=new_uuid,
                gallery_uuid=gallery.uuid,
                subject_id=request.subject_id,
                wrapped_key=self._vault.new_subject_key(gallery, new_uuid),
                consent=request.consent,
                created_at=self._clock(),
            )
            return _Owner(made, {}, claim.revision)
        revision = uow.changes.record(gallery.uuid, [subject.uuid])
        if request.consent is not None:
            subject = replace(subject, consent=request.consent)
            uow.subjects.set_consent(subject)
        return _Owner(subject, uow.references.keys_of(subject.uuid), revision)

    def _references(
        self,
        uow: UnitOfWork,
        claim: Claim,
        owner: _Owner,
        encoders: Sequence[Encoder],
        captures: EncodedCaptures,
        *,
        admitted: Admitted | None,
    ) -> list[tuple[Reference, Acquired]]:
        """What is stored, with what it was made of: all accepted, or what was admitted to a known subject."""
        gallery, floor, made = claim.gallery, claim.gallery.policy.quality_floor, []
        for encoder in encoders:
            transform = claim.transforms.get((encoder.modality, encoder.encoder_id))
            if transform is None:
                transform = self._first_transform(uow, gallery, encoder)
            session_id = str(self._new_id())
            accepted = [
                acquired
                for acquired in captures.accepted(encoder, floor)
                if admitted is None or (encoder.encoder_id, acquired.index) in admitted
            ]
            for acquired, session in _in_sessions(accepted, session_id):
                reference = self._reference(gallery, owner.subject, transform, acquired, session=session)
                made.append((reference, acquired))
        for key, added in Counter(reference.key for reference, _ in made).items():
            count = owner.known.get(key, 0) + added
            if count > MAX_REFERENCES:
                raise ConflictError(
                    f"At most {MAX_REFERENCES} references of one modality and position; this would make"
                    f" {count} of {key.modality} '{key.position}'.",
                    code="too_many_references",
                )
        return made

    def _reference(
        self,
        gallery: Gallery,
        subject: Subject,
        transform: GalleryTransform,
        acquired: Acquired,
        *,
        session: str,
    ) -> Reference:
        identity = ReferenceIdentity(
            gallery_uuid=gallery.uuid,
            subject_uuid=subject.uuid,
            reference_id=self._new_id(),
            modality=transform.modality,
            encoder=transform.encoder,
            transform_version=transform.version,
        )
        encoding = acquired.encoding
        vector = self._vault.matrix(gallery, transform) @ encoding.vector
        detail = None
        if encoding.detail is not None:
            local = rotated_local(encoding.local, self._vault.local_matrix(gallery, transform))
            detail = self._vault.seal_detail(gallery, subject, identity, pack(encoding.detail, local))
        return Reference(
            id=identity.reference_id,
            gallery_uuid=gallery.uuid,
            subject_uuid=subject.uuid,
            modality=transform.modality,
            position=acquired.capture.position,
            encoder=transform.encoder,
            transform_version=transform.version,
            ciphertext=self._vault.seal(gallery, subject, identity, vector),
            evidence=encoding.evidence,
            session=session,
            captured_at=acquired.capture.captured_at,
            created_at=self._clock(),
            sealed_detail=detail,
        )

    def _first_transform(self, uow: UnitOfWork, gallery: Gallery, encoder: Encoder) -> GalleryTransform:
        """The gallery's secret matrix for this encoder; drawn when the first reference needs it."""
        drawn = self._vault.new_transform(
            gallery,
            encoder.modality,
            encoder.encoder_id,
            version=1,
            size=encoder.vector_size,
            local_size=encoder.local_size,
        )
        uow.transforms.add(drawn)
        return drawn

    def _encoders_for(self, captures: EncodedCaptures, known: Mapping[TemplateKey, int]) -> list[Encoder]:
        """The default encoder of each modality, and every loaded one the subject already has."""
        versions = {key.encoder for key in known}
        return [
            encoder
            for modality in captures.served_modalities
            for encoder in self._encoders.of(modality)
            if encoder is self._encoders.default(modality) or encoder.encoder_id in versions
        ]

    def _warnings(
        self, uow: UnitOfWork, gallery: Gallery, revision: int, modalities: frozenset[Modality]
    ) -> tuple[str, ...]:
        """What the operator should know of a gallery in which people are enrolled in these modalities."""
        if not isinstance(gallery.policy, CalibratedPolicy):
            return ()
        limit = self._most_subjects(gallery.policy, modalities=modalities)
        if limit is None:
            return ()
        # Counted only where what this process holds leaves it open.
        at_least, at_most = self._follower.size_bounds(gallery.uuid, revision) or (0, limit + 1)
        certain = at_least > limit or at_most <= limit
        more = at_least > limit if certain else uow.galleries.has_more_subjects_than(gallery.uuid, limit)
        if not more:
            return ()
        return (
            f"At fpir {gallery.policy.fpir:g} a search finds a person of usual scores among {limit}"
            " subjects at most, and the gallery has more. Verification is not affected.",
        )


def _claim(uow: UnitOfWork, caller: ApiClient, request: EnrollmentRequest, new_uuid: UUID) -> Claim:
    """Lock the gallery, so that until the commit no other enrollment interferes.

    The revision is taken for a new subject before anybody knows whether the name is taken: most enrollments
    are of new subjects, and ask once.

    Raises:
        GalleryNotFoundError: Absent or not granted.
        TemplateIntegrityError: The row of the gallery or the subject was changed outside of the service.
    """
    granted = caller.may_see(request.gallery)
    claim = uow.enrollments.claim(request.gallery, request.subject_id, new_uuid) if granted else None
    if claim is None:
        raise GalleryNotFoundError("There is no such gallery.")
    require_intact(claim.gallery, "gallery")
    if claim.subject is not None:
        require_intact(claim.subject, "subject")
    return claim


def _in_sessions(accepted: Sequence[Acquired], request_id: str) -> list[tuple[Acquired, str]]:
    """Recordings with their session: one per request, unless capture times lie more than an hour apart."""
    dated = sorted((a.capture.captured_at, a.index) for a in accepted if a.capture.captured_at)
    session_of: dict[int, int] = {}
    number, last = 0, None
    for captured_at, index in dated:
        if last is not None and captured_at - last > SESSION_GAP:
            number += 1
        session_of[index], last = number, captured_at
    return [(a, f"{request_id}.{session_of.get(a.index, 0)}") for a in accepted]


def _enrolled(reference: Reference, acquired: Acquired) -> EnrolledReference:
    facts = acquired.encoding.facts
    heart = facts if isinstance(facts, EcgFacts) else None
    return EnrolledReference(
        id=reference.id,
        modality=reference.modality,
        position=reference.position,
        encoder=reference.encoder,
        evidence=reference.evidence,
        heart_rate_bpm=heart.heart_rate_bpm if heart else None,
        warnings=heart.warnings() if heart else (),
    )
