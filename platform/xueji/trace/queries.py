"""Reading the log: chains for accounts and pages, state for health, tiles and checkpoints for the public."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from xueji.kernel.driver_sql import Cursor
from xueji.kernel.prefetch import Prefetched
from xueji.trace import alarms, merkle
from xueji.trace.models import ChainHead, CheckpointRow, Cosignature, LeafRow, Log, Pending, SealedOpening
from xueji.trace.note import Note
from xueji.trace.tree import current_log, leaf_count

# Read whenever a sitting opens or an account is worked out: plain, because building a statement costs more than a leaf.
_PENDING = "SELECT n, leaf FROM trace_pending WHERE chain = ? AND n >= ? ORDER BY n"
_LEAVES = "SELECT n, leaf FROM trace_leaf WHERE chain = ? AND n >= ? ORDER BY n, log"
_PENDING_OF = "SELECT chain, n, leaf FROM trace_pending WHERE {} ORDER BY chain, n"
_LEAVES_OF = "SELECT chain, n, leaf FROM trace_leaf WHERE {} ORDER BY chain, n, log"
_LENGTH = "SELECT length FROM trace_chain WHERE chain = ?"

leaves_ahead: Prefetched[str, list[tuple[int, bytes]]] = Prefetched("leaves of chains")


def read_ahead(session: Session, chains: Iterable[str]) -> None:
    """Read whole chains that will be asked for one by one in this transaction, which holds them (`hold_chains`)."""
    plain, names = Cursor(session), list(chains)
    if not names:
        return
    found: dict[str, dict[int, bytes]] = {chain: {} for chain in names}
    # In the order of `chain_bytes`, and for its reason: of a leaf that is seen twice the log's own is the first seen.
    pending = plain.rows(_PENDING_OF.format(plain.any_of("chain")), plain.values(names))
    for chain, n, leaf in (*plain.rows(_LEAVES_OF.format(plain.any_of("chain")), plain.values(names)), *pending):
        found[chain].setdefault(n, bytes(leaf))
    leaves_ahead.keep(session, {chain: sorted(leaves.items()) for chain, leaves in found.items()})


def chain_bytes(session: Session, chain: str, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """The leaves of a chain from number ``start`` on as (n, exact bytes), in order, also those not yet in the tree."""
    ahead = leaves_ahead.take(session, chain)
    if ahead is not None:
        yield from ((n, leaf) for n, leaf in ahead if n >= start)
        return
    # The outbox first: the sequencer may move a leaf between the two reads, and seeing it twice is the harmless way.
    plain = Cursor(session)
    pending = plain.rows(_PENDING, chain, start)
    after = start - 1
    for n, leaf in plain.each(_LEAVES, chain, start):
        if n > after:
            after = n
            yield n, bytes(leaf)
    for n, leaf in pending:
        if n > after:
            yield n, bytes(leaf)


def chain(session: Session, chain: str, start: int = 0) -> Iterator[dict[str, Any]]:
    """The leaves of a chain as they read, in order n; what hours, time-lines and statements are made from."""
    for _, leaf in chain_bytes(session, chain, start):
        yield json.loads(leaf)


def began_by(session: Session, chains: Iterable[str]) -> dict[str, str]:
    """``who`` of each chain's first leaf, in two queries; a chain that never began is left out."""
    names = list(chains)
    rows = [
        *session.execute(select(Pending.chain, Pending.leaf).where(Pending.chain.in_(names), Pending.n == 0)),
        *session.execute(
            select(LeafRow.chain, LeafRow.leaf)
            .where(LeafRow.chain.in_(names), LeafRow.n == 0)
            .order_by(LeafRow.log.desc())
        ),
    ]
    return {chain: json.loads(leaf)["who"] for chain, leaf in rows}


def chain_length(session: Session, chain: str) -> int:
    return next((length for (length,) in Cursor(session).rows(_LENGTH, chain)), 0)


def chain_lengths(session: Session, chains: Iterable[str]) -> dict[str, int]:
    """How many leaves each chain has, in one query; a chain that never began is left out."""
    rows = session.execute(select(ChainHead.chain, ChainHead.length).where(ChainHead.chain.in_(list(chains))))
    return {row.chain: row.length for row in rows}


def chains_after(session: Session, position: int, most: int) -> tuple[int, set[str]]:
    """The chains that the next leaves of the log belong to, at most ``most`` leaves, and how far that reaches."""
    rows = session.execute(
        select(LeafRow.position, LeafRow.chain)
        .where(LeafRow.position > position)
        .order_by(LeafRow.position)
        .limit(most)
    ).all()
    return (rows[-1].position if rows else position), {row.chain for row in rows}


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
    log = current_log(session)
    pending = session.scalar(select(func.count()).select_from(Pending)) or 0
    raised = tuple(Raised(alarm.kind, alarm.chain, alarm.detail) for alarm in alarms.standing(session))
    if log is None:
        return LogState(None, 0, 0, None, pending, raised)
    newest = newest_checkpoint(session, log)
    signed_size, signed_time = (newest.size, newest.time) if newest else (0, None)
    return LogState(log.origin, leaf_count(session, log), signed_size, signed_time, pending, raised)


def openings(session: Session, chain: str) -> dict[str, SealedOpening]:
    """What can still be opened of a chain, by commitment."""
    return {
        opening.commitment: opening
        for opening in session.scalars(select(SealedOpening).where(SealedOpening.chain == chain))
    }


@dataclass(frozen=True)
class SignedLog:
    """A log and its newest checkpoint: what is not signed for is not shown."""

    log: Log
    size: int
    note: str
    """With the witnesses' lines."""


def signed_log(session: Session) -> SignedLog | None:
    """None before anything was signed."""
    log = current_log(session)
    newest = newest_checkpoint(session, log) if log is not None else None
    if log is None or newest is None:
        return None
    return SignedLog(log, newest.size, cosigned(session, newest))


@dataclass(frozen=True)
class Newest:
    """The last leaf of a chain."""

    n: int
    hash: str
    """hex"""


def newest_signed(session: Session, signed: SignedLog, chain: str) -> Newest | None:
    """The last leaf of a chain that the newest checkpoint covers; None for a chain it holds nothing of."""
    found = session.execute(
        select(LeafRow.n, LeafRow.leaf)
        .where(LeafRow.chain == chain, LeafRow.log == signed.log.id)
        .where(LeafRow.position < signed.log.first_position + signed.size)
        .order_by(LeafRow.n.desc())
        .limit(1)
    ).one_or_none()
    return None if found is None else Newest(found.n, merkle.leaf_hash(found.leaf).hex())


def newest_checkpoint(session: Session, log: Log) -> CheckpointRow | None:
    return session.scalar(
        select(CheckpointRow).where(CheckpointRow.log == log.id).order_by(CheckpointRow.size.desc()).limit(1)
    )


def cosignature_lines(session: Session, checkpoint: CheckpointRow) -> list[str]:
    return list(
        session.scalars(
            select(Cosignature.line)
            .where(Cosignature.log == checkpoint.log, Cosignature.size == checkpoint.size)
            .order_by(Cosignature.witness)
        )
    )


def cosigned(session: Session, checkpoint: CheckpointRow) -> str:
    """A checkpoint's note with the lines of the witnesses that have cosigned it since."""
    return str(Note.parse(checkpoint.note).with_lines(cosignature_lines(session, checkpoint)))
