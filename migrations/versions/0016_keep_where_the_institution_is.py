"""Keep where the institution is.

A cohort is seen by the regulators of its place and of its institution's region, and both regions' law applies to it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cohort", sa.Column("home", sa.String(length=6), nullable=True))
    op.execute(
        "UPDATE cohort SET home = (SELECT region FROM organisation WHERE organisation.id = cohort.organisation_id)"
    )
    with op.batch_alter_table("cohort") as batch:
        batch.alter_column("home", existing_type=sa.String(length=6), nullable=False)
        batch.create_index(op.f("ix_cohort_home"), ["home"])


def downgrade() -> None:
    with op.batch_alter_table("cohort") as batch:
        batch.drop_index(op.f("ix_cohort_home"))
        batch.drop_column("home")
