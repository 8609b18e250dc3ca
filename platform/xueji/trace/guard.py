"""The last checkpoint, kept outside the database: what tells a restored database from the one that was signed for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xueji.trace import merkle
from xueji.trace.durable import write_atomically
from xueji.trace.note import Checkpoint, Note, NoteError, SignatureError, VerifierKey
from xueji.trace.tree import Tree


class CannotSign(Exception):
    """Going on would sign a second history beside one already signed; the message says how it was noticed."""


class OutsideCheckpoint:
    """The file ``log/last_checkpoint`` in the data folder. It must not be restored from a backup with the database."""

    def __init__(self, data: Path) -> None:
        self.path = data / "log" / "last_checkpoint"

    def read(self) -> Note | None:
        """Raises CannotSign when the file is there and cannot be read as a note."""
        try:
            written = self.path.read_text("utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise CannotSign("the checkpoint kept outside the database is damaged") from error
        try:
            return Note.parse(written)
        except NoteError as error:
            raise CannotSign(f"the checkpoint kept outside the database is damaged: {error}") from error

    def write(self, note: Note) -> None:
        write_atomically(self.path, str(note).encode())


def check(outside: Note | None, keys: Sequence[VerifierKey], tree: Tree, origin: str) -> None:
    """Raises CannotSign unless the tree in the database continues the checkpoint kept outside."""
    if outside is None:
        raise CannotSign("the checkpoint kept outside the database is gone, so nothing can be compared with it")
    try:
        checkpoint = Checkpoint.parse(outside.text)
        signed = outside.verify(keys)
    except (NoteError, SignatureError) as error:
        raise CannotSign(f"the checkpoint kept outside the database does not hold: {error}") from error
    if checkpoint.origin != origin or not signed:
        raise CannotSign(f"the checkpoint kept outside the database is not one of {origin}")
    if checkpoint.size > tree.size:
        raise CannotSign(f"{checkpoint.size} leaves were signed for, and the database holds {tree.size}")
    root = tree.root(checkpoint.size) if checkpoint.size else merkle.EMPTY_ROOT
    if root != checkpoint.root:
        raise CannotSign(f"the first {checkpoint.size} leaves are not the ones that were signed for")
