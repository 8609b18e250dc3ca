"""Keep what is done about a finding: answers, answers sent back, deadlines put off."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "finding_turn",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("finding_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("turn", sa.String(length=24), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=True),
        sa.Column("done_by", sa.Uuid(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["done_by"], ["person.id"], name=op.f("fk_finding_turn_done_by")),
        sa.ForeignKeyConstraint(["finding_id"], ["finding.id"], name=op.f("fk_finding_turn_finding_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding_turn")),
    )
    with op.batch_alter_table("finding_turn") as batch_op:
        batch_op.create_index(batch_op.f("ix_finding_turn_finding_id"), ["finding_id"])
    # The answers given so far become the first turns: nothing that was said is lost when an answer is sent back.
    finding = sa.table(
        "finding",
        sa.column("id", sa.Uuid()),
        sa.column("answer", sa.Text()),
        sa.column("answered_by", sa.Uuid()),
        sa.column("answered_at", sa.DateTime(timezone=True)),
    )
    turn = sa.table(
        "finding_turn",
        sa.column("id", sa.Uuid()),
        sa.column("finding_id", sa.Uuid()),
        sa.column("number", sa.Integer()),
        sa.column("turn", sa.String()),
        sa.column("words", sa.Text()),
        sa.column("done_by", sa.Uuid()),
        sa.column("done_at", sa.DateTime(timezone=True)),
    )
    answered = sa.select(
        # One answer each: its turn may have the finding's own id.
        finding.c.id,
        finding.c.id,
        sa.literal(1),
        sa.literal("answer"),
        finding.c.answer,
        finding.c.answered_by,
        finding.c.answered_at,
    ).where(finding.c.answered_at.is_not(None), finding.c.answered_by.is_not(None))
    names = ["id", "finding_id", "number", "turn", "words", "done_by", "done_at"]
    op.execute(turn.insert().from_select(names, answered))


def downgrade() -> None:
    op.drop_table("finding_turn")
