"""What several commands open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.config import Settings

if TYPE_CHECKING:
    from app.services.access import AccessService


@contextmanager
def open_access(settings: Settings) -> Iterator[AccessService]:
    from app.bootstrap import bind_store, open_store, open_vault, utc_now
    from app.services.access import AccessService

    with open_store(settings) as (engine, store):
        # A key for a database that cannot be read would only mislead.
        bind_store(engine, store, open_vault(settings, engine))
        yield AccessService(store, utc_now)
