"""Let an organisation register a number that is held elsewhere as a new one, to be confirmed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("person") as batch_op:
        batch_op.add_column(sa.Column("same_number_as", sa.Uuid(), nullable=True))
        batch_op.create_index(batch_op.f("ix_person_same_number_as"), ["same_number_as"])
        batch_op.create_foreign_key(batch_op.f("fk_person_same_number_as"), "person", ["same_number_as"], ["id"])
    with op.batch_alter_table("file_joining") as batch_op:
        batch_op.add_column(sa.Column("same_number", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("file_joining") as batch_op:
        batch_op.drop_column("same_number")
    with op.batch_alter_table("person") as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_person_same_number_as"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_person_same_number_as"))
        batch_op.drop_column("same_number_as")
