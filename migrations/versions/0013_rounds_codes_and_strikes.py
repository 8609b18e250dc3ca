"""Keep who looked after whom in a room, whether the code was typed, how a check-in ended, and whether it was struck."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("check_in") as batch:
        batch.add_column(sa.Column("ended_why", sa.String(length=12), nullable=True))
        batch.add_column(sa.Column("code_ms", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("code_tries", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("revoked_ms", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("revoked_by", sa.Uuid(), nullable=True))
        batch.create_foreign_key(batch.f("fk_check_in_revoked_by"), "person", ["revoked_by"], ["id"])
    with op.batch_alter_table("check_in") as batch:
        batch.alter_column("code_tries", existing_type=sa.Integer(), existing_nullable=False, server_default=None)
    op.create_table(
        "check_in_look",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("check_in_id", sa.Uuid(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["check_in_id"], ["check_in.id"], name=op.f("fk_check_in_look_check_in_id")),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=op.f("fk_check_in_look_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_in_look")),
    )
    with op.batch_alter_table("check_in_look") as batch:
        batch.create_index(batch.f("ix_check_in_look_check_in_id"), ["check_in_id"], unique=False)
        batch.create_index("ix_check_in_look_by_at", ["by_id", "at_ms"], unique=False)


def downgrade() -> None:
    op.drop_table("check_in_look")
    with op.batch_alter_table("check_in") as batch:
        batch.drop_constraint(batch.f("fk_check_in_revoked_by"), type_="foreignkey")
        for name in ("ended_why", "code_ms", "code_tries", "revoked_ms", "revoked_by"):
            batch.drop_column(name)
