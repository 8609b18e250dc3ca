"""Let two people reset an account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reset_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("half_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["asked_by"], ["person.id"], name=op.f("fk_reset_request_asked_by")),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_reset_request_decided_by")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_reset_request_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reset_request")),
    )
    with op.batch_alter_table("reset_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reset_request_asked_at"), ["asked_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_reset_request_person_id"), ["person_id"], unique=False)

    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.add_column(sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("staff", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("reset_at", sa.DateTime(timezone=True), nullable=True))
    # Whoever has a password of her own has been in; whoever works here counts as staff for good.
    op.execute("UPDATE account SET activated_at = password_changed_at WHERE NOT password_is_temporary")
    op.execute(
        "UPDATE account SET staff = (1 = 1) WHERE EXISTS"
        " (SELECT 1 FROM membership WHERE membership.person_id = account.person_id AND membership.role <> 'trainee')"
    )


def downgrade() -> None:
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.drop_column("reset_at")
        batch_op.drop_column("staff")
        batch_op.drop_column("activated_at")

    with op.batch_alter_table("reset_request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reset_request_person_id"))
        batch_op.drop_index(batch_op.f("ix_reset_request_asked_at"))

    op.drop_table("reset_request")
