"""Room for what binds a row to its content, and the key that this is made with, wrapped.

Reason: names, policies, scopes and quality were not covered by any ciphertext, so whoever could write SQL
could swap people without a master key (DESIGN §7). The columns are filled at the first start, which has the
master keys; they are null until then, so the release before runs on this schema too.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261201_1000"
down_revision = "20261201_0310"
branch_labels = None
depends_on = None

_TABLES = ("galleries", "api_clients", "subjects", "biometric_references")


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("binding", sa.LargeBinary))
    op.create_table(
        "row_binding",
        sa.Column("id", sa.SmallInteger, nullable=False, autoincrement=False),
        sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_row_binding_single_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_row_binding")),
    )


def downgrade() -> None:
    op.drop_table("row_binding")
    for table in reversed(_TABLES):
        op.drop_column(table, "binding")
