"""Let people review any check, each word beside the others.

Until now one table held her appeals and what staff decided by themselves: the latter, raised and due in the same
instant, become words of their own, and her right to contest is hers again.
"""

from __future__ import annotations

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "check_review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("check_id", sa.Uuid(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("office", sa.String(length=12), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("reason_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("said_ms", sa.BigInteger(), nullable=False),
        sa.Column("looked_ms", sa.BigInteger(), nullable=True),
        sa.Column("asked_ms", sa.BigInteger(), nullable=False),
        sa.Column("led_to", sa.String(length=12), nullable=True),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_check_review_by")),
        sa.ForeignKeyConstraint(["check_id"], ["check.id"], name=op.f("fk_check_review_check_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_check_review_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_review")),
    )
    with op.batch_alter_table("check_review") as batch_op:
        for column in ("by", "check_id", "organisation_id"):
            batch_op.create_index(batch_op.f(f"ix_check_review_{column}"), [column])
    op.add_column("check", sa.Column("decision", sa.String(length=12), nullable=True))
    op.add_column("check", sa.Column("review_case", sa.JSON(), nullable=True))
    op.add_column("check", sa.Column("second_awaited", sa.Boolean(), nullable=True))
    op.execute('UPDATE "check" SET second_awaited = false')
    with op.batch_alter_table("check") as batch_op:
        batch_op.alter_column("second_awaited", existing_type=sa.Boolean(), nullable=False)
    _carry_over_what_was_decided()


def _carry_over_what_was_decided() -> None:
    connection = op.get_bind()
    checks = sa.table(
        "check", *(sa.column(name, kind) for name, kind in (("id", sa.Uuid()), ("enrolment_id", sa.Uuid()))),
        sa.column("decision", sa.String()), sa.column("review_case", sa.JSON()), sa.column("state", sa.String()),
    )  # fmt: skip
    enrolments = sa.table("enrolment", sa.column("id", sa.Uuid()), sa.column("cohort_id", sa.Uuid()))
    cohorts = sa.table("cohort", sa.column("id", sa.Uuid()), sa.column("organisation_id", sa.Uuid()))
    appeals = sa.table(
        "check_appeal",
        sa.column("id", sa.Uuid()),
        sa.column("check_id", sa.Uuid()),
        sa.column("raised_ms", sa.BigInteger()),
        sa.column("decide_by_ms", sa.BigInteger()),
        sa.column("decided_ms", sa.BigInteger()),
        sa.column("decided_by", sa.Uuid()),
        sa.column("decision", sa.String()),
        sa.column("answer_cipher", sa.LargeBinary()),
    )
    reviews = sa.table(
        "check_review",
        *(sa.column(name, sa.Uuid()) for name in ("id", "check_id", "by", "organisation_id")),
        *(sa.column(name, sa.String()) for name in ("office", "outcome", "led_to")),
        sa.column("reason_cipher", sa.LargeBinary()),
        *(sa.column(name, sa.BigInteger()) for name in ("said_ms", "asked_ms")),
    )
    decided = connection.execute(
        sa.select(appeals, cohorts.c.organisation_id)
        .join(checks, checks.c.id == appeals.c.check_id)
        .join(enrolments, enrolments.c.id == checks.c.enrolment_id)
        .join(cohorts, cohorts.c.id == enrolments.c.cohort_id)
        .where(appeals.c.decision.is_not(None), appeals.c.decided_by.is_not(None))
    ).fetchall()
    for each in decided:
        led_to = "accepted" if each.decision == "accept" else "rejected"
        connection.execute(
            sa.insert(reviews).values(
                id=uuid4(),
                check_id=each.check_id,
                by=each.decided_by,
                organisation_id=each.organisation_id,
                office="institution",
                outcome=each.decision,
                reason_cipher=each.answer_cipher or b"",
                said_ms=each.decided_ms,
                asked_ms=each.raised_ms,
                led_to=led_to,
            )
        )
        of_their_own_accord = each.raised_ms == each.decide_by_ms
        case = _case(decision=led_to, deciders=[str(each.decided_by)], heard=not of_their_own_accord)
        change = sa.update(checks).where(checks.c.id == each.check_id)
        connection.execute(change.values(decision=led_to, review_case=case))
        if of_their_own_accord:
            connection.execute(sa.delete(appeals).where(appeals.c.id == each.id))

    waiting = sa.update(checks).where(checks.c.state == "contested")
    connection.execute(waiting.values(review_case=_case(appealed=True)))


def _case(**known: object) -> dict[str, object]:
    nothing: dict[str, object] = {"decision": None, "deciders": [], "pending": [], "appealed": False, "heard": False}
    return {**nothing, "of_regulator": False, **known}


def downgrade() -> None:
    with op.batch_alter_table("check") as batch_op:
        batch_op.drop_column("second_awaited")
        batch_op.drop_column("review_case")
        batch_op.drop_column("decision")
    op.drop_table("check_review")
