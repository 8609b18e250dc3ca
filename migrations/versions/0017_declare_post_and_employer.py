"""Keep what is declared of a trainee at enrolment, and the industry of an employer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("organisation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("industry", sa.String(length=64), nullable=False, server_default=""))
    with op.batch_alter_table("organisation", schema=None) as batch_op:
        batch_op.alter_column("industry", server_default=None)
    op.create_table(
        "enrolment_declaration",
        sa.Column("enrolment_id", sa.Uuid(), nullable=False),
        sa.Column("post", sa.String(length=24), nullable=False),
        sa.Column("employer", sa.String(length=120), nullable=False),
        sa.Column("employer_id", sa.Uuid(), nullable=True),
        sa.Column("industry", sa.String(length=64), nullable=False),
        sa.Column("earlier", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("misfits", sa.JSON(), nullable=False),
        sa.Column("to_look_at", sa.Boolean(), nullable=False),
        sa.Column("declared_by", sa.Uuid(), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["declared_by"], ["person.id"], name=op.f("fk_enrolment_declaration_declared_by")),
        sa.ForeignKeyConstraint(
            ["employer_id"], ["organisation.id"], name=op.f("fk_enrolment_declaration_employer_id")
        ),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_enrolment_declaration_enrolment_id")),
        sa.PrimaryKeyConstraint("enrolment_id", name=op.f("pk_enrolment_declaration")),
    )
    with op.batch_alter_table("enrolment_declaration", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_enrolment_declaration_to_look_at"), ["to_look_at"], unique=False)


def downgrade() -> None:
    op.drop_table("enrolment_declaration")
    with op.batch_alter_table("organisation", schema=None) as batch_op:
        batch_op.drop_column("industry")
