"""Recording: facts go into the outbox in the transaction of the change they speak of."""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from xueji.kernel import clock
from xueji.kernel.driver_sql import Cursor
from xueji.kernel.errors import Unavailable
from xueji.kernel.prefetch import Prefetched
from xueji.trace import rules, sealing
from xueji.trace.leaf import Entry, Leaf, leaf_bytes, may_stand
from xueji.trace.leaves import ClockReset, Law, OpeningsErased
from xueji.trace.models import ChainHead, SealedOpening
from xueji.trace.queries import leaves_ahead
from xueji.trace.rules import Event, Recorded
from xueji.trace.sealing import CommitmentOpening

# The beat path: plain statements with positional values, because building and compiling them costs more than the leaf.
_HEADS = "SELECT chain, length, head, at_ms FROM trace_chain WHERE {} ORDER BY chain"
_HEAD = ("length", "head", "at_ms", "chain")
_PENDING = ("chain", "n", "leaf")

MOST_ERASED_IN_A_LEAF = 500

_held: Prefetched[str, tuple[int, bytes, int]] = Prefetched("held chains")
"""Length, head and last time of chains whose rows this transaction has locked."""

log = structlog.get_logger(__name__)


class ClockBehind(Unavailable):
    """The server's clock stands before what is already recorded: nothing is written under a time that cannot be."""

    type = "clock-behind"


class ClockJumped(Unavailable):
    """The server's clock moved without time passing: nothing is written under a time that cannot be."""

    type = "clock-jumped"


def record(
    session: Session, leaf: Leaf, *, chain: str, who: str, at: datetime | None = None, occurred: str | None = None
) -> Recorded:
    """Append one leaf to a chain, in the caller's transaction. See `record_many`."""
    at_ms = None if at is None else clock.to_ms(at)
    return record_many(session, [Entry(leaf, chain, who, at_ms, occurred)])[0]


def record_many(session: Session, entries: Sequence[Entry]) -> list[Recorded]:
    """Append leaves to their chains, in order, in the caller's transaction: one read and two writes for any number.

    Needs a session that writes. Raises canonical.NotCanonical, LeafTooLarge, Unnamed, WrongChain, ClockBehind and
    ClockJumped, and then nothing of the batch is recorded.
    """
    if not entries:
        return []
    if jump_ms := clock.jump_ms():
        log.error("trace.clock_jumped", ms=jump_ms)
        raise ClockJumped
    plain = Cursor(session)
    chains = sorted({entry.chain for entry in entries})
    heads = held = _held.look(session, chains)
    if len(held) < len(chains):
        heads = held | _heads(plain, [chain for chain in chains if chain not in held])
    now_ms = clock.to_ms(clock.now())
    salts = os.urandom(rules.SALT_BYTES * len(entries))
    rows: list[tuple[str, int, bytes]] = []
    recorded: list[Recorded] = []
    for place, entry in enumerate(entries):
        may_stand(entry)
        length, previous, last_ms = heads[entry.chain]
        at_ms = now_ms if entry.at_ms is None else entry.at_ms
        if at_ms < last_ms and entry.event is not Event.CLOCK_RESET:
            if at_ms < last_ms - rules.LONGEST_LAG_MS:
                raise ClockBehind
            at_ms = last_ms
        salt = salts[place * rules.SALT_BYTES : (place + 1) * rules.SALT_BYTES]
        leaf = leaf_bytes(entry, n=length, previous=previous, at=_written(at_ms), salt=salt)
        head = rules.leaf_hash(leaf)
        heads[entry.chain] = (length + 1, head, at_ms)
        rows.append((entry.chain, length, leaf))
        recorded.append(Recorded(length, head))
    plain.add("trace_pending", _PENDING, rows)
    plain.move("trace_chain", _HEAD, [(*head, chain) for chain, head in heads.items()])
    if held:
        _held.keep(session, {chain: heads[chain] for chain in held})
        for chain in held:
            leaves_ahead.take(session, chain)
    return recorded


def hold(session: Session, chain: str) -> None:
    """Let nobody else record under a chain until this transaction ends: what is read afterwards is all there is."""
    session.execute(select(ChainHead.chain).where(ChainHead.chain == chain).with_for_update())


def hold_chains(session: Session, chains: Iterable[str]) -> None:
    """Lock these chains until the transaction ends, in the order of their names, and remember where they stand.

    Whoever records into many of them one after another then reads and waits once.
    """
    _held.keep(session, _heads(Cursor(session), sorted(set(chains))))


def reset_clocks(session: Session) -> int:
    """After the clock was wrong and is right again: let the chains go on that say a time still to come.

    Each gets a leaf that says so, under the present time. Returns how many; where no chain is ahead, the platform's
    gets one all the same, which says that somebody looked at the clock.
    """
    now_ms = clock.to_ms(clock.now())
    ahead = session.execute(
        select(ChainHead.chain, ChainHead.at_ms)
        .where(ChainHead.at_ms > now_ms + rules.LONGEST_LAG_MS)
        .order_by(ChainHead.chain)
    ).all()
    was = {row.chain: row.at_ms for row in ahead} or {rules.PLATFORM: now_ms}
    for chain, at_ms in was.items():
        reset = ClockReset(was=clock.rfc3339(clock.from_ms(at_ms)))
        record(session, reset, chain=chain, who=rules.SYSTEM)
    return len(ahead)


def _heads(plain: Cursor, chains: list[str]) -> dict[str, tuple[int, bytes, int]]:
    """Length, head and last time of each chain, locked until the transaction ends; new chains are begun.

    Chains are begun before any is locked, and both in the order of their names: two transactions then never wait for
    each other, neither for a row that exists nor for one that the other is just writing.
    """
    heads = _read_heads(plain, chains)
    missing = [chain for chain in chains if chain not in heads]
    begun = [(0, rules.FIRST_PREVIOUS, 0, chain) for chain in missing]
    plain.add("trace_chain", _HEAD, begun, unless_there=True)
    return heads if plain.is_sqlite and not missing else _read_heads(plain, chains, plain.locked("trace_chain"))


def _read_heads(plain: Cursor, chains: list[str], locked: str = "") -> dict[str, tuple[int, bytes, int]]:
    rows = plain.rows(_HEADS.format(plain.any_of("chain")) + locked, plain.values(chains))
    return {chain: (length, bytes(head), at_ms) for chain, length, head, at_ms in rows}


@lru_cache(maxsize=16)
def _written(at_ms: int) -> str:
    return clock.rfc3339(clock.from_ms(at_ms))


_OPENING = ("commitment", "chain", "field", "sealed", "reference", "person")


class Wish(NamedTuple):
    """A value that a commitment is to stand for in a leaf; see `commit`."""

    value: str | bytes
    chain: str
    field: str
    person: str | None = None
    reference: str | None = None


def commit(
    session: Session,
    value: str | bytes,
    *,
    chain: str,
    field: str,
    person: str | None = None,
    reference: str | None = None,
) -> str:
    """The commitment (64 hex digits) that stands for a value in a leaf: HMAC-SHA-256 under a fresh 32-byte key.

    Key and value are kept in `SealedOpening`, sealed under the person's key, until they are erased. ``person`` is the
    id of the one whose file the chain is; None only where there is no such person. For something large, ``value`` is
    its SHA-256 in hex and ``reference`` says where the encrypted original lies in the store.
    """
    return commit_many(session, [Wish(value, chain, field, person, reference)])[0]


def commit_many(session: Session, wishes: Sequence[Wish]) -> list[str]:
    """The same for many: one write for any number, and one read where `keys_ahead` was asked."""
    rows = []
    for value, chain, field, person, reference in wishes:
        key = os.urandom(32)
        data = value.encode() if isinstance(value, str) else value
        commitment = hmac.digest(key, data, "sha256").hex()
        sealed = sealing.seal(
            session, commitment=commitment, chain=chain, field=field, person=person, opened=CommitmentOpening(key, data)
        )
        rows.append((commitment, chain, field, sealed, reference, person))
    Cursor(session).add("trace_opening", _OPENING, rows)
    return [row[0] for row in rows]


def erase(
    session: Session,
    *,
    chain: str,
    who: str,
    what: str,
    commitments: Iterable[str] | None = None,
    field: str | None = None,
    person: str | None = None,
    law: Law | None = None,
) -> int:
    """Delete what commitments of one chain were made from, and record that it was done. Returns how many.

    Chosen by name, by ``field`` or by ``person`` (all that are given must hold); choosing by nothing is refused with a
    ValueError. What a ``reference`` pointed to in the store is the caller's to delete. ``law``, where their time is
    over: for how many ``years`` they had to be kept since which day (``since``, ISO 8601), and which ``figure`` of the
    rulebook says so.
    """
    if commitments is None and field is None and person is None:
        raise ValueError("say which openings are to be erased")
    chosen = select(SealedOpening.commitment).where(SealedOpening.chain == chain)
    if commitments is not None:
        chosen = chosen.where(SealedOpening.commitment.in_(list(commitments)))
    if field is not None:
        chosen = chosen.where(SealedOpening.field == field)
    if person is not None:
        chosen = chosen.where(SealedOpening.person == person)
    erased = list(session.scalars(chosen.order_by(SealedOpening.commitment)))
    for start in range(0, len(erased), MOST_ERASED_IN_A_LEAF):
        part = erased[start : start + MOST_ERASED_IN_A_LEAF]
        session.execute(delete(SealedOpening).where(SealedOpening.commitment.in_(part)))
        said = OpeningsErased(what=what, count=len(part), commitments=part, law=law)
        record(session, said, chain=chain, who=who)
    return len(erased)
