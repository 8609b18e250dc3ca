"""Record what is done to accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_act",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["person.id"], name=op.f("fk_account_act_actor_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_account_act_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_act")),
    )
    with op.batch_alter_table("account_act", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_act_person_id"), ["person_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("account_act", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_act_person_id"))

    op.drop_table("account_act")
