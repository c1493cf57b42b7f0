"""What the routes are given: the services, the limits and the two facilities around them.

Dependencies and routes are `async`: FastAPI would run others in a pool of its own, which is not bounded.
What blocks goes through `services.executor`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar

from fastapi import Depends, Request

from app.api.in_flight import BytesInFlight
from app.api.limits import Limits
from app.api.pace import SlowBodies

if TYPE_CHECKING:
    from app.domain.activity import ActivityRecognizer, Pieces
    from app.domain.ports.encoders import Encoders
    from app.domain.ports.fusion import FeatureFusion
    from app.services.access import AccessService
    from app.services.activity import ActivityService
    from app.services.directory import DirectoryService
    from app.services.enrollment import EnrollmentService
    from app.services.erasure import ErasureService
    from app.services.galleries import GalleryService
    from app.services.health import HealthService
    from app.services.idempotency import AnswerLog
    from app.services.identification import IdentificationService
    from app.services.quality import QualityService
    from app.services.verification import VerificationService

T = TypeVar("T")


class Executor(Protocol):
    """Runs blocking work beside the event loop, a bounded amount of it."""

    async def run(self, job: Callable[[], T]) -> T:
        """Raises `TemporaryError` (`overloaded`) instead of letting the work pile up."""

    async def run_in_pieces(self, pieces: Pieces[T], between: Callable[[], Awaitable[None]]) -> T:
        """Let others run between pieces, and end with what `between` raises there."""

    @property
    def queued(self) -> int:
        """Jobs waiting for a thread."""


class Metrics(Protocol):
    """Counts what happens; labels never name a subject."""

    def request_finished(self, *, method: str, route: str, status: int, seconds: float) -> None: ...

    def decided(self, *, use_case: str, decision: str) -> None: ...

    def render(self, *, queued: int) -> tuple[bytes, str]:
        """The exposition and its media type."""


@dataclass(frozen=True)
class Services:
    """The use cases behind the routes; `app/bootstrap.py` builds it."""

    access: AccessService
    answers: AnswerLog
    enrollment: EnrollmentService
    verification: VerificationService
    identification: IdentificationService
    activity: ActivityService
    quality: QualityService
    directory: DirectoryService
    erasure: ErasureService
    galleries: GalleryService
    health: HealthService
    encoders: Encoders
    recognizer: ActivityRecognizer | None
    fusion: FeatureFusion | None
    executor: Executor
    limits: Limits = field(default_factory=Limits)
    in_flight: BytesInFlight = field(default_factory=BytesInFlight)
    slow_bodies: SlowBodies = field(default_factory=SlowBodies)


def services_of(request: Request) -> Services:
    """The same, for dependencies."""
    services: Services = request.app.state.services
    return services


async def _services(request: Request) -> Services:
    return services_of(request)


TheServices = Annotated[Services, Depends(_services)]
