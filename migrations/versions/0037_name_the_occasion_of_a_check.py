"""A check names the occasion it was asked in, of whatever kind; until now that was always a sitting."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("check") as batch:
        batch.drop_constraint(batch.f("fk_check_sitting_id"), type_="foreignkey")
        batch.drop_index(batch.f("ix_check_sitting_id"))
        batch.add_column(sa.Column("occasion_kind", sa.String(16), nullable=False, server_default="sitting"))
        batch.alter_column(
            "sitting_id", new_column_name="occasion_id", existing_type=sa.Uuid(), existing_nullable=False
        )
        batch.alter_column("retold", new_column_name="redelivered", existing_type=sa.Integer(), existing_nullable=False)
    with op.batch_alter_table("check") as batch:
        batch.alter_column("occasion_kind", server_default=None, existing_type=sa.String(16), existing_nullable=False)
        batch.create_index(batch.f("ix_check_occasion_id"), ["occasion_id"])


def downgrade() -> None:
    """Only checks of sittings have a place in the earlier table: with any other it is refused by the foreign key."""
    with op.batch_alter_table("check") as batch:
        batch.drop_index(batch.f("ix_check_occasion_id"))
        batch.alter_column("redelivered", new_column_name="retold", existing_type=sa.Integer(), existing_nullable=False)
        batch.alter_column(
            "occasion_id", new_column_name="sitting_id", existing_type=sa.Uuid(), existing_nullable=False
        )
        batch.drop_column("occasion_kind")
    with op.batch_alter_table("check") as batch:
        batch.create_index(batch.f("ix_check_sitting_id"), ["sitting_id"])
        batch.create_foreign_key(batch.f("fk_check_sitting_id"), "sitting", ["sitting_id"], ["id"])
