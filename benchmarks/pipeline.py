"""The bare pipeline: a request without HTTP.

It parses the request's bytes and checks them with the schema of the API, then calls the service that the
route calls. That reads gallery, transform and revision from SQL, conditions and encodes the strip, scores
every template, applies null and threshold, reads the candidates from SQL, decides, and predicts the activity
if a bundle can. It leaves out HTTP, the hop into the executor, authentication, rendering of the response, log
and metrics; the ratio pays for these.
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
from benchmarks.strips import encoders, recognizer


class BarePipeline:
    """Identifies from request bodies in this process."""

    def __init__(self, services: Services, caller: ApiClient) -> None:
        self._services = services
        self._caller = caller

    def identify(self, body: bytes) -> IdentificationOutcome:
        return self._services.identification.identify(
            self._caller, parse_body(IdentifyBody, body).to_domain()
        )


@contextmanager
def bare_pipeline(database: FilledDatabase) -> Iterator[BarePipeline]:
    """Open the services on a database, possibly the one that a server has open."""
    with open_services(database.settings(), encoders=encoders(), recognizer=recognizer()) as services:
        yield BarePipeline(services, services.access.authenticate(f"Bearer {database.token}"))
