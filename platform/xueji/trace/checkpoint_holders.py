"""Checkpoints held by people outside: for a place without a time-stamp authority or a witness within reach.

The operator exports or prints the newest checkpoint, somebody outside keeps it, and what she holds is acknowledged: a
leaf says how far it reaches. Whatever is cut off the log's end before that no longer fits what she has.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.kernel import clock
from xueji.trace import merkle, queries, rules
from xueji.trace.leaves import CheckpointHeld
from xueji.trace.models import ChainHead, VerifierKeyRow
from xueji.trace.note import Checkpoint, Note, NoteError, SignatureError
from xueji.trace.note import VerifierKey as PublicKey
from xueji.trace.services import commit, record
from xueji.trace.tree import Tree, current_log, leaf_count

LONGEST_NAME = 120


class NotHeld(Exception):
    """What was brought is no checkpoint of this log, or the log does not continue it; the message says which."""


def export(session: Session) -> str:
    """The newest checkpoint, as a note to be kept or printed. Raises NotHeld while nothing was signed."""
    log = current_log(session)
    newest = queries.newest_checkpoint(session, log) if log is not None else None
    if newest is None:
        raise NotHeld("nothing has been signed yet")
    return newest.note


def acknowledge(session: Session, written: str, *, holder: str) -> Checkpoint:
    """Somebody outside holds this checkpoint, says the operator: a leaf of its own chain. Raises NotHeld."""
    name = holder.strip()
    if not 2 <= len(name) <= LONGEST_NAME:
        raise NotHeld(f"say who holds it, in 2 to {LONGEST_NAME} characters")
    log = current_log(session)
    if log is None:
        raise NotHeld("nothing has been signed yet")
    keys = [
        PublicKey.parse(key) for key in session.scalars(select(VerifierKeyRow.key).where(VerifierKeyRow.log == log.id))
    ]
    try:
        note = Note.parse(written.strip() + "\n")
        checkpoint, signed = Checkpoint.parse(note.text), note.verify(keys)
    except (NoteError, SignatureError) as error:
        raise NotHeld(f"this is no checkpoint of ours: {error}") from error
    if checkpoint.origin != log.origin or not signed:
        raise NotHeld(f"this is no checkpoint of {log.origin}")
    tree = Tree(session, log, leaf_count(session, log))
    held = checkpoint.size <= tree.size
    root = tree.root(checkpoint.size) if held and checkpoint.size else merkle.EMPTY_ROOT
    if not held or root != checkpoint.root:
        raise NotHeld(f"the log does not continue this checkpoint of {checkpoint.size} leaves: look at `xueji doctor`")
    said = commit(session, name, chain=rules.HOLDERS, field="holder")
    leaf = CheckpointHeld(size=checkpoint.size, root=checkpoint.root.hex(), holder=said)
    record(session, leaf, chain=rules.HOLDERS, who=rules.SYSTEM)
    return checkpoint


def last_acknowledged(session: Session) -> datetime | None:
    """When somebody outside last held a checkpoint; None when nobody ever did."""
    at_ms = session.scalar(select(ChainHead.at_ms).where(ChainHead.chain == rules.HOLDERS, ChainHead.length > 0))
    return clock.from_ms(at_ms) if at_ms is not None else None
