"""Let a person clear an impossible sum, with a reason."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "flag_clearance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("enrolment_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("ids", sa.JSON(), nullable=False),
        sa.Column("ms", sa.BigInteger(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("by", sa.String(length=24), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", sa.String(length=500), nullable=False),
        sa.Column("restored_by", sa.Uuid(), nullable=True),
        sa.Column("restored_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_flag_clearance_decided_by")),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_flag_clearance_enrolment_id")),
        sa.ForeignKeyConstraint(["proposed_by"], ["person.id"], name=op.f("fk_flag_clearance_proposed_by")),
        sa.ForeignKeyConstraint(["restored_by"], ["person.id"], name=op.f("fk_flag_clearance_restored_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag_clearance")),
    )
    with op.batch_alter_table("flag_clearance", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_flag_clearance_enrolment_id"), ["enrolment_id"], unique=False)


def downgrade() -> None:
    op.drop_table("flag_clearance")
