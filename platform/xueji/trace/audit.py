"""Reading the whole log again and recomputing everything: what the operator runs after a restore or a suspicion.

It finds what was changed in the database by comparing the database with itself; that the whole of it was not
exchanged is for the checkpoints outside to say.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from xueji.trace import merkle, rules
from xueji.trace.models import CheckpointRow as CheckpointRow
from xueji.trace.models import LeafRow, Log, Tile, VerifierKeyRow
from xueji.trace.note import Checkpoint, Note, NoteError, SignatureError
from xueji.trace.note import VerifierKey as PublicKey
from xueji.trace.tiles import Edge, FullTile

LEAVES_AT_ONCE = 2000


def audit(session: Session) -> list[str]:
    """What does not fit, one line each; empty when all of it does. Reads every leaf once."""
    found: list[str] = []
    heads: dict[str, tuple[int, bytes]] = {}
    for log in session.scalars(select(Log).order_by(Log.id)):
        found += _audit_log(session, log, heads)
    return found


def _audit_log(session: Session, log: Log, heads: dict[str, tuple[int, bytes]]) -> list[str]:
    found: list[str] = []
    checkpoints = {
        row.size: row.note
        for row in session.execute(select(CheckpointRow.size, CheckpointRow.note).where(CheckpointRow.log == log.id))
    }
    keys = [
        PublicKey.parse(key) for key in session.scalars(select(VerifierKeyRow.key).where(VerifierKeyRow.log == log.id))
    ]
    edge = Edge()
    for position, chain, n, leaf in _leaves(session, log, found):
        if position != log.first_position + edge.size:
            return [*found, f"{log.origin}: leaf {edge.size} is missing"]
        found += _audit_leaf(session, log, chain, n, leaf, heads)
        for tile in edge.append(merkle.leaf_hash(leaf)):
            found += _audit_tile(session, log, tile)
        if edge.size in checkpoints:
            found += _audit_checkpoint(log, edge, checkpoints.pop(edge.size), keys)
    found += [f"{log.origin}: checkpoint {size} covers leaves that are not there" for size in sorted(checkpoints)]
    return found


def _leaves(session: Session, log: Log, found: list[str]) -> Iterator[tuple[int, str, int, bytes]]:
    """Every leaf of a log in its order, to the first that the database cannot read, which is named in ``found``."""
    position = log.first_position
    while True:
        try:
            rows = _read(session, log, position, LEAVES_AT_ONCE)
        except DatabaseError:
            session.rollback()
            rows = _readable(session, log, position, found)
        if not rows:
            return
        yield from rows
        position = rows[-1][0] + 1


def _read(session: Session, log: Log, position: int, most: int) -> list[tuple[int, str, int, bytes]]:
    rows = session.execute(
        select(LeafRow.position, LeafRow.chain, LeafRow.n, LeafRow.leaf)
        .where(LeafRow.log == log.id, LeafRow.position >= position, LeafRow.position < position + most)
        .order_by(LeafRow.position)
    )
    return [(row.position, row.chain, row.n, bytes(row.leaf)) for row in rows]


def _readable(session: Session, log: Log, position: int, found: list[str]) -> list[tuple[int, str, int, bytes]]:
    """One by one, as far as the damage allows; names the first leaf that cannot be read, once."""
    rows: list[tuple[int, str, int, bytes]] = []
    for place in range(position, position + LEAVES_AT_ONCE):
        try:
            one = _read(session, log, place, 1)
        except DatabaseError as error:
            session.rollback()
            if not rows:
                index = place - log.first_position
                found.append(f"{log.origin}: leaf {index} cannot be read, its page is damaged: {error.orig}")
            return rows
        if not one:
            return rows
        rows += one
    return rows


def _audit_leaf(
    session: Session, log: Log, chain: str, n: int, leaf: bytes, heads: dict[str, tuple[int, bytes]]
) -> list[str]:
    try:
        said = json.loads(leaf)
        stands = said["n"] == n and said["chain"] == chain
        previous = said["prev"]
    except (ValueError, KeyError, TypeError):
        heads[chain] = n, merkle.leaf_hash(leaf)
        return [f"leaf {n} of {chain} is damaged: its bytes are no leaf"]
    before, head = heads.get(chain, (-1, rules.FIRST_PREVIOUS))
    if n <= before:
        # Carried over from the log before, so it stands there too.
        earlier = session.scalar(
            select(LeafRow.leaf).where(LeafRow.chain == chain, LeafRow.n == n, LeafRow.log < log.id)
        )
        return [] if earlier == leaf else [f"leaf {n} of {chain} stands twice and differs"]
    heads[chain] = n, merkle.leaf_hash(leaf)
    if n != before + 1 or not stands:
        return [f"leaf {n} of {chain} does not follow leaf {before}"]
    if previous != head.hex():
        return [f"leaf {n} of {chain} does not name leaf {before} as it stands"]
    return []


def _audit_tile(session: Session, log: Log, tile: FullTile) -> list[str]:
    stored = session.execute(
        select(Tile.hashes, Tile.root).where(Tile.log == log.id, Tile.level == tile.level, Tile.number == tile.number)
    ).one_or_none()
    if stored is None or (bytes(stored.hashes), bytes(stored.root)) != (tile.hashes, tile.root):
        return [f"{log.origin}: tile {tile.level}/{tile.number} is not that of its leaves"]
    return []


def _audit_checkpoint(log: Log, edge: Edge, written: str, keys: list[PublicKey]) -> list[str]:
    try:
        note = Note.parse(written)
        signed = note.verify(keys)
        checkpoint = Checkpoint.parse(note.text)
    except (NoteError, SignatureError) as error:
        return [f"{log.origin}: checkpoint {edge.size}: {error}"]
    if not signed or checkpoint != Checkpoint(log.origin, edge.size, edge.root()):
        return [f"{log.origin}: checkpoint {edge.size} is not that of its leaves"]
    return []
