"""The tables (DESIGN §6). A change here comes with a migration; a test compares the two.

The repositories beside this file keep the statements of every request as constants with `bindparam`. To
build one anew takes SQLAlchemy 70 µs, and 110 µs or more when the encoder has used the processor's cache in
between: with the ten statements of an enrollment, about 5 % of its time. What only administration runs is
written where it runs.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
)

from app.adapters.db.column_types import PolicyJson, UtcTime, UuidBytes

SCHEMA_REVISION = "20261201_1000"  # The newest file of migrations/versions.

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

galleries = Table(
    "galleries",
    metadata,
    Column("uuid", UuidBytes, primary_key=True),
    Column("name", String(128), nullable=False),
    Column("policy", PolicyJson, nullable=False),
    # Every change of a reference takes the next revision; the row lock makes commits follow its order.
    Column("revision", BigInteger, nullable=False),
    # Followers that have seen less than this must rebuild: the changes up to here are pruned.
    Column("pruned_revision", BigInteger, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("fingerprint_dpi", Integer),
    # Of what the row says (row_binding.py), as in the other tables.
    Column("binding", LargeBinary),
    UniqueConstraint("name"),
)

gallery_transforms = Table(
    "gallery_transforms",
    metadata,
    Column("gallery_uuid", UuidBytes, ForeignKey("galleries.uuid", ondelete="CASCADE"), primary_key=True),
    Column("modality", String(32), primary_key=True),
    Column("encoder", String(128), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("wrapped_matrix", LargeBinary, nullable=False),
    # Of the local vectors; few encoders have any.
    Column("wrapped_local_matrix", LargeBinary),
)

api_clients = Table(
    "api_clients",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(256), nullable=False),
    Column("secret_sha256", LargeBinary(32), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("galleries", JSON, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime),
    Column("revoked_at", UtcTime),
    Column("binding", LargeBinary),
)

subjects = Table(
    "subjects",
    metadata,
    Column("uuid", UuidBytes, primary_key=True),
    Column("gallery_uuid", UuidBytes, ForeignKey("galleries.uuid", ondelete="CASCADE"), nullable=False),
    Column("subject_id", String(128), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("consent_text_id", String(256)),
    Column("consent_given_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Column("binding", LargeBinary),
    UniqueConstraint("gallery_uuid", "subject_id"),
    Index(None, "gallery_uuid", "created_at", "uuid"),
)

biometric_references = Table(
    "biometric_references",
    metadata,
    Column("id", UuidBytes, primary_key=True),
    Column("subject_uuid", UuidBytes, ForeignKey("subjects.uuid", ondelete="CASCADE"), nullable=False),
    Column("modality", String(32), nullable=False),
    Column("position", String(32), nullable=False),
    Column("encoder", String(128), nullable=False),
    Column("transform_version", Integer, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("quality", Float(53), nullable=False),
    Column("seconds", Float(53), nullable=False),
    Column("session", String(64), nullable=False),
    Column("captured_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    # Last, since it is long and read by few: SQLite goes through a row from its beginning.
    Column("sealed_detail", LargeBinary),
    Column("binding", LargeBinary),
    Index(None, "subject_uuid", "created_at", "id"),
)

reference_changes = Table(
    "reference_changes",
    metadata,
    Column("gallery_uuid", UuidBytes, ForeignKey("galleries.uuid", ondelete="CASCADE"), primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    # No foreign key: the change that matters most is the one of an erased subject.
    Column("subject_uuid", UuidBytes, primary_key=True),
    Column("changed_at", UtcTime, nullable=False),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("client_id", String(64), primary_key=True),
    Column("method", String(16), primary_key=True),
    Column("path", String(1024), primary_key=True),
    Column("key", String(256), primary_key=True),
    Column("body_sha256", LargeBinary(32), nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    # No foreign key: the answer to an erasure names a subject that is gone.
    Column("subject_uuid", UuidBytes),
    Column("created_at", UtcTime, nullable=False),
    Index(None, "subject_uuid"),
    Index(None, "created_at"),
)

schema_compat = Table(
    "schema_compat",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    # The schema revision that the oldest code able to run on this database was written for.
    Column("oldest_code", String(32), nullable=False),
    CheckConstraint("id = 1", name="single_row"),
)

key_check = Table(
    "key_check",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("value", LargeBinary, nullable=False),
    CheckConstraint("id = 1", name="single_row"),
)

row_binding = Table(
    "row_binding",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    CheckConstraint("id = 1", name="single_row"),
)
