"""The log's secret keys: one signs checkpoints, one says when. Read by the sequencer and by nobody else.

They stand in a file of their own, one key a line, as Go's note package writes signers
(``PRIVATE+KEY+name+hash+base64``), after the word ``log`` or ``clock``.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from xueji.trace import note
from xueji.trace.atomic_file import write_atomically
from xueji.trace.note import VerifierKey

LOG = "log"
CLOCK = "clock"
_KINDS = {LOG: note.ED25519, CLOCK: note.COSIGNATURE}
_PREFIX = "PRIVATE+KEY+"


@dataclass(frozen=True)
class SigningKey:
    purpose: str
    name: str
    secret: Ed25519PrivateKey

    @classmethod
    def new(cls, purpose: str, name: str) -> SigningKey:
        return cls(purpose, name, Ed25519PrivateKey.generate())

    @classmethod
    def parse(cls, line: str) -> SigningKey:
        """Raises ValueError."""
        purpose, _, written = line.partition(" ")
        if purpose not in _KINDS or not written.startswith(_PREFIX):
            raise ValueError("this is not a signing key of the log")
        name, digest, encoded = written[len(_PREFIX) :].split("+", 2)
        material = base64.b64decode(encoded, validate=True)
        key = cls(purpose, name, Ed25519PrivateKey.from_private_bytes(material[1:]))
        if material[0] != _KINDS[purpose] or key.public.id.hex() != digest:
            raise ValueError(f"the signing key of {name} is damaged")
        return key

    @property
    def public(self) -> VerifierKey:
        return VerifierKey(self.name, _KINDS[self.purpose], self.secret.public_key().public_bytes_raw())

    @property
    def line(self) -> str:
        material = bytes([_KINDS[self.purpose]]) + self.secret.private_bytes_raw()
        return f"{self.purpose} {_PREFIX}{self.name}+{self.public.id.hex()}+{base64.b64encode(material).decode()}\n"

    def sign(self, text: str, time: int) -> str:
        """A signature line for a note's text; ``time`` (epoch seconds) goes into the clock's only."""
        if self.purpose == LOG:
            raw = self.secret.sign(text.encode())
        else:
            raw = time.to_bytes(8, "big") + self.secret.sign(note.cosigned_message(text, time))
        return note.Signature(self.name, self.public.id, raw).line


def clock_name(origin: str) -> str:
    """The log's clock is a cosigner of its own, with its own name and key."""
    return f"{origin}/clock"


class KeyFile:
    """The file of signing keys, at ``keys/trace.keys`` in the data folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "trace.keys"

    def load(self, origin: str) -> list[SigningKey]:
        """The keys that sign for one origin, oldest first. Raises FileNotFoundError, ValueError."""
        keys = [SigningKey.parse(line) for line in self.path.read_text("utf-8").splitlines()]
        return [key for key in keys if key.name in (origin, clock_name(origin))]

    def load_or_create(self, origin: str) -> list[SigningKey]:
        keys = self.load(origin) if self.path.exists() else []
        return keys or self.add(origin)

    def add(self, origin: str) -> list[SigningKey]:
        """A new pair of keys beside those there are: from now on the log signs with both the old and the new."""
        pair = [SigningKey.new(LOG, origin), SigningKey.new(CLOCK, clock_name(origin))]
        before = self.path.read_text("utf-8") if self.path.exists() else ""
        write_atomically(self.path, (before + "".join(key.line for key in pair)).encode(), mode=0o600)
        return self.load(origin)

    def retire(self, origin: str) -> list[SigningKey]:
        """Forget every pair of an origin but the newest."""
        keys = self.load(origin)
        newest = {key.line for key in keys[-2:]}
        retired = {key.line for key in keys} - newest
        kept = [line for line in self.path.read_text("utf-8").splitlines(True) if line not in retired]
        write_atomically(self.path, "".join(kept).encode(), mode=0o600)
        return self.load(origin)

    def changed(self) -> int:
        """A number that differs once the file has been replaced."""
        return self.path.stat().st_mtime_ns
