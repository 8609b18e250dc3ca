"""Name the industry of a cohort, and freeze the films its lessons are taught by.

Cohorts that are there keep what was declared of them: their industry is empty, whether it is high-risk stays as it was.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("cohort", schema=None) as batch_op:
        batch_op.add_column(sa.Column("industry", sa.String(length=64), nullable=False, server_default=""))
    with op.batch_alter_table("cohort_lesson", schema=None) as batch_op:
        batch_op.add_column(sa.Column("film_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("film_sha256", sa.String(length=64), nullable=False, server_default=""))
        batch_op.create_foreign_key(batch_op.f("fk_cohort_lesson_film_id"), "film", ["film_id"], ["id"])
        batch_op.create_index(batch_op.f("ix_cohort_lesson_film_id"), ["film_id"], unique=False)
    # What a cohort has begun with cannot have been changed since, so the lesson still shows it.
    op.execute(
        sa.text(
            "UPDATE cohort_lesson SET film_id = (SELECT lesson.film_id FROM lesson"
            " WHERE lesson.id = cohort_lesson.lesson_id), film_sha256 = COALESCE((SELECT film.sha256 FROM lesson"
            " JOIN film ON film.id = lesson.film_id WHERE lesson.id = cohort_lesson.lesson_id), '')"
            " WHERE cohort_id IN (SELECT id FROM cohort WHERE state <> 'draft')"
        )
    )
    with op.batch_alter_table("cohort", schema=None) as batch_op:
        batch_op.alter_column("industry", server_default=None)
    with op.batch_alter_table("cohort_lesson", schema=None) as batch_op:
        batch_op.alter_column("film_sha256", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("cohort_lesson", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_cohort_lesson_film_id"))
        batch_op.drop_constraint(batch_op.f("fk_cohort_lesson_film_id"), type_="foreignkey")
        batch_op.drop_column("film_sha256")
        batch_op.drop_column("film_id")
    with op.batch_alter_table("cohort", schema=None) as batch_op:
        batch_op.drop_column("industry")
