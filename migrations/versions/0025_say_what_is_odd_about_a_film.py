"""Say where a film is wrong and what is odd about it, and keep pictures from all over it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("film") as batch_op:
        batch_op.add_column(sa.Column("refused_at_ms", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("remarks", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("has_strip", sa.Boolean(), server_default=sa.false(), nullable=False))
    with op.batch_alter_table("film") as batch_op:
        batch_op.alter_column("remarks", server_default=None)
        batch_op.alter_column("has_strip", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("film") as batch_op:
        batch_op.drop_column("has_strip")
        batch_op.drop_column("remarks")
        batch_op.drop_column("refused_at_ms")
