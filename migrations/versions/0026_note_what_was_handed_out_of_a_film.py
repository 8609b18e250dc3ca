"""Note what was handed out of a film in a sitting.

Sittings that are open now were opened under plans that do not ask.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sitting") as batch_op:
        batch_op.add_column(sa.Column("handed_out", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("sitting") as batch_op:
        batch_op.drop_column("handed_out")
