"""Reading the whole log again and recomputing everything: what the operator runs after a restore or a suspicion.

It finds what was changed in the database by comparing the database with itself; that the whole of it was not
exchanged is for the checkpoints outside to say.
"""

from __future__ import annotations

import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.trace import merkle, rules
from xueji.trace.models import Checkpoint as CheckpointRow
from xueji.trace.models import Leaf, Log, Tile, VerifierKey
from xueji.trace.note import Checkpoint, Note, NoteError, SignatureError
from xueji.trace.note import VerifierKey as PublicKey
from xueji.trace.tiles import Edge, FullTile


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
    keys = [PublicKey.parse(key) for key in session.scalars(select(VerifierKey.key).where(VerifierKey.log == log.id))]
    edge = Edge()
    leaves = session.execute(
        select(Leaf.position, Leaf.chain, Leaf.n, Leaf.leaf)
        .where(Leaf.log == log.id)
        .order_by(Leaf.position)
        .execution_options(yield_per=2000)
    )
    for position, chain, n, leaf in leaves:
        if position != log.first_position + edge.size:
            return [*found, f"{log.origin}: leaf {edge.size} is missing"]
        found += _audit_leaf(session, log, chain, n, leaf, heads)
        for tile in edge.append(merkle.leaf_hash(leaf)):
            found += _audit_tile(session, log, tile)
        if edge.size in checkpoints:
            found += _audit_checkpoint(log, edge, checkpoints.pop(edge.size), keys)
    found += [f"{log.origin}: checkpoint {size} covers leaves that are not there" for size in sorted(checkpoints)]
    return found


def _audit_leaf(
    session: Session, log: Log, chain: str, n: int, leaf: bytes, heads: dict[str, tuple[int, bytes]]
) -> list[str]:
    said = json.loads(leaf)
    before, head = heads.get(chain, (-1, rules.FIRST_PREVIOUS))
    if n <= before:
        # Carried over from the log before, so it stands there too.
        earlier = session.scalar(select(Leaf.leaf).where(Leaf.chain == chain, Leaf.n == n, Leaf.log < log.id))
        return [] if earlier == leaf else [f"leaf {n} of {chain} stands twice and differs"]
    heads[chain] = n, merkle.leaf_hash(leaf)
    if n != before + 1 or said["n"] != n or said["chain"] != chain:
        return [f"leaf {n} of {chain} does not follow leaf {before}"]
    if said["prev"] != head.hex():
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
