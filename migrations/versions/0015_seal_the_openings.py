"""Seal the openings.

What opens a commitment stood in the clear. Key and value become one ciphertext, as `xueji.trace.sealing` made it at the
time: AES-256-GCM, nonce first, under the key of the person in `person`, else under the installation's. So this revision
needs the installation's keys, unless there is nothing to seal. The way back opens them again.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import context, op
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

AT_ONCE = 500
OPENING = sa.table(
    "trace_opening",
    sa.column("commitment", sa.String),
    sa.column("chain", sa.String),
    sa.column("field", sa.String),
    sa.column("person", sa.String),
    sa.column("key", sa.LargeBinary),
    sa.column("value", sa.LargeBinary),
    sa.column("sealed", sa.LargeBinary),
)
PERSON = sa.table("person", sa.column("id", sa.Uuid), sa.column("wrapped_key", sa.LargeBinary))


def upgrade() -> None:
    op.add_column("trace_opening", sa.Column("sealed", sa.LargeBinary(), nullable=True))
    keys = Keys()
    for row in _rows("key", "value"):
        person = row.person if keys.has(row.person) else None
        place = _place(row, person)
        nonce = os.urandom(12)
        sealed = nonce + AESGCM(keys.of(person)).encrypt(nonce, bytes(row.key) + bytes(row.value), place)
        _set(row, sealed=sealed, person=person)
    with op.batch_alter_table("trace_opening") as batch:
        batch.alter_column("sealed", existing_type=sa.LargeBinary(), nullable=False)
        batch.drop_column("key")
        batch.drop_column("value")


def downgrade() -> None:
    op.add_column("trace_opening", sa.Column("key", sa.LargeBinary(length=32), nullable=True))
    op.add_column("trace_opening", sa.Column("value", sa.LargeBinary(), nullable=True))
    keys = Keys()
    for row in _rows("sealed"):
        sealed = bytes(row.sealed)
        plain = AESGCM(keys.of(row.person)).decrypt(sealed[:12], sealed[12:], _place(row, row.person))
        _set(row, key=plain[:32], value=plain[32:])
    with op.batch_alter_table("trace_opening") as batch:
        batch.alter_column("key", existing_type=sa.LargeBinary(length=32), nullable=False)
        batch.alter_column("value", existing_type=sa.LargeBinary(), nullable=False)
        batch.drop_column("sealed")


class Keys:
    """The installation's and its people's, read when there is something to seal."""

    def __init__(self) -> None:
        self._known: dict[str, bytes | None] = {}

    def has(self, person: str | None) -> bool:
        return person is not None and self._person(person) is not None

    def of(self, person: str | None) -> bytes:
        key = self._derived("opening") if person is None else self._person(person)
        if key is None:
            raise RuntimeError(f"there is no key of the person {person}")
        return key

    def _person(self, person: str) -> bytes | None:
        if person not in self._known:
            self._known[person] = self._unwrapped(person)
        return self._known[person]

    def _unwrapped(self, person: str) -> bytes | None:
        try:
            which = UUID(person)
        except ValueError:
            return None
        wrapped = op.get_bind().scalar(sa.select(PERSON.c.wrapped_key).where(PERSON.c.id == which))
        if wrapped is None:
            return None
        return AESGCM(self._derived("wrap")).decrypt(bytes(wrapped)[:12], bytes(wrapped)[12:], str(which).encode())

    def _derived(self, purpose: str) -> bytes:
        folder = context.config.attributes.get("keys")
        if folder is None:
            raise RuntimeError("openings can be sealed only where the installation's keys are: run `xueji upgrade`")
        master = bytes.fromhex((folder / "master.key").read_text("ascii").strip())
        return hmac.digest(master, b"xueji/" + purpose.encode(), hashlib.sha256)


def _rows(*columns: str) -> Iterator[sa.Row[Any]]:
    """Every opening, some at a time; each row is changed before the next are read."""
    chosen = [OPENING.c[name] for name in ("commitment", "chain", "field", "person", *columns)]
    after = ""
    while True:
        part = (
            op.get_bind()
            .execute(
                sa.select(*chosen).where(OPENING.c.commitment > after).order_by(OPENING.c.commitment).limit(AT_ONCE)
            )
            .all()
        )
        if not part:
            return
        yield from part
        after = part[-1].commitment


def _place(row: sa.Row[Any], person: str | None) -> bytes:
    return "/".join(("opening", row.commitment, row.chain, row.field, person or "")).encode()


def _set(row: sa.Row[Any], **values: bytes | str | None) -> None:
    op.get_bind().execute(sa.update(OPENING).where(OPENING.c.commitment == row.commitment).values(**values))
