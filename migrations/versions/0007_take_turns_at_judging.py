"""Note when a process has taken up an answer to judge it, so that everybody's pictures are judged in turn."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("check_attempt", schema=None) as batch_op:
        batch_op.add_column(sa.Column("taken_ms", sa.BigInteger(), nullable=True))
        batch_op.create_index("ix_check_attempt_judged_ms", ["judged_ms"])


def downgrade() -> None:
    with op.batch_alter_table("check_attempt", schema=None) as batch_op:
        batch_op.drop_index("ix_check_attempt_judged_ms")
        batch_op.drop_column("taken_ms")
