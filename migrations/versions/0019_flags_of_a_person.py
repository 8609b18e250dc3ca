"""Keep what cannot be of one person over all her enrolments; it is worked out as her accounts next fall due."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "person_account",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_account_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_person_account")),
    )


def downgrade() -> None:
    op.drop_table("person_account")
