"""Services on a migrated database of each kind, with fake encoders; as many replicas as a test wants."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime

import numpy as np
import pytest

from app.api.deps import Services
from app.bootstrap import open_services
from app.config import Settings
from app.domain.captures import Capture, EcgStrip, FaceImage
from app.domain.references import UNKNOWN_POSITION
from app.domain.subjects import ApiClient, Scope
from app.services.enrollment import EnrollmentOutcome, EnrollmentRequest
from app.services.idempotency import IdempotentRequest, Rendered
from app.services.identification import IdentificationRequest
from app.services.verification import VerificationRequest
from tests.factories import FS_HZ, strip
from tests.fakes import FakeEncoder, FakeEncoders, FakeFaceEncoder

MASTER_KEY = base64.b64encode(hashlib.sha256(b"a master key for tests").digest()).decode()
PEOPLE = 8


def recording(
    person: int,
    take: int = 0,
    *,
    position: str = UNKNOWN_POSITION,
    at: datetime | None = None,
    **shape: float,
) -> EcgStrip:
    """An ECG strip of a fake person."""
    signal = strip(person, take, **shape).astype(np.float32)
    return EcgStrip(signal, FS_HZ, lead=position, captured_at=at)


def face(person: int, take: int = 0) -> FaceImage:
    """A face of a fake person, as the fake face encoder reads it."""
    pattern = np.random.default_rng([3, person]).standard_normal(12)
    noise = 0.2 * np.random.default_rng([4, person, take]).standard_normal(12)
    return FaceImage((pattern + noise).astype(np.float32).tobytes())


def told(outcome: EnrollmentOutcome) -> Rendered:
    return Rendered(201, repr(outcome).encode())


class Replica:
    """One process's services, called as the routes call them."""

    def __init__(self, services: Services, caller: ApiClient) -> None:
        self.services = services
        self.caller = caller
        self.outcomes: list[EnrollmentOutcome] = []

    def enroll(
        self,
        subject_id: str,
        *recordings: Capture,
        force: bool = False,
        gallery: str = "default",
        idempotent: IdempotentRequest | None = None,
    ) -> EnrollmentOutcome:
        def render(outcome: EnrollmentOutcome) -> Rendered:
            self.outcomes.append(outcome)
            return told(outcome)

        request = EnrollmentRequest(gallery, subject_id, recordings, force=force)
        self.services.enrollment.enroll(self.caller, request, idempotent=idempotent, render=render)
        return self.outcomes[-1]

    def identify(self, *recordings: Capture, gallery: str = "default", **options):
        request = IdentificationRequest(gallery, recordings, **options)
        return self.services.identification.identify(self.caller, request)

    def verify(self, subject_id: str, *recordings: Capture, gallery: str = "default", **options):
        request = VerificationRequest(gallery, subject_id, recordings, **options)
        return self.services.verification.verify(self.caller, request)

    def as_client(self, *scopes: Scope) -> Replica:
        """The same process for a caller with these scopes only."""
        client, _ = self.services.access.create("narrow", scopes)
        return Replica(self.services, client)


@pytest.fixture
def replica(database_url: str) -> Iterator[Callable[..., Replica]]:
    """Opens another process's services on the test's database; encoders as given."""
    with ExitStack() as stack:

        def open_replica(*encoders: FakeEncoder, allow_retired: bool = False) -> Replica:
            settings = Settings(
                _env_file=None,
                database_url=database_url,
                master_keys=MASTER_KEY,
                encoder_threads=1,
                allow_retired=allow_retired,
            )
            services = stack.enter_context(
                open_services(settings, encoders=FakeEncoders(*(encoders or (FakeEncoder(),))))
            )
            client, _ = services.access.create("test", list(Scope))
            return Replica(services, client)

        yield open_replica


@pytest.fixture
def multimodal(replica: Callable[..., Replica]) -> Replica:
    """A process with ECG and face encoders."""
    return replica(FakeEncoder(), FakeFaceEncoder())
