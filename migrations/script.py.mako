"""${message}.

Reason:
"""

import sqlalchemy as sa
from alembic import op

# The date orders revisions: start-up compares them as text.
revision = "${create_date.strftime('%Y%m%d_%H%M')}"
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
