"""Where a chain's leaves stand, which checkpoints bracket its sittings, and the proofs of both."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from xueji.trace import merkle, queries, tree
from xueji.trace.models import CheckpointRow, Cosignature, LeafRow, Log, TimeStamp

MOST_ANCHORS = 64


@dataclass(frozen=True)
class Place:
    """Where a leaf of the chain stands."""

    n: int
    index: int


@dataclass(frozen=True)
class LogPart:
    """The leaves of a chain that one log proves, and that log's newest checkpoint."""

    log: Log
    newest: CheckpointRow
    places: list[Place]


def parts(session: Session, chain: str, last_n: int) -> list[LogPart]:
    """Each leaf up to ``last_n`` once, in the first log whose checkpoints cover it; the growing log comes last."""
    found: list[LogPart] = []
    next_n = 0
    for log in session.scalars(select(Log).order_by(Log.id)):
        newest = queries.newest_checkpoint(session, log)
        if newest is None:
            continue
        positions = session.execute(
            select(LeafRow.n, LeafRow.position)
            .where(LeafRow.chain == chain, LeafRow.log == log.id, LeafRow.n >= next_n, LeafRow.n <= last_n)
            .where(LeafRow.position < log.first_position + newest.size)
            .order_by(LeafRow.n)
        )
        places = [Place(n, position - log.first_position) for n, position in positions]
        if places:
            found.append(LogPart(log, newest, places))
            next_n = places[-1].n + 1
    return found


def leaf_bytes(session: Session, chain: str, part: LogPart) -> Iterator[bytes]:
    """The exact bytes of a part's leaves, in order; never more than a few at a time."""
    rows = session.execute(
        select(LeafRow.leaf)
        .where(LeafRow.chain == chain, LeafRow.log == part.log.id)
        .where(LeafRow.n >= part.places[0].n, LeafRow.n <= part.places[-1].n)
        .order_by(LeafRow.n)
        .execution_options(yield_per=500)
    )
    for (leaf,) in rows:
        yield leaf


def inclusion(session: Session, part: LogPart) -> dict[str, Any]:
    """The checkpoint with its cosignatures and one pruned tree over all of the part's leaves."""
    size = part.newest.size
    indices = [place.index for place in part.places]
    hashes = merkle.pruned_proof(indices, size, tree.Tree(session, part.log, size).node)
    return {
        "checkpoint": queries.cosigned(session, part.newest),
        "leaves": [[place.n, place.index] for place in part.places],
        "hashes": _encoded(hashes),
    }


def anchors(
    session: Session, part: LogPart, spans: Sequence[tuple[int, int]], number: int
) -> Iterator[tuple[dict[str, Any], list[bytes]]]:
    """Earlier checkpoints that bracket each span (indices of its first and last leaf), with their time-stamp tokens.

    For each span four are wanted: the last before and the first after it, signed, and the same stamped from outside.
    When that is more than 64, some are left out evenly: brackets grow wider, no claim is lost.
    """
    log, size = part.log.id, part.newest.size
    wanted: set[int] = set()
    for first, last in spans:
        for column in (CheckpointRow.size, TimeStamp.size, Cosignature.size):
            wanted |= _around(session, column, log, first, last)
    # The newest one is in the bundle already; it is listed here too when an authority has stamped it.
    if session.scalar(select(TimeStamp.size).where(TimeStamp.log == log, TimeStamp.size == size)) is None:
        wanted.discard(size)
    chosen = _thinned(sorted(each for each in wanted if each <= size))
    reader = tree.Tree(session, part.log, size)
    for each in chosen:
        checkpoint = session.get_one(CheckpointRow, (log, each))
        tokens = session.scalars(
            select(TimeStamp.token).where(TimeStamp.log == log, TimeStamp.size == each).order_by(TimeStamp.authority)
        )
        yield (
            {
                "tree": number,
                "size": each,
                "note": checkpoint.note,
                "cosignatures": queries.cosignature_lines(session, checkpoint),
                "consistency": _encoded(merkle.consistency_proof(each, size, reader.node)),
            },
            list(tokens),
        )


def _around(session: Session, column: InstrumentedAttribute[int], log: int, first: int, last: int) -> set[int]:
    """The largest size that does not cover ``first`` yet, and the smallest that covers ``last``."""
    mine = select(column).where(column.class_.log == log)
    before = session.scalar(mine.where(column <= first).order_by(column.desc()).limit(1))
    after = session.scalar(mine.where(column > last).order_by(column).limit(1))
    return {each for each in (before, after) if each is not None}


def _thinned(sizes: list[int]) -> list[int]:
    if len(sizes) <= MOST_ANCHORS:
        return sizes
    return [sizes[number * (len(sizes) - 1) // (MOST_ANCHORS - 1)] for number in range(MOST_ANCHORS)]


def consistency(session: Session, part: LogPart, held_size: int) -> dict[str, Any]:
    """That the newest checkpoint continues the one of ``held_size`` leaves. Raises merkle.ProofError."""
    reader = tree.Tree(session, part.log, part.newest.size)
    proof = merkle.consistency_proof(held_size, part.newest.size, reader.node)
    return {"from": held_size, "hashes": _encoded(proof)}


def _encoded(hashes: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(each).decode() for each in hashes]
