"""Keep until when pictures of checks are kept, and that they were deleted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

LEFT = sa.text("deleted_ms IS NOT NULL AND path <> ''")


def upgrade() -> None:
    op.add_column("check_picture", sa.Column("deleted_ms", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_check_picture_removed", "check_picture", ["deleted_ms"], sqlite_where=LEFT, postgresql_where=LEFT
    )
    op.create_table(
        "check_pictures_end",
        sa.Column("enrolment_id", sa.Uuid(), nullable=False),
        sa.Column("look_on", sa.Date(), nullable=True),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("pictures", sa.Integer(), nullable=False),
        sa.Column("years", sa.Integer(), nullable=True),
        sa.Column("figure", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_check_pictures_end_enrolment_id")),
        sa.PrimaryKeyConstraint("enrolment_id", name=op.f("pk_check_pictures_end")),
    )
    op.create_index(op.f("ix_check_pictures_end_look_on"), "check_pictures_end", ["look_on"])


def downgrade() -> None:
    op.drop_index(op.f("ix_check_pictures_end_look_on"), table_name="check_pictures_end")
    op.drop_table("check_pictures_end")
    op.drop_index("ix_check_picture_removed", table_name="check_picture")
    op.drop_column("check_picture", "deleted_ms")
