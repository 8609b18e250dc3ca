"""Count failed sign-ins by place."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from argon2 import PasswordHasher

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


# As passwords are, only cheaper: a code is random.
CODES = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)


def upgrade() -> None:
    op.execute("DELETE FROM lock_out")  # locks of minutes
    with op.batch_alter_table("lock_out", schema=None) as batch_op:
        batch_op.add_column(sa.Column("account_hash", sa.LargeBinary(length=32), nullable=False))
        batch_op.create_index(batch_op.f("ix_lock_out_account_hash"), ["account_hash"], unique=False)

    with op.batch_alter_table("login_session", schema=None) as batch_op:
        batch_op.add_column(sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True))

    # A code already handed out goes on working: what was kept of it is hashed once more, and new ones are kept alike.
    bind = op.get_bind()
    kept = bind.execute(sa.text("SELECT id, code_hash FROM recovery_code")).all()
    with op.batch_alter_table("recovery_code", schema=None) as batch_op:
        batch_op.drop_column("code_hash")
        batch_op.add_column(sa.Column("code_hash", sa.String(length=200), nullable=True))
    for row in kept:
        hashed = CODES.hash(bytes(row.code_hash).hex())
        bind.execute(
            sa.text("UPDATE recovery_code SET code_hash = :hashed WHERE id = :id"), {"hashed": hashed, "id": row.id}
        )
    with op.batch_alter_table("recovery_code", schema=None) as batch_op:
        batch_op.alter_column("code_hash", existing_type=sa.String(length=200), nullable=False)


def downgrade() -> None:
    op.execute("DELETE FROM recovery_code")  # what is kept of them cannot be turned back
    with op.batch_alter_table("recovery_code", schema=None) as batch_op:
        batch_op.drop_column("code_hash")
        batch_op.add_column(sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False))

    with op.batch_alter_table("login_session", schema=None) as batch_op:
        batch_op.drop_column("ends_at")

    with op.batch_alter_table("lock_out", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lock_out_account_hash"))
        batch_op.drop_column("account_hash")
