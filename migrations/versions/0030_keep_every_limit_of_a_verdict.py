"""Keep the distance beyond which a verdict took a face for somebody else's; verdicts from before do not say it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("check_attempt", sa.Column("mismatch", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("check_attempt") as batch_op:
        batch_op.drop_column("mismatch")
