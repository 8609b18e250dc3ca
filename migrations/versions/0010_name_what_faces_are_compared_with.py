"""Name what faces are compared with.

Photos that stand were taken as hers without anybody being asked: they stay in use, unconfirmed, and enrolments of
before are not held for it.
"""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

DIGEST = re.compile(rb"[0-9a-f]{64}")
BATCH = 1000


def upgrade() -> None:
    op.create_table(
        "photo_decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("photo_id", sa.Uuid(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("reason_cipher", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_photo_decision_decided_by")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_photo_decision_organisation_id")
        ),
        sa.ForeignKeyConstraint(["photo_id"], ["reference_photo.id"], name=op.f("fk_photo_decision_photo_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photo_decision")),
    )
    with op.batch_alter_table("photo_decision") as batch_op:
        batch_op.create_index(batch_op.f("ix_photo_decision_decided_by"), ["decided_by"])
        batch_op.create_index(batch_op.f("ix_photo_decision_photo_id"), ["photo_id"])
    op.create_table(
        "enrolment_reference",
        sa.Column("enrolment_id", sa.Uuid(), nullable=False),
        sa.Column("photo_id", sa.Uuid(), nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_enrolment_reference_enrolment_id")),
        sa.ForeignKeyConstraint(["photo_id"], ["reference_photo.id"], name=op.f("fk_enrolment_reference_photo_id")),
        sa.PrimaryKeyConstraint("enrolment_id", "photo_id", name=op.f("pk_enrolment_reference")),
    )
    with op.batch_alter_table("enrolment_reference") as batch_op:
        batch_op.create_index(batch_op.f("ix_enrolment_reference_photo_id"), ["photo_id"])
    for table, column, value in (
        ("reference_photo", sa.Column("standing", sa.String(length=24)), "'unconfirmed'"),
        ("reference_photo", sa.Column("replaces", sa.Boolean()), "false"),
        ("check_attempt", sa.Column("references", sa.JSON()), "'[]'"),
    ):
        op.add_column(table, column)
        op.execute(f'UPDATE {table} SET "{column.name}" = {value}')
        with op.batch_alter_table(table) as batch_op:
            batch_op.alter_column(column.name, existing_type=column.type, nullable=False)
    op.add_column("reference_photo", sa.Column("plain_sha256", sa.String(length=64), nullable=True))
    op.add_column("check_picture", sa.Column("plain_sha256", sa.String(length=64), nullable=True))
    with op.batch_alter_table("check_picture") as batch_op:
        batch_op.create_index(batch_op.f("ix_check_picture_plain_sha256"), ["plain_sha256"])
    _know_pictures_by_their_bytes()


def _know_pictures_by_their_bytes() -> None:
    """What a picture hashes to stood in the opening of its commitment alone."""
    connection = op.get_bind()
    openings = connection.execute(sa.text("SELECT commitment, value FROM trace_opening WHERE field = 'picture'"))
    update = sa.text("UPDATE check_picture SET plain_sha256 = :digest WHERE commitment = :commitment")
    found: list[dict[str, str]] = []
    for commitment, value in openings.fetchall():
        if value is not None and DIGEST.fullmatch(bytes(value)):
            found.append({"digest": bytes(value).decode(), "commitment": commitment})
    for start in range(0, len(found), BATCH):
        connection.execute(update, found[start : start + BATCH])


def downgrade() -> None:
    with op.batch_alter_table("check_picture") as batch_op:
        batch_op.drop_index(batch_op.f("ix_check_picture_plain_sha256"))
        batch_op.drop_column("plain_sha256")
    with op.batch_alter_table("check_attempt") as batch_op:
        batch_op.drop_column("references")
    with op.batch_alter_table("reference_photo") as batch_op:
        batch_op.drop_column("plain_sha256")
        batch_op.drop_column("replaces")
        batch_op.drop_column("standing")
    op.drop_table("enrolment_reference")
    op.drop_table("photo_decision")
