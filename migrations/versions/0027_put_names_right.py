"""Put a name or a number right by a decision of two people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_PEOPLE = ("person_id", "asked_by", "decided_by")


def upgrade() -> None:
    op.create_table(
        "person_correction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("slip", sa.Boolean(), nullable=False),
        sa.Column("old_name_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("old_number_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("name_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("number_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("reason_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed", sa.Boolean(), nullable=True),
        *(
            sa.ForeignKeyConstraint([column], ["person.id"], name=op.f(f"fk_person_correction_{column}"))
            for column in _PEOPLE
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_correction")),
    )
    with op.batch_alter_table("person_correction") as batch_op:
        for column in ("asked_at", "person_id"):
            batch_op.create_index(batch_op.f(f"ix_person_correction_{column}"), [column])


def downgrade() -> None:
    op.drop_table("person_correction")
