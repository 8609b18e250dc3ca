"""Say from when to when somebody attended, what she says of it, and when a session was planned.

What stands already began with its session and lasted as long as was entered. When its session was planned was not kept.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ATTENDANCE = sa.table(
    "attendance",
    sa.column("id", sa.Uuid()),
    sa.column("session_id", sa.Uuid()),
    sa.column("ms", sa.Integer()),
    sa.column("from_at", sa.DateTime(timezone=True)),
    sa.column("to_at", sa.DateTime(timezone=True)),
)
_SESSION = sa.table("in_person_session", sa.column("id", sa.Uuid()), sa.column("began_at", sa.DateTime(timezone=True)))


def upgrade() -> None:
    with op.batch_alter_table("in_person_session") as batch:
        batch.add_column(sa.Column("planned_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("plan_leaf", sa.String(length=64), nullable=True))
    with op.batch_alter_table("attendance") as batch:
        batch.add_column(sa.Column("from_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("to_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("absent", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("recorded_reason", sa.String(length=500), nullable=True))
        batch.add_column(sa.Column("waits", sa.JSON(), nullable=False, server_default="[]"))
        batch.add_column(sa.Column("overlaps", sa.JSON(), nullable=False, server_default="[]"))
        batch.add_column(sa.Column("word", sa.String(length=24), nullable=False, server_default="silent"))
        batch.add_column(sa.Column("word_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("denied", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("settled_by", sa.Uuid(), nullable=True))
        batch.add_column(sa.Column("settled_reason", sa.String(length=500), nullable=True))
        batch.create_foreign_key(batch.f("fk_attendance_settled_by"), "person", ["settled_by"], ["id"])
    _fill()
    with op.batch_alter_table("attendance") as batch:
        batch.alter_column("from_at", existing_type=sa.DateTime(timezone=True), nullable=False)
        batch.alter_column("to_at", existing_type=sa.DateTime(timezone=True), nullable=False)
        batch.drop_column("ms")
        for name, kind in (("absent", sa.Boolean()), ("waits", sa.JSON()), ("overlaps", sa.JSON())):
            batch.alter_column(name, existing_type=kind, existing_nullable=False, server_default=None)
        batch.alter_column("word", existing_type=sa.String(length=24), existing_nullable=False, server_default=None)
        batch.alter_column("denied", existing_type=sa.Boolean(), existing_nullable=False, server_default=None)


def _fill() -> None:
    connection = op.get_bind()
    rows = connection.execute(
        sa.select(_ATTENDANCE.c.id, _ATTENDANCE.c.ms, _SESSION.c.began_at).join(
            _SESSION, _SESSION.c.id == _ATTENDANCE.c.session_id
        )
    ).all()
    for attendance_id, ms, began_at in rows:
        ended_at: datetime = began_at + timedelta(milliseconds=ms)
        connection.execute(
            _ATTENDANCE.update().where(_ATTENDANCE.c.id == attendance_id).values(from_at=began_at, to_at=ended_at)
        )


def downgrade() -> None:
    with op.batch_alter_table("attendance") as batch:
        batch.add_column(sa.Column("ms", sa.Integer(), nullable=False, server_default="0"))
    connection = op.get_bind()
    rows = connection.execute(sa.select(_ATTENDANCE.c.id, _ATTENDANCE.c.from_at, _ATTENDANCE.c.to_at)).all()
    for attendance_id, from_at, to_at in rows:
        ms = (to_at - from_at) // timedelta(milliseconds=1)
        connection.execute(_ATTENDANCE.update().where(_ATTENDANCE.c.id == attendance_id).values(ms=ms))
    with op.batch_alter_table("attendance") as batch:
        batch.alter_column("ms", existing_type=sa.Integer(), existing_nullable=False, server_default=None)
        batch.drop_constraint(batch.f("fk_attendance_settled_by"), type_="foreignkey")
        for name in (
            "from_at",
            "to_at",
            "absent",
            "recorded_reason",
            "waits",
            "overlaps",
            "word",
            "word_at",
            "denied",
            "settled_at",
            "settled_by",
            "settled_reason",
        ):
            batch.drop_column(name)
    with op.batch_alter_table("in_person_session") as batch:
        batch.drop_column("plan_leaf")
        batch.drop_column("planned_at")
