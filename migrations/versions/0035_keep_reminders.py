"""Keep when trainees were reminded, and what of an account waits for a check."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from xueji.kernel.database import UTCDateTime

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("hours_account", sa.Column("waiting_ms", sa.BigInteger(), nullable=True))
    # Filled in as the accounts are worked out anew: none of the rules before keeps it.
    op.execute("UPDATE hours_account SET rules = ''")
    op.create_table(
        "reminder",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("enrolment_id", sa.Uuid(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("read_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_reminder_enrolment_id")),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_reminder_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder")),
        sa.UniqueConstraint("enrolment_id", "day", name=op.f("uq_reminder_enrolment_id_day")),
    )


def downgrade() -> None:
    op.drop_table("reminder")
    op.drop_column("hours_account", "waiting_ms")
