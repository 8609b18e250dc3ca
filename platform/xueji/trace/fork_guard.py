"""The last checkpoint, kept outside the database: what tells a restored database from the one that was signed for.

Every checkpoint is public and stands in the database, so the file alone would prove nothing against whoever keeps
that: she could put an earlier one into it and cut the log to fit. It is therefore sealed under ``keys/guard.key``, and
a second copy lies beside that key: the later of the two is what the database must continue.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from pathlib import Path

from xueji.kernel.crypto import new_key, write_secret
from xueji.trace import merkle
from xueji.trace.atomic_file import write_atomically
from xueji.trace.note import Checkpoint, Note, NoteError, SignatureError, VerifierKey
from xueji.trace.tree import Tree

SEAL = "seal "
"""How the last line of the file begins; the rest of it is the note."""


class CannotSign(Exception):
    """Going on would sign a second history beside one already signed; the message says how it was noticed."""


class OutsideCheckpoint:
    """The file ``log/last_checkpoint`` in the data folder. It must not be restored from a backup with the database."""

    def __init__(self, data: Path) -> None:
        self.path = data / "log" / "last_checkpoint"
        self._before = data / "log" / "last_checkpoint_before"
        self._beside_keys = data / "keys" / "last_checkpoint"
        self._key_file = data / "keys" / "guard.key"

    def read(self) -> Note | None:
        """Raises CannotSign when the file is no sealed note, or older than the copy beside the keys."""
        kept, beside = self._read(self.path), self._read(self._beside_keys)
        if kept is None or beside is None:
            return kept
        said, later = Checkpoint.parse(kept.text), Checkpoint.parse(beside.text)
        if said.origin == later.origin and said.size < later.size:
            raise CannotSign(
                f"the checkpoint kept outside the database was exchanged for an older one: it is of {said.size} leaves,"
                f" and {later.size} were signed for"
            )
        return kept

    def write(self, note: Note) -> None:
        sealed = str(note).encode() + f"{SEAL}{self._seal(str(note), self._key(make=True))}\n".encode()
        write_atomically(self.path, sealed)
        write_atomically(self._beside_keys, sealed, mode=0o600)

    def last_of_the_log_before(self, origin: str) -> Note | None:
        """The last checkpoint of the log that ``origin`` is to follow.

        It is set aside at once, so that it is still there when opening the new log was cut short. Raises CannotSign.
        """
        last = self.read()
        if last is None or Checkpoint.parse(last.text).origin == origin:
            return self._read(self._before)
        sealed = str(last).encode() + f"{SEAL}{self._seal(str(last), self._key(make=True))}\n".encode()
        write_atomically(self._before, sealed)
        return last

    def _key(self, *, make: bool = False) -> bytes | None:
        """None where nothing was ever sealed: an installation from before there were seals."""
        try:
            return bytes.fromhex(self._key_file.read_text("ascii"))
        except FileNotFoundError:
            if not make:
                return None
        key = new_key()
        write_secret(self._key_file, key.hex().encode())
        return key

    @staticmethod
    def _seal(written: str, key: bytes | None) -> str:
        return hmac.new(key or b"", written.encode(), hashlib.sha256).hexdigest()

    def _unsealed(self, written: str) -> str:
        """Raises CannotSign."""
        key = self._key()
        note, mark, seal = written.rpartition(SEAL)
        if key is None:
            return note if mark else written
        if not mark or not hmac.compare_digest(seal.strip(), self._seal(note, key)):
            raise CannotSign(
                "the checkpoint kept outside the database was not written by this installation: no seal holds"
            )
        return note

    def _read(self, path: Path) -> Note | None:
        try:
            written = self._unsealed(path.read_text("utf-8"))
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
