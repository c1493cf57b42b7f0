"""The bare pipeline: what a request costs without HTTP.

In it: the request's bytes parsed and checked by the schema of the API, and the service that the route calls,
as it is: gallery, transform and revision read from SQL, strip conditioned and encoded, every template scored,
null and threshold, the candidates read again from SQL, the decision, the activity where a bundle tells it.
Not in it: HTTP, the hop into the executor, authentication, rendering of the answer, log and metrics. That is
what the ratio pays for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from app.api.deps import Services
from app.api.parsing import parse_body
from app.api.schemas.identify import IdentifyBody
from app.bootstrap import open_services
from app.domain.scores import IdentificationOutcome
from app.domain.subjects import ApiClient
from benchmarks.filled_databases import FilledDatabase
from benchmarks.strips import encoders, recogniser


class BarePipeline:
    """Identifies request bodies in this process."""

    def __init__(self, services: Services, caller: ApiClient) -> None:
        self._services = services
        self._caller = caller

    def identify(self, body: bytes) -> IdentificationOutcome:
        return self._services.identification.identify(
            self._caller, parse_body(IdentifyBody, body).to_domain()
        )


@contextmanager
def bare_pipeline(database: FilledDatabase) -> Iterator[BarePipeline]:
    """Open the services on a database; the same that a server may have open."""
    with open_services(database.settings(), encoders=encoders(), recogniser=recogniser()) as services:
        yield BarePipeline(services, services.access.authenticate(f"Bearer {database.token}"))
