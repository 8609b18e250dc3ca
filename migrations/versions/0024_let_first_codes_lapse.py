"""Let the codes lapse that staff are given for somebody's first sign-in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from xueji.kernel.database import UTCDateTime

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.add_column(sa.Column("code_lapses_at", UTCDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.drop_column("code_lapses_at")
