"""Put a mistake right that was found after a cohort opened, by a decision of two people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cohort_amendment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cohort_id", sa.Uuid(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["asked_by"], ["person.id"], name=op.f("fk_cohort_amendment_asked_by")),
        sa.ForeignKeyConstraint(["cohort_id"], ["cohort.id"], name=op.f("fk_cohort_amendment_cohort_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_cohort_amendment_decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cohort_amendment")),
    )
    with op.batch_alter_table("cohort_amendment") as batch_op:
        batch_op.create_index(batch_op.f("ix_cohort_amendment_cohort_id"), ["cohort_id"])


def downgrade() -> None:
    op.drop_table("cohort_amendment")
