"""`doctor`: is anything wrong with this installation, and what?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from app.config import Settings, load_settings
from app.domain.errors import ConfigurationError, PulseprintError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from app.adapters.crypto import EnvelopeVault
    from app.adapters.db.unit_of_work import SqlStore
    from app.domain.ports.encoders import Encoders

CLOCK_TOLERANCE = timedelta(minutes=5)


class _Report:
    """One line for each thing looked at."""

    def __init__(self) -> None:
        self.faults = 0

    def fine(self, what: str, detail: str) -> None:
        typer.echo(f"ok     {what:9} {detail}")

    def fault(self, what: str, detail: str) -> None:
        self.faults += 1
        typer.echo(f"FAULT  {what:9} {detail}")

    def each(self, what: str, faults: list[str], fine: str) -> None:
        """A line for each fault, or one that says there is none."""
        for detail in faults:
            self.fault(what, detail)
        if not faults:
            self.fine(what, fine)

    def attempt(self, what: str, work: Callable[[], str]) -> bool:
        """Say what work came to, or why it failed; whether it did not."""
        try:
            self.fine(what, work())
        except PulseprintError as error:
            self.fault(what, error.detail)
            return False
        return True


def doctor(
    bind: Annotated[
        bool, typer.Option("--bind", help="Accept all rows as they are now, after you looked at them.")
    ] = False,
) -> None:
    """Check settings, bundles, database, keys, every stored row, the index and the clock.

    Exits with 1 if something is at fault. Changes nothing without --bind; others may serve meanwhile.
    """
    report = _Report()
    try:
        settings = load_settings()
        report.fine("settings", f"{settings.database_url.partition(':')[0]}, {settings.workers} workers")
    except ConfigurationError as error:
        report.fault("settings", error.detail)
    else:
        _examine(report, settings, bind=bind)
    typer.echo(f"{report.faults} faults" if report.faults else "no faults")
    raise typer.Exit(1 if report.faults else 0)


def _examine(report: _Report, settings: Settings, *, bind: bool) -> None:
    from app.bootstrap import open_store

    encoders = _bundles(report, settings)
    try:
        with open_store(settings) as (engine, store):
            _database(report, engine)
            _clock(report, engine)
            vault = _key(report, settings, engine)
            if vault is None:
                return
            _rows(report, engine, store, vault, bind=bind)
            if encoders is not None:
                _index(report, settings, store, vault, encoders)
    except PulseprintError as error:
        report.fault("database", error.detail)


def _key(report: _Report, settings: Settings, engine: Engine) -> EnvelopeVault | None:
    from app.bootstrap import open_vault

    opened: list[EnvelopeVault] = []

    def open_it() -> str:
        opened.append(open_vault(settings, engine, check_only=True))
        return "the master key belongs to this database"

    return opened[0] if report.attempt("key", open_it) else None


def _bundles(report: _Report, settings: Settings) -> Encoders | None:
    from app.bootstrap import load_bundles

    loaded: list[Encoders] = []

    def load() -> str:
        encoders, recognizer, fusion = load_bundles(settings)
        loaded.append(encoders)
        others = [name for name, one in (("activity", recognizer), ("fusion", fusion)) if one is not None]
        return ", ".join([encoder.encoder_id for encoder in encoders.all()] + others)

    return loaded[0] if report.attempt("bundles", load) else None


def _database(report: _Report, engine: Engine) -> None:
    """Of the right schema, or it would not be open; and sound, as far as SQLite can say."""
    from sqlalchemy import text

    from app.adapters.db.engine import for_reading
    from app.adapters.db.faults import translated_faults

    def checked() -> str:
        with translated_faults(), for_reading(engine).connect() as connection:
            if engine.dialect.name != "sqlite":
                return str(connection.scalar(text("SHOW server_version")))
            found = connection.scalar(text("PRAGMA quick_check(1)"))
        if found != "ok":
            raise ConfigurationError(f"The file is damaged ({found}): restore a backup.")
        return "SQLite, sound"

    report.attempt("database", checked)


def _clock(report: _Report, engine: Engine) -> None:
    from sqlalchemy import func, select

    from app.adapters.db.engine import for_reading
    from app.adapters.db.faults import translated_faults
    from app.adapters.db.tables import SCHEMA_REVISION, biometric_references, subjects

    now = datetime.now(UTC)
    with translated_faults(), for_reading(engine).connect() as connection:
        newest = [
            time
            for column in (subjects.c.created_at, biometric_references.c.created_at)
            if (time := connection.scalar(select(func.max(column)))) is not None
        ]
        theirs = connection.scalar(select(func.now())) if engine.dialect.name == "postgresql" else now
    faults = []
    if f"{now + CLOCK_TOLERANCE:%Y%m%d}" < SCHEMA_REVISION[:8]:
        faults.append(f"It is {now:%Y-%m-%d} here, before this release was made.")
    if newest and max(newest) > now + CLOCK_TOLERANCE:
        faults.append(f"Somebody was enrolled at {max(newest):%Y-%m-%d %H:%M} UTC, which is in the future.")
    if theirs is not None and abs(theirs - now) > CLOCK_TOLERANCE:
        faults.append(f"The database's clock says {theirs:%H:%M:%S} UTC, this machine's {now:%H:%M:%S}.")
    report.each("clock", faults, f"{now:%Y-%m-%d %H:%M:%S} UTC")


def _rows(report: _Report, engine: Engine, store: SqlStore, vault: EnvelopeVault, *, bind: bool) -> None:
    """List rows that differ from what they were bound to."""
    from app.adapters.db.binding_key import bind_again, damaged_rows, is_bound, open_binding

    if bind:
        report.fine("rows", f"{bind_again(engine, vault)} rows accepted as they are")
    if not is_bound(engine):
        report.fine("rows", "not bound yet: the first start binds them as they are")
        return
    binding = open_binding(engine, vault)
    store.bind_rows(binding)
    damaged = [
        f"{table} {row_id} ({name}): changed outside of the service"
        for table, row_id, name in sorted(damaged_rows(engine, binding))
    ]
    report.each("rows", damaged, "every row says what the service wrote")


def _index(
    report: _Report, settings: Settings, store: SqlStore, vault: EnvelopeVault, encoders: Encoders
) -> None:
    from app.bootstrap import open_index, refuse_retired
    from app.matching.follower import GalleryFollower

    follower = GalleryFollower(store, vault, open_index(settings), encoders)

    def built() -> str:
        refuse_retired(store, encoders, allowed=settings.allow_retired)
        follower.start()
        galleries, templates = follower.counts()
        return f"{templates} templates in {galleries} galleries, as in the database"

    report.attempt("index", built)
    report.each(
        "sealed",
        [
            " ".join(filter(None, (f"gallery '{d.gallery}'", d.subject_id, d.reference_id, d.reason)))
            for d in follower.quarantine.all()
        ],
        "everything opens",
    )
