"""Room for what encoders compare besides vectors, sealed, and for the matrix of their local vectors.

Reason: a fingerprint is compared by its minutiae, which no vector holds (DESIGN §4). Both are null for every
other encoder, so the release before runs on this schema too.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261201_0310"
down_revision = "20261201_0300"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("gallery_transforms", sa.Column("wrapped_local_matrix", sa.LargeBinary))
    op.add_column("biometric_references", sa.Column("sealed_detail", sa.LargeBinary))


def downgrade() -> None:
    op.drop_column("biometric_references", "sealed_detail")
    op.drop_column("gallery_transforms", "wrapped_local_matrix")
