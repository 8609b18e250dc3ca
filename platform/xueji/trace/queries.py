"""Reading the log: chains for accounts and pages, state for health, tiles and checkpoints for the public."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from xueji.trace.models import Alarm, ChainHead, Checkpoint, Leaf, Log, Opening, Pending


def chain_bytes(session: Session, chain: str) -> Iterator[tuple[int, bytes]]:
    """Every leaf of a chain as (n, exact bytes), in order, those not yet in the tree included."""
    # The outbox first: the sequencer may move a leaf between the two reads, and seeing it twice is the harmless way.
    pending = session.execute(select(Pending.n, Pending.leaf).where(Pending.chain == chain).order_by(Pending.n)).all()
    after = -1
    rows = session.execute(
        select(Leaf.n, Leaf.leaf)
        .where(Leaf.chain == chain)
        .order_by(Leaf.n, Leaf.log)
        .execution_options(yield_per=1000)
    )
    for n, leaf in rows:
        if n > after:
            after = n
            yield n, leaf
    for n, leaf in pending:
        if n > after:
            yield n, leaf


def chain(session: Session, chain: str) -> Iterator[dict[str, Any]]:
    """Every leaf of a chain as it reads, in order n; what hours, time-lines and statements are made from."""
    for _, leaf in chain_bytes(session, chain):
        yield json.loads(leaf)


def chain_length(session: Session, chain: str) -> int:
    return session.scalar(select(ChainHead.length).where(ChainHead.chain == chain)) or 0


@dataclass(frozen=True)
class Raised:
    """An alarm nobody has dealt with yet."""

    kind: str
    chain: str | None
    detail: str


@dataclass(frozen=True)
class LogState:
    """How the log is doing, for health checks and the operator."""

    origin: str | None
    """None before the sequencer ran for the first time."""
    size: int
    signed_size: int
    signed_time: int | None
    """Epoch seconds of the newest checkpoint."""
    pending: int
    alarms: tuple[Raised, ...]


def state(session: Session) -> LogState:
    log = session.scalar(select(Log).order_by(Log.id.desc()).limit(1))
    pending = session.scalar(select(func.count()).select_from(Pending)) or 0
    alarms = tuple(
        Raised(alarm.kind, alarm.chain, alarm.detail)
        for alarm in session.scalars(select(Alarm).where(Alarm.cleared_at.is_(None)).order_by(Alarm.id))
    )
    if log is None:
        return LogState(None, 0, 0, None, pending, alarms)
    last = session.scalar(select(func.max(Leaf.position)))
    size = 0 if last is None else last + 1 - log.first_position
    newest = session.execute(
        select(Checkpoint.size, Checkpoint.time).where(Checkpoint.log == log.id).order_by(Checkpoint.size.desc())
    ).first()
    signed_size, signed_time = (newest[0], newest[1]) if newest else (0, None)
    return LogState(log.origin, size, signed_size, signed_time, pending, alarms)


def openings(session: Session, chain: str) -> dict[str, Opening]:
    """What can still be opened of a chain, by commitment."""
    return {opening.commitment: opening for opening in session.scalars(select(Opening).where(Opening.chain == chain))}
