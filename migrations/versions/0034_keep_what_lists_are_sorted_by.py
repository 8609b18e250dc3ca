"""Keep beside each account what a cohort's list is narrowed and sorted by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

FLAGS, AMOUNTS = ("complete", "begun"), ("held_ms", "unseen_ms", "done_ms")


def upgrade() -> None:
    for name in FLAGS:
        op.add_column("hours_account", sa.Column(name, sa.Boolean(), nullable=True))
    for name in AMOUNTS:
        op.add_column("hours_account", sa.Column(name, sa.BigInteger(), nullable=True))
    # Filled in as the accounts are worked out anew: none of the rules before keeps them.
    op.execute("UPDATE hours_account SET rules = ''")


def downgrade() -> None:
    for name in (*AMOUNTS, *FLAGS):
        op.drop_column("hours_account", name)
