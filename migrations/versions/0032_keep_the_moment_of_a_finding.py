"""Keep the moment of a sitting that a finding is about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("finding", sa.Column("moment_ms", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("finding", "moment_ms")
