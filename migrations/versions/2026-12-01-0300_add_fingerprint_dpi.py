"""Add a gallery's default resolution of fingerprints.

Reason: minutiae have a scale, many files state none, and a resolution is never guessed (DESIGN §5).
"""

import sqlalchemy as sa
from alembic import op

revision = "20261201_0300"
down_revision = "20261120_1020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("galleries") as batch:
        batch.add_column(sa.Column("fingerprint_dpi", sa.Integer))


def downgrade() -> None:
    with op.batch_alter_table("galleries") as batch:
        batch.drop_column("fingerprint_dpi")
