"""The database as the services use it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from app.domain.ports.answers import AnswerRepository
from app.domain.ports.changes import ChangeFeed
from app.domain.ports.clients import ClientRepository
from app.domain.ports.enrollments import EnrollmentRepository
from app.domain.ports.galleries import GalleryRepository, TransformRepository
from app.domain.ports.references import ReferenceRepository
from app.domain.ports.subjects import SubjectRepository


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

    def tidy(self) -> None:
        """Remove what erasures left in the database's files; now and then, for it takes its time."""

    def ping(self) -> None: ...
