"""Join two files of one person by a decision of two people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("person") as batch_op:
        batch_op.add_column(sa.Column("joined_to", sa.Uuid(), nullable=True))
        batch_op.create_index(batch_op.f("ix_person_joined_to"), ["joined_to"])
        batch_op.create_foreign_key(batch_op.f("fk_person_joined_to"), "person", ["joined_to"], ["id"])
    op.create_table(
        "file_joining",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("joined_id", sa.Uuid(), nullable=False),
        sa.Column("parts", sa.Boolean(), nullable=False),
        sa.Column("flag_id", sa.Uuid(), nullable=True),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["asked_by"], ["person.id"], name=op.f("fk_file_joining_asked_by")),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_file_joining_decided_by")),
        sa.ForeignKeyConstraint(["flag_id"], ["duplicate_flag.id"], name=op.f("fk_file_joining_flag_id")),
        sa.ForeignKeyConstraint(["joined_id"], ["person.id"], name=op.f("fk_file_joining_joined_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_file_joining_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file_joining")),
    )
    with op.batch_alter_table("file_joining") as batch_op:
        for column in ("asked_at", "flag_id", "joined_id", "person_id"):
            batch_op.create_index(batch_op.f(f"ix_file_joining_{column}"), [column])


def downgrade() -> None:
    op.drop_table("file_joining")
    with op.batch_alter_table("person") as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_person_joined_to"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_person_joined_to"))
        batch_op.drop_column("joined_to")
