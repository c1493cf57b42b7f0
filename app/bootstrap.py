"""The only place that picks concrete classes; opened and closed by the lifespan and the CLI."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Engine, inspect
from sqlalchemy.exc import DBAPIError

from app.adapters.crypto import EnvelopeVault, parse_master_keys
from app.adapters.db.binding_key import open_binding
from app.adapters.db.engine import open_engine, parse_url
from app.adapters.db.key_check import ensure_key_check, verify_key_check
from app.adapters.db.schema import check_schema
from app.adapters.db.unit_of_work import SqlStore
from app.adapters.executor import BoundedExecutor, step_aside
from app.adapters.metrics import (
    count_damaged_row,
    count_null_jump,
    report_index_lag,
    report_quarantined,
)
from app.api.deps import Services
from app.api.in_flight import BytesInFlight
from app.api.limits import Limits
from app.api.pace import SlowBodies
from app.domain.activity import ActivityRecognizer
from app.domain.errors import ConfigurationError, PulseprintError
from app.domain.identifiers import new_id
from app.domain.ports.encoders import Encoders
from app.domain.ports.fusion import FeatureFusion
from app.domain.ports.index import TemplateIndex
from app.domain.ports.store import Store
from app.matching.background_fits import BackgroundFits
from app.matching.feature_fusion import FeatureScorer
from app.matching.follower import GalleryFollower
from app.matching.matcher import Matcher
from app.matching.null_jumps import NullJump
from app.matching.quarantine import Damage, Quarantine
from app.matching.searchable_encoders import SearchableEncoders
from app.services.access import AccessService
from app.services.activity import ActivityService
from app.services.directory import DirectoryService
from app.services.duplicates import DuplicateSearch
from app.services.enrollment import EnrollmentService
from app.services.erasure import ErasureService
from app.services.galleries import GalleryService
from app.services.health import HealthService
from app.services.housekeeping import Housekeeping
from app.services.idempotency import AnswerLog
from app.services.identification import IdentificationService
from app.services.mismatch import MismatchCheck
from app.services.quality import QualityService
from app.services.verification import VerificationService

if TYPE_CHECKING:
    from app.config import Settings

HOUSEKEEPING_INTERVAL_S = 3600.0
FIRST_FITS_S = 60.0
"""For which a start waits, so that the first decision is as corrected as later ones."""

_log = structlog.get_logger("pulseprint.housekeeping")
_gallery_log = structlog.get_logger("pulseprint.galleries")


def utc_now() -> datetime:
    return datetime.now(UTC)


def database_url(settings: Settings) -> str:
    """The URL with the password that is kept apart from it, if there is one."""
    password = settings.database_password()
    if password is None:
        return settings.database_url
    return parse_url(settings.database_url).set(password=password).render_as_string(hide_password=False)


@contextmanager
def open_store(settings: Settings) -> Iterator[tuple[Engine, SqlStore]]:
    """The database, checked to have the schema of this code.

    Raises:
        ConfigurationError: One line saying what to do.
    """
    engine = open_engine(database_url(settings))
    try:
        check_schema(engine)
        store = SqlStore(engine, step_aside)
        try:
            yield engine, store
        finally:
            store.close()
    finally:
        engine.dispose()


def open_vault(settings: Settings, engine: Engine, *, check_only: bool = False) -> EnvelopeVault:
    """The key hierarchy under the configured master keys, checked to be those of this database.

    Args:
        settings: Of this process.
        engine: Of the database.
        check_only: Leave a fresh database without the value that ties it to the key.

    Raises:
        ConfigurationError: No key, a placeholder, or not the key this database was made with.
    """
    vault = EnvelopeVault(parse_master_keys(settings.master_key_text()))
    if check_only:
        verify_key_check(engine, vault)
    else:
        ensure_key_check(engine, vault)
    return vault


def database_exists(settings: Settings) -> bool:
    """Whether there is anything in the database, without creating it."""
    url = parse_url(database_url(settings))
    if url.get_backend_name() == "sqlite":
        return bool(url.database) and Path(str(url.database)).exists()
    engine = open_engine(database_url(settings))
    try:
        return bool(inspect(engine).get_table_names())
    except DBAPIError:
        raise ConfigurationError("The database of PULSEPRINT_DATABASE_URL does not answer.") from None
    finally:
        engine.dispose()


def check_settings(settings: Settings) -> None:
    """Find what would stop the service, before several processes do.

    Raises:
        ConfigurationError: One line saying what is wrong.
    """
    encoders, _, _ = load_bundles(settings)
    with open_store(settings) as (engine, store):
        bind_store(engine, store, open_vault(settings, engine))
        refuse_retired(store, encoders, allowed=settings.allow_retired)


def report_duplicate(gallery: str, names: int) -> None:
    """Say in the log that an enrollment looks like other names, and how many."""
    _gallery_log.info("enrollment.possible_duplicate", gallery=gallery, names=names)


def report_null_jump(gallery: str, jump: NullJump) -> None:
    """Count a correction that jumps, and say in the log what most likely made it."""
    count_null_jump(encoder=jump.encoder, reason=jump.reason)
    _gallery_log.warning(
        "gallery.null_jumped",
        gallery=gallery,
        encoder=jump.encoder,
        reason=jump.reason.value,
        before_db=round(jump.before_db, 1),
        after_db=round(jump.after_db, 1),
        subjects=jump.subjects,
    )


def report_damage(damage: Damage) -> None:
    """Say in the log what is passed over; it stays in the database."""
    _gallery_log.error(
        "gallery.quarantined",
        gallery=damage.gallery,
        subject_id=damage.subject_id,
        reference_id=damage.reference_id,
        reason=damage.reason,
    )


def report_damaged_row(table: str, row_id: str) -> None:
    """Count a row that was changed outside of the service, and name it in the log."""
    count_damaged_row(table)
    _gallery_log.error("store.row_damaged", table=table, id=row_id)


def bind_store(engine: Engine, store: SqlStore, vault: EnvelopeVault) -> None:
    """Compare what is read with what it was bound to, and bind what is written.

    Raises:
        ConfigurationError: The key for it is gone or does not open.
    """
    store.bind_rows(open_binding(engine, vault, report_damaged_row))


def report_failed_fit(error: Exception) -> None:
    """Say in the log that a gallery's correction could not be fitted; the last one stays in use."""
    _gallery_log.error("gallery.fit_failed", error=type(error).__name__)


@contextmanager
def every_hour(work: Callable[[], None]) -> Iterator[None]:
    """Do something now and then beside the service; a fault is logged and does not end it."""
    stop = threading.Event()

    def loop() -> None:
        while True:
            try:
                work()
            except PulseprintError as error:
                _log.warning("housekeeping.failed", code=error.code)
            if stop.wait(HOUSEKEEPING_INTERVAL_S):
                return

    thread = threading.Thread(target=loop, name="housekeeping", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def open_index(settings: Settings) -> TemplateIndex:
    if settings.index == "exact":
        from app.adapters.index.exact_index import ExactIndex

        return ExactIndex()
    from app.adapters.index.faiss_index import FaissIndex

    return FaissIndex()


@contextmanager
def open_services(
    settings: Settings,
    *,
    encoders: Encoders | None = None,
    recognizer: ActivityRecognizer | None = None,
    fusion: FeatureFusion | None = None,
) -> Iterator[Services]:
    """Everything the routes need: checked, loaded and warm.

    Args:
        settings: Of this process.
        encoders: Instead of the bundles in the models folder (tests).
        recognizer: Beside such encoders, instead of the activity bundle there.
        fusion: Beside such encoders, instead of the fusion bundle there.

    Raises:
        ConfigurationError: One line saying what is wrong; nothing was generated.
    """
    if encoders is None:
        encoders, recognizer, fusion = load_bundles(settings)
    with ExitStack() as stack:
        engine, store = stack.enter_context(open_store(settings))
        vault = open_vault(settings, engine)
        bind_store(engine, store, vault)
        refuse_retired(store, encoders, allowed=settings.allow_retired)
        executor = BoundedExecutor(
            threads=settings.executor_threads, queue_limit=max(32, 16 * settings.executor_threads)
        )
        stack.callback(executor.close)
        fits = BackgroundFits(report_failed_fit)
        stack.callback(fits.close)
        follower = GalleryFollower(
            store,
            vault,
            open_index(settings),
            encoders,
            report_lag=report_index_lag,
            report_jump=report_null_jump,
            run_fit=fits,
            quarantine=Quarantine(report_damage, report_quarantined),
        )
        galleries = GalleryService(
            store=store, vault=vault, encoders=encoders, follower=follower, clock=utc_now, new_id=new_id
        )
        galleries.ensure_default()
        follower.start()
        fits.settle(FIRST_FITS_S)
        stack.enter_context(every_hour(Housekeeping(store, follower, utc_now).run))
        feature_scorer = None if fusion is None else FeatureScorer(fusion, vault)
        matcher, searchable = Matcher(vault, encoders, feature_scorer), SearchableEncoders(encoders)
        answers = AnswerLog(store, utc_now)
        yield Services(
            access=AccessService(store, utc_now),
            answers=answers,
            enrollment=EnrollmentService(
                store=store,
                vault=vault,
                encoders=encoders,
                follower=follower,
                check=MismatchCheck(matcher, follower),
                duplicates=DuplicateSearch(store, matcher, follower),
                answers=answers,
                clock=utc_now,
                new_id=new_id,
                report_duplicate=report_duplicate,
            ),
            verification=VerificationService(store, encoders, matcher, follower, recognizer),
            identification=IdentificationService(
                store, searchable, Matcher(vault, searchable, feature_scorer), follower, recognizer
            ),
            activity=ActivityService(recognizer),
            quality=QualityService(encoders),
            directory=DirectoryService(store),
            erasure=ErasureService(store, answers),
            galleries=galleries,
            health=HealthService(store, follower, check_key=lambda: verify_key_check(engine, vault)),
            encoders=encoders,
            recognizer=recognizer,
            fusion=fusion,
            executor=executor,
            limits=Limits(
                max_body_bytes=settings.max_body_bytes,
                max_enroll_body_bytes=settings.max_enroll_body_bytes,
                max_activity_body_bytes=settings.max_activity_body_bytes,
                body_timeout_s=settings.body_timeout_s,
                body_pause_s=settings.client_timeout_s,
                min_body_bytes_per_s=settings.min_body_bytes_per_s,
            ),
            in_flight=BytesInFlight(settings.max_bytes_in_flight),
            slow_bodies=SlowBodies(settings.max_slow_bodies),
        )


def load_bundles(
    settings: Settings,
) -> tuple[Encoders, ActivityRecognizer | None, FeatureFusion | None]:
    # ONNX Runtime and scipy load only where they serve.
    from app.adapters.activity import load_recognizer
    from app.adapters.encoders import load_encoders
    from app.adapters.fusion import load_fusion

    encoders = load_encoders(settings.models_dir, settings.chosen_encoders)
    fusion = load_fusion(settings.models_dir, [encoder.encoder_id for encoder in encoders.all()])
    return encoders, load_recognizer(settings.models_dir, settings.chosen_recognizer), fusion


def refuse_retired(store: Store, encoders: Encoders, *, allowed: bool) -> None:
    """People enrolled under a bundle that is gone would silently stop being found.

    Raises:
        ConfigurationError: There are such references, and ALLOW_RETIRED is not set.
    """
    with store.reading() as uow:
        counts = uow.references.encoder_counts()
        # Not those whose row only says so: one damaged row must not stop the service.
        unknown = [encoder for encoder in counts if encoders.get(encoder) is None]
        intact = {encoder: uow.references.intact_count(encoder) for encoder in unknown}
    retired = {encoder: n for encoder, n in intact.items() if n}
    if retired and not allowed:
        listed = ", ".join(f"{n} references of {encoder}" for encoder, n in sorted(retired.items()))
        raise ConfigurationError(
            f"The bundles of some references are not loaded ({listed}): restore them, or set"
            " PULSEPRINT_ALLOW_RETIRED=1 to serve without."
        )
