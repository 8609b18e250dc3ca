"""Ask for movements: when the pictures of each are taken, and what pictures are known again by, under keys.

What earlier pictures were known by stood in clear and is dropped: they show no movement, so they answer no check now.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("check", "check_attempt"):
        op.add_column(table, sa.Column("pulses", sa.JSON(), nullable=False, server_default="[]"))
        with op.batch_alter_table(table) as batch_op:
            batch_op.alter_column("pulses", server_default=None)
    op.add_column("check_picture", sa.Column("movement", sa.Integer(), nullable=True))
    op.add_column("check_picture", sa.Column("mark", sa.String(length=64), nullable=True))
    op.add_column("check_picture", sa.Column("likeness_mark", sa.String(length=64), nullable=True))
    with op.batch_alter_table("check_picture") as batch_op:
        batch_op.drop_index(batch_op.f("ix_check_picture_likeness"))
        batch_op.drop_index(batch_op.f("ix_check_picture_plain_sha256"))
        batch_op.drop_column("likeness")
        batch_op.drop_column("plain_sha256")
    op.add_column("check_picture", sa.Column("likeness", sa.LargeBinary(), nullable=True))
    with op.batch_alter_table("check_picture") as batch_op:
        batch_op.create_index(batch_op.f("ix_check_picture_mark"), ["mark"])
        batch_op.create_index(batch_op.f("ix_check_picture_likeness_mark"), ["likeness_mark"])


def downgrade() -> None:
    with op.batch_alter_table("check_picture") as batch_op:
        batch_op.drop_index(batch_op.f("ix_check_picture_mark"))
        batch_op.drop_index(batch_op.f("ix_check_picture_likeness_mark"))
        batch_op.drop_column("likeness")
        batch_op.drop_column("likeness_mark")
        batch_op.drop_column("mark")
        batch_op.drop_column("movement")
    op.add_column("check_picture", sa.Column("likeness", sa.String(length=64), nullable=True))
    op.add_column("check_picture", sa.Column("plain_sha256", sa.String(length=64), nullable=True))
    with op.batch_alter_table("check_picture") as batch_op:
        batch_op.create_index(batch_op.f("ix_check_picture_likeness"), ["likeness"])
        batch_op.create_index(batch_op.f("ix_check_picture_plain_sha256"), ["plain_sha256"])
    for table in ("check_attempt", "check"):
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column("pulses")
