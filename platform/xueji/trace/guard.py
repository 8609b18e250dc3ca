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
        self._before = data / "log" / "last_checkpoint_before"

    def read(self) -> Note | None:
        """Raises CannotSign when the file is there and cannot be read as a note."""
        return self._read(self.path)

    def write(self, note: Note) -> None:
        write_atomically(self.path, str(note).encode())

    def last_of_the_log_before(self, origin: str) -> Note | None:
        """The last checkpoint of the log that ``origin`` is to follow.

        It is set aside at once, so that it is still there when opening the new log was cut short. Raises CannotSign.
        """
        last = self.read()
        if last is None or Checkpoint.parse(last.text).origin == origin:
            return self._read(self._before)
        write_atomically(self._before, str(last).encode())
        return last

    @staticmethod
    def _read(path: Path) -> Note | None:
        try:
            written = path.read_text("utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise CannotSign("the checkpoint kept outside the database is damaged") from error
        try:
            note = Note.parse(written)
            Checkpoint.parse(note.text)
        except NoteError as error:
            raise CannotSign(f"the checkpoint kept outside the database is damaged: {error}") from error
        return note


def check(outside: Note | None, keys: Sequence[VerifierKey], tree: Tree, origin: str) -> None:
    """Raises CannotSign unless the tree in the database continues the checkpoint kept outside."""
    if outside is None:
        raise CannotSign("the checkpoint kept outside the database is gone, so nothing can be compared with it")
    checkpoint = Checkpoint.parse(outside.text)
    try:
        signed = outside.verify(keys)
    except SignatureError as error:
        raise CannotSign(f"the checkpoint kept outside the database does not hold: {error}") from error
    if checkpoint.origin != origin or not signed:
        raise CannotSign(f"the checkpoint kept outside the database is not one of {origin}")
    if checkpoint.size > tree.size:
        raise CannotSign(f"{checkpoint.size} leaves were signed for, and the database holds {tree.size}")
    root = tree.root(checkpoint.size) if checkpoint.size else merkle.EMPTY_ROOT
    if root != checkpoint.root:
        raise CannotSign(f"the first {checkpoint.size} leaves are not the ones that were signed for")
