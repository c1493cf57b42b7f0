"""What the services need of the outside world, as interfaces. Adapters implement them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from app.domain.captures import Capture
from app.domain.policies import Policy
from app.domain.references import (
    Modality,
    Reference,
    ReferenceIdentity,
    TemplateKey,
    Vector,
)
from app.domain.subjects import ApiClient, Gallery, GalleryTransform, Subject
from ml.runtime.calibration.llr import Calibration
from ml.runtime.encoding import Encoding

Float64Array = NDArray[np.float64]
IntArray = NDArray[np.int64]
T = TypeVar("T")

Clock = Callable[[], datetime]
NewId = Callable[[], UUID]


# ── Encoders ────────────────────────────────────────────────────────────────


class EncoderCard(NamedTuple):
    """What is published about a loaded bundle."""

    id: str
    version: str
    modality: Modality
    sha256: str
    vector_size: int
    metric: str
    licence: str
    training_data: Sequence[str]
    operating_points: Sequence[Mapping[str, Any]]


class Encoder(Protocol):
    """Capture → unit vector, one modality, one version."""

    @property
    def encoder_id(self) -> str:
        """`<id>@<version>`, stored with every reference."""

    @property
    def modality(self) -> Modality: ...

    @property
    def vector_size(self) -> int: ...

    @property
    def card(self) -> EncoderCard: ...

    @property
    def calibration(self) -> Calibration: ...

    def encode(self, capture: Capture) -> Encoding:
        """Raises `FailureToAcquireError` with a code of the contract."""

    def pool(self, vectors: Vector, sessions: Sequence[str]) -> Vector:
        """Mean per session, then over sessions, renormalized; shapes (n, d), (n,) → (d,)."""


class Encoders(Protocol):
    """The bundles in use."""

    def default(self, modality: Modality) -> Encoder | None:
        """The encoder new references are made with; `None` if the modality is not served."""

    def get(self, encoder_id: str) -> Encoder | None: ...

    def of(self, modality: Modality) -> Sequence[Encoder]:
        """All loaded ones, the default first: a subject is scored by the first it has a template of."""

    def all(self) -> Sequence[Encoder]: ...


# ── Template protection ───────────────────────────────────────────────────────────────────────────


class TemplateVault(Protocol):
    """Key hierarchy and authenticated encryption (DESIGN §7)."""

    def new_gallery_key(self, gallery_uuid: UUID) -> bytes: ...

    def new_subject_key(self, gallery: Gallery, subject_uuid: UUID) -> bytes: ...

    def new_transform(
        self, gallery: Gallery, modality: Modality, encoder: str, version: int, size: int
    ) -> GalleryTransform:
        """Draw a random orthonormal matrix and wrap it."""

    def matrix(self, gallery: Gallery, transform: GalleryTransform) -> Vector:
        """The matrix in clear, float32, shape (size, size). Cached by version in the process."""

    def seal(
        self, gallery: Gallery, subject: Subject, identity: ReferenceIdentity, vector: Vector
    ) -> bytes: ...

    def open(
        self, gallery: Gallery, subject: Subject, identity: ReferenceIdentity, ciphertext: bytes
    ) -> Vector:
        """Raises `TemplateIntegrityError` if the ciphertext is not this reference's."""

    def open_many(self, gallery: Gallery, rows: Sequence[ReferenceRow]) -> Vector:
        """Fast path of the rebuild: rows of one modality and encoder → float32, shape (n, d)."""


# ── Vector index ──────────────────────────────────────────────────────────────────────────────────


class IndexKey(NamedTuple):
    """One comparable set of templates.

    Attributes:
        evidence_class: Of the enrolled side. What a cosine is worth depends on it, so a shortlist by cosine
            has to be drawn per class.
    """

    gallery_uuid: UUID
    modality: Modality
    position: str
    encoder: str
    transform_version: int
    evidence_class: int = 0


class TemplateIndex(Protocol):
    """Search by inner product over enrolled vectors; derived data, safe to apply twice.

    Ids are our own int64; each owns one vector or several. Vectors that are not finite or not of the key's
    size are refused with ValueError. Unknown ids and keys are ignored by removals and searched as empty. All
    methods may be called from several threads.

    A search may be approximate: those who decide read the vectors of the shortlist and compare again.
    """

    def upsert(self, key: IndexKey, ids: IntArray, vectors: Vector) -> None:
        """Give ids their vectors, shapes (n,) and (n, d), in place of what they had.

        An id that is named several times owns several vectors.
        """

    def remove(self, key: IndexKey, ids: IntArray) -> None: ...

    def drop(self, key: IndexKey) -> None: ...

    def keys(self) -> Sequence[IndexKey]: ...

    def count(self, key: IndexKey) -> int:
        """Different ids."""

    def shortlist(self, key: IndexKey, vectors: Vector, k: int, best: int = 1) -> tuple[IntArray, Vector]:
        """The k ids that resemble a probe most, with their scores, best first, ties by id.

        Args:
            key: Where to search.
            vectors: Of the probe, float32, shape (q, d), q ≥ 1.
            k: How many ids at most.
            best: What an id scores is the sum of so many of the largest products, one per probe vector, each
                with the vector of the id that is most like it. 1: the largest product of any two.
        """

    def vectors(self, key: IndexKey, ids: IntArray) -> Vector:
        """Vectors of known ids, id by id, shape (n, d); KeyError for an unknown one."""


# ── Store ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class PageCursor:
    """Keyset position: strictly after (created_at, id)."""

    created_at: datetime
    id: UUID


@dataclass(frozen=True)
class StoredAnswer:
    """The answer to an idempotent request: written in the transaction of the data."""

    client_id: str
    method: str
    path: str
    key: str
    body_sha256: bytes
    status: int
    body: bytes = field(repr=False)
    subject_uuid: UUID | None
    created_at: datetime


class GalleryRepository(Protocol):
    def add(self, gallery: Gallery) -> None:
        """Raises `ConflictError` (`gallery_exists`)."""

    def by_name(self, name: str) -> Gallery | None: ...

    def by_uuid(self, gallery_uuid: UUID) -> Gallery | None: ...

    def page(self, names: frozenset[str] | None, after: PageCursor | None, limit: int) -> list[Gallery]:
        """In order (created_at, uuid); `names` None means all."""

    def all(self) -> list[Gallery]: ...

    def set_policy(self, gallery_uuid: UUID, policy: Policy) -> None: ...

    def set_wrapped_key(self, gallery_uuid: UUID, wrapped_key: bytes) -> None: ...

    def remove(self, gallery_uuid: UUID) -> None:
        """With everything in it, and the stored answers of its subjects."""

    def revision(self, gallery_uuid: UUID) -> int | None: ...

    def counts(self, gallery_uuid: UUID) -> tuple[int, int]:
        """(subjects, references); counts all of them, which takes its time."""

    def has_more_subjects_than(self, gallery_uuid: UUID, limit: int) -> bool:
        """Stops counting at the limit: cheap enough for every enrollment."""


class TransformRepository(Protocol):
    def add(self, transform: GalleryTransform) -> None: ...

    def current(self, gallery_uuid: UUID, modality: Modality, encoder: str) -> GalleryTransform | None:
        """The one of highest version."""

    def of_gallery(self, gallery_uuid: UUID) -> list[GalleryTransform]: ...

    def remove_older(self, gallery_uuid: UUID, modality: Modality, encoder: str, version: int) -> None: ...


class SubjectRepository(Protocol):
    def add(self, subject: Subject) -> None:
        """After `changes.record`, whose lock decides a race; otherwise the loser has to try again."""

    def add_all(self, many: Sequence[Subject]) -> None: ...

    def by_name(self, gallery_uuid: UUID, subject_id: str) -> Subject | None: ...

    def by_uuids(self, gallery_uuid: UUID, uuids: Sequence[UUID]) -> list[Subject]: ...

    def page(self, gallery_uuid: UUID, after: PageCursor | None, limit: int) -> list[Subject]: ...

    def set_consent(self, subject: Subject) -> None: ...

    def remove(self, subject_uuid: UUID) -> None:
        """Row, references and data key; stored answers that name the subject too."""


class ReferenceRepository(Protocol):
    def add_all(self, references: Sequence[Reference]) -> None: ...

    def of_subject(self, subject_uuid: UUID) -> list[Reference]:
        """In order (created_at, id)."""

    def keys_of(self, subject_uuid: UUID) -> dict[TemplateKey, int]:
        """How many references a subject has under each key."""

    def page(self, subject_uuid: UUID, after: PageCursor | None, limit: int) -> list[Reference]: ...

    def get(self, subject_uuid: UUID, reference_id: UUID) -> Reference | None: ...

    def remove(self, reference_id: UUID) -> None: ...

    def replace_ciphertexts(self, rows: Sequence[tuple[UUID, int, bytes]]) -> None:
        """(reference id, transform version, ciphertext) of a renewal."""

    def template_count(self, gallery_uuid: UUID, encoders: Sequence[str]) -> int:
        """Distinct (subject, modality, position, encoder) among references of these encoders."""

    def encoder_counts(self) -> Mapping[str, int]:
        """References per encoder id, all galleries."""

    def scan(self, gallery_uuid: UUID, subject_uuids: Sequence[UUID] | None = None) -> Iterable[ReferenceRow]:
        """References of a gallery (or of some subjects in it) as light tuples for the index.

        In order (subject uuid, created_at, id); streamed.
        """


class ReferenceRow(NamedTuple):
    """A reference beside its subject, as light as 100 000 of them must be; uuids are 16 bytes."""

    subject_uuid: bytes
    subject_id: str
    wrapped_subject_key: bytes
    reference_id: bytes
    modality: str
    position: str
    encoder: str
    transform_version: int
    ciphertext: bytes
    quality: float
    amount: float
    session: str


class ChangeFeed(Protocol):
    """Which subjects changed at which revision of a gallery (DESIGN §6)."""

    def record(self, gallery_uuid: UUID, subject_uuids: Sequence[UUID]) -> int:
        """Take the next revision (locking the gallery's row until commit) and file the changes under it."""

    def since(self, gallery_uuid: UUID, revision: int) -> list[tuple[int, UUID]] | None:
        """Changes after `revision` in order; `None` if they were pruned and a rebuild is due."""

    def prune(self, older_than: datetime) -> int: ...


@dataclass(frozen=True)
class Claim:
    """A gallery that is locked for one enrollment, and what it holds.

    Attributes:
        gallery: As it was last committed, before `revision` was taken.
        subject: Who is enrolled under the name, if anybody is.
        transforms: The newest, by modality and encoder id.
    """

    gallery: Gallery
    revision: int
    subject: Subject | None
    transforms: Mapping[tuple[Modality, str], GalleryTransform]


class EnrollmentRepository(Protocol):
    """What every enrollment asks and files: it waits for the database as seldom as it can."""

    def claim(self, gallery: str, subject_id: str, subject_uuid: UUID) -> Claim | None:
        """Take the next revision of a gallery for a subject, as `changes.record` does, and look into it.

        Args:
            gallery: Its name.
            subject_id: The name to look for.
            subject_uuid: What the change is filed under.

        Returns:
            `None` if there is no such gallery.
        """

    def add(self, subject: Subject, references: Sequence[Reference]) -> None:
        """A new subject with its references; after `claim`, whose lock decides a race."""


class AnswerRepository(Protocol):
    """Idempotency keys."""

    def get(self, client_id: str, method: str, path: str, key: str) -> StoredAnswer | None: ...

    def add(self, answer: StoredAnswer) -> None:
        """Raises `ConflictError` if a concurrent request stored one first."""

    def prune(self, older_than: datetime) -> int: ...


class ClientRepository(Protocol):
    def add(self, client: ApiClient) -> None: ...

    def by_id(self, client_id: str) -> ApiClient | None: ...

    def all(self) -> list[ApiClient]: ...

    def revoke(self, client_id: str, at: datetime) -> bool: ...


class UnitOfWork(Protocol):
    """One transaction: leaving it cleanly commits, an exception rolls back."""

    galleries: GalleryRepository
    transforms: TransformRepository
    subjects: SubjectRepository
    references: ReferenceRepository
    changes: ChangeFeed
    enrollments: EnrollmentRepository
    answers: AnswerRepository
    clients: ClientRepository


class Store(Protocol):
    """Opens units of work. Faults of the database become `TemporaryError` (`store_unavailable`)."""

    def reading(self) -> AbstractContextManager[UnitOfWork]:
        """A consistent snapshot; writes are refused."""

    def writing(self) -> AbstractContextManager[UnitOfWork]: ...

    def ping(self) -> None: ...
