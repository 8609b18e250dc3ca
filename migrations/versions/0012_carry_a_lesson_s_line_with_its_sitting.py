"""Carry a lesson's line of the statement with its sitting, and what study is worth with a kept account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sitting", schema=None) as batch_op:
        batch_op.add_column(sa.Column("ledger", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("ledger_leaves", sa.Integer(), server_default="0", nullable=False))
    with op.batch_alter_table("hours_account", schema=None) as batch_op:
        batch_op.add_column(sa.Column("worth", sa.JSON(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("hours_account", schema=None) as batch_op:
        batch_op.drop_column("worth")
    with op.batch_alter_table("sitting", schema=None) as batch_op:
        batch_op.drop_column("ledger_leaves")
        batch_op.drop_column("ledger")
