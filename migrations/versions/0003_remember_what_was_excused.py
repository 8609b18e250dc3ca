"""Remember at each check what lost connections have excused, and whether the camera's question was answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("check", schema=None) as batch_op:
        batch_op.add_column(sa.Column("excused_ms", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("camera", sa.String(length=12), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("check", schema=None) as batch_op:
        batch_op.drop_column("camera")
        batch_op.drop_column("excused_ms")
