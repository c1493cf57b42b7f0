"""Create the tables of the first release.

Reason: nothing can be enrolled without them (DESIGN §6).
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261120_1020"
down_revision = None
branch_labels = None
depends_on = None

UUID = sa.LargeBinary(16).with_variant(postgresql.UUID(), "postgresql")
TIME = sa.BigInteger().with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "galleries",
        sa.Column("uuid", UUID, nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("policy", sa.JSON, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("pruned_revision", sa.BigInteger, nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("uuid", name="pk_galleries"),
        sa.UniqueConstraint("name", name="uq_galleries_name"),
    )
    op.create_table(
        "gallery_transforms",
        sa.Column("gallery_uuid", UUID, nullable=False),
        sa.Column("modality", sa.String(32), nullable=False),
        sa.Column("encoder", sa.String(128), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("wrapped_matrix", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint(
            "gallery_uuid", "modality", "encoder", "version", name="pk_gallery_transforms"
        ),
        sa.ForeignKeyConstraint(
            ["gallery_uuid"],
            ["galleries.uuid"],
            ondelete="CASCADE",
            name="fk_gallery_transforms_gallery_uuid_galleries",
        ),
    )
    op.create_table(
        "api_clients",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("galleries", sa.JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME),
        sa.Column("revoked_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_api_clients"),
    )
    op.create_table(
        "subjects",
        sa.Column("uuid", UUID, nullable=False),
        sa.Column("gallery_uuid", UUID, nullable=False),
        sa.Column("subject_id", sa.String(128), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
        sa.Column("consent_text_id", sa.String(256)),
        sa.Column("consent_given_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("uuid", name="pk_subjects"),
        sa.UniqueConstraint("gallery_uuid", "subject_id", name="uq_subjects_gallery_uuid_subject_id"),
        sa.ForeignKeyConstraint(
            ["gallery_uuid"],
            ["galleries.uuid"],
            ondelete="CASCADE",
            name="fk_subjects_gallery_uuid_galleries",
        ),
    )
    op.create_index(
        "ix_subjects_gallery_uuid_created_at_uuid", "subjects", ["gallery_uuid", "created_at", "uuid"]
    )
    op.create_table(
        "biometric_references",
        sa.Column("id", UUID, nullable=False),
        sa.Column("subject_uuid", UUID, nullable=False),
        sa.Column("modality", sa.String(32), nullable=False),
        sa.Column("position", sa.String(32), nullable=False),
        sa.Column("encoder", sa.String(128), nullable=False),
        sa.Column("transform_version", sa.Integer, nullable=False),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
        sa.Column("quality", sa.Float(53), nullable=False),
        sa.Column("seconds", sa.Float(53), nullable=False),
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("captured_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_biometric_references"),
        sa.ForeignKeyConstraint(
            ["subject_uuid"],
            ["subjects.uuid"],
            ondelete="CASCADE",
            name="fk_biometric_references_subject_uuid_subjects",
        ),
    )
    op.create_index(
        "ix_biometric_references_subject_uuid_created_at_id",
        "biometric_references",
        ["subject_uuid", "created_at", "id"],
    )
    op.create_table(
        "reference_changes",
        sa.Column("gallery_uuid", UUID, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("subject_uuid", UUID, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("gallery_uuid", "revision", "subject_uuid", name="pk_reference_changes"),
        sa.ForeignKeyConstraint(
            ["gallery_uuid"],
            ["galleries.uuid"],
            ondelete="CASCADE",
            name="fk_reference_changes_gallery_uuid_galleries",
        ),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("method", sa.String(16), nullable=False),
        sa.Column("path", sa.String(1024), nullable=False),
        sa.Column("key", sa.String(256), nullable=False),
        sa.Column("body_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("subject_uuid", UUID),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("client_id", "method", "path", "key", name="pk_idempotency_keys"),
    )
    op.create_index("ix_idempotency_keys_subject_uuid", "idempotency_keys", ["subject_uuid"])
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])
    schema_compat = op.create_table(
        "schema_compat",
        sa.Column("id", sa.SmallInteger, nullable=False, autoincrement=False),
        sa.Column("oldest_code", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_schema_compat"),
        sa.CheckConstraint("id = 1", name=op.f("ck_schema_compat_single_row")),
    )
    op.bulk_insert(schema_compat, [{"id": 1, "oldest_code": revision}])
    op.create_table(
        "key_check",
        sa.Column("id", sa.SmallInteger, nullable=False, autoincrement=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_key_check"),
        sa.CheckConstraint("id = 1", name=op.f("ck_key_check_single_row")),
    )


def downgrade() -> None:
    for table in (
        "key_check",
        "schema_compat",
        "idempotency_keys",
        "reference_changes",
        "biometric_references",
        "subjects",
        "api_clients",
        "gallery_transforms",
        "galleries",
    ):
        op.drop_table(table)
