"""The tables of the log. None of them holds a personal datum in the clear; `SealedOpening` holds some encrypted.

`Pending` is the outbox that business transactions write to; the sequencer alone moves its rows into `LeafRow`. That,
`Tile`, `CheckpointRow`, `Cosignature`, `TimeStamp` and `VerifierKeyRow` can only grow (see `triggers`).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from xueji.kernel.database import Base, UTCDateTime
from xueji.trace import triggers

NUMBER = BigInteger().with_variant(Integer, "sqlite")
CHAIN = String(255)


class Pending(Base):
    """Leaves that are recorded and not yet in the tree, in the order they are to be taken. Personal data: none."""

    __tablename__ = "trace_pending"

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=True)
    chain: Mapped[str] = mapped_column(CHAIN)
    n: Mapped[int] = mapped_column(NUMBER)
    leaf: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (Index(None, "chain", "n"),)


class ChainHead(Base):
    """How long each chain is, its last leaf's hash and time: what the next is written from. Personal data: none."""

    __tablename__ = "trace_chain"

    chain: Mapped[str] = mapped_column(CHAIN, primary_key=True)
    length: Mapped[int] = mapped_column(NUMBER)
    head: Mapped[bytes] = mapped_column(LargeBinary(32))
    at_ms: Mapped[int] = mapped_column(NUMBER)

    __table_args__ = ({"sqlite_with_rowid": False},)


class Log(Base):
    """A tree and the name it signs under; a second one exists only after a real loss. Personal data: none."""

    __tablename__ = "trace_log"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    origin: Mapped[str] = mapped_column(String(255), unique=True)
    first_position: Mapped[int] = mapped_column(NUMBER)
    """Where its leaf 0 stands among all leaves ever sequenced."""
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)


class LeafRow(Base):
    """The log itself: exact bytes, by their place. Index in its tree = position - Log.first_position.

    Personal data: none; values that speak of a person are commitments whose keys stand in `SealedOpening`.
    """

    __tablename__ = "trace_leaf"

    position: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=False)
    log: Mapped[int] = mapped_column(Integer)
    chain: Mapped[str] = mapped_column(CHAIN)
    n: Mapped[int] = mapped_column(NUMBER)
    leaf: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (UniqueConstraint("chain", "n", "log"),)


class Tile(Base):
    """256 hashes of one level, written once when full; ragged ends are computed. Personal data: none."""

    __tablename__ = "trace_tile"

    log: Mapped[int] = mapped_column(Integer, primary_key=True)
    level: Mapped[int] = mapped_column(Integer, primary_key=True)
    number: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=False)
    hashes: Mapped[bytes] = mapped_column(LargeBinary(8192))
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    """Their hash, one entry of the tile above."""

    __table_args__ = ({"sqlite_with_rowid": False},)


class CheckpointRow(Base):
    """What the log signed, as the bytes of a note. Personal data: none."""

    __tablename__ = "trace_checkpoint"

    log: Mapped[int] = mapped_column(Integer, primary_key=True)
    size: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=False)
    time: Mapped[int] = mapped_column(NUMBER, index=True)
    """Epoch seconds, the time in the log clock's cosignature."""
    note: Mapped[str] = mapped_column(Text)

    __table_args__ = ({"sqlite_with_rowid": False},)


class Cosignature(Base):
    """A witness's signature line for a checkpoint. Personal data: none."""

    __tablename__ = "trace_cosignature"

    log: Mapped[int] = mapped_column(Integer, primary_key=True)
    size: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=False)
    witness: Mapped[str] = mapped_column(String(255), primary_key=True)
    """The witness's name and key hash, as its verifier key begins."""
    line: Mapped[str] = mapped_column(Text)

    __table_args__ = ({"sqlite_with_rowid": False},)


class TimeStamp(Base):
    """An RFC 3161 token of an outside authority over a checkpoint's note. Personal data: none."""

    __tablename__ = "trace_timestamp"

    log: Mapped[int] = mapped_column(Integer, primary_key=True)
    size: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=False)
    authority: Mapped[str] = mapped_column(String(255), primary_key=True)
    time: Mapped[int] = mapped_column(NUMBER)
    """Epoch seconds, as the authority says."""
    token: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = ({"sqlite_with_rowid": False},)


class VerifierKeyRow(Base):
    """Every public key the log ever signed with, from which size on. Personal data: none."""

    __tablename__ = "trace_key"

    log: Mapped[int] = mapped_column(Integer, primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    """``name+hash+base64``, as signed-note writes a verifier key."""
    purpose: Mapped[str] = mapped_column(String(16))
    """``log`` or ``clock``."""
    from_size: Mapped[int] = mapped_column(NUMBER)

    __table_args__ = ({"sqlite_with_rowid": False},)


class Alarm(Base):
    """Something the sequencer or a witness refused, kept until an operator has dealt with it. Personal data: none."""

    __tablename__ = "trace_alarm"

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(32))
    """``gap``, ``fork``, ``clock``, ``timestamp``, ``witness``."""
    chain: Mapped[str | None] = mapped_column(CHAIN, index=True)
    detail: Mapped[str] = mapped_column(Text)
    raised_at: Mapped[datetime] = mapped_column(UTCDateTime)
    cleared_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class SealedOpening(Base):
    """What a commitment in a leaf was made from, and the key that makes it so.

    Personal data: ``sealed`` may be anything a leaf must not hold (a device's name, a reason, a picture's hash).
    Erasing the row erases the datum for good: the commitment in the leaf then says nothing to anybody.
    """

    __tablename__ = "trace_opening"

    commitment: Mapped[str] = mapped_column(String(64), primary_key=True)
    chain: Mapped[str] = mapped_column(CHAIN, index=True)
    field: Mapped[str] = mapped_column(String(32))
    """What kind of datum, so that an asker's rights can be decided: ``device``, ``reason``, ``picture``, …"""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """Key and value as `sealing` encrypts them."""
    reference: Mapped[str | None] = mapped_column(String(255))
    """Where the encrypted original lies in the store, when the value is only its hash."""
    person: Mapped[str | None] = mapped_column(String(64), index=True)
    """The id of the person whose file it belongs to, and whose key seals it; None: the installation's."""


class WitnessedLog(Base):
    """The newest checkpoint this installation has cosigned of somebody else's log. Personal data: none."""

    __tablename__ = "trace_witnessed"

    origin: Mapped[str] = mapped_column(String(255), primary_key=True)
    size: Mapped[int] = mapped_column(NUMBER)
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    note: Mapped[str] = mapped_column(Text)


triggers.attach(Base.metadata)
