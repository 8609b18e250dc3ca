"""Let an inspector read one cohort for a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from xueji.kernel.database import UTCDateTime

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "inspection",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cohort_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("given_by", sa.Uuid(), nullable=False),
        sa.Column("given_at", UTCDateTime(), nullable=False),
        sa.Column("until", UTCDateTime(), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["cohort_id"], ["cohort.id"], name=op.f("fk_inspection_cohort_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_inspection_person_id")),
        sa.ForeignKeyConstraint(["given_by"], ["person.id"], name=op.f("fk_inspection_given_by")),
        sa.ForeignKeyConstraint(["ended_by"], ["person.id"], name=op.f("fk_inspection_ended_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection")),
    )
    op.create_index(op.f("ix_inspection_cohort_id"), "inspection", ["cohort_id"])
    op.create_index(op.f("ix_inspection_person_id"), "inspection", ["person_id"])


def downgrade() -> None:
    op.drop_table("inspection")
