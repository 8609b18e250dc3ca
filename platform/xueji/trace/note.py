"""Signed notes, checkpoints and cosignatures as C2SP writes them (signed-note, tlog-checkpoint, tlog-cosignature).

A note is a text ending in a line break, an empty line, and signature lines ``— name base64(key id || signature)``.
A checkpoint is a note whose text is origin, size and root, one a line. A cosignature says when it was made.
Standard library only: the offline verifier uses this file.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from hashlib import sha256

from xueji.python38 import dataclass
from xueji.trace import ed25519

ED25519 = 0x01
"""A signature over the text alone: what a log signs with."""
COSIGNATURE = 0x04
"""cosignature/v1: over the time and the text; what the log's own clock and witnesses sign with."""
LARGEST_NOTE = 1_000_000
MOST_SIGNATURES = 100

_SIGNATURE_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")


class NoteError(ValueError):
    """A text is no note, or no checkpoint."""


class SignatureError(ValueError):
    """A note does not carry the signatures it needs; the message says whose."""


def key_id(name: str, kind: int, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


@dataclass(frozen=True)
class VerifierKey:
    """Who signs, in which manner, and the public key (32 bytes)."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        return key_id(self.name, self.kind, self.public)

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """``name+hash+base64``. Raises NoteError."""
        try:
            name, digest, encoded = text.split("+", 2)
            material = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error):
            raise NoteError(f"{text[:80]!r} is not a verifier key") from None
        if len(material) != 33 or material[0] not in (ED25519, COSIGNATURE):
            raise NoteError(f"the key of {name} is of a kind that is not known here")
        key = cls(name, material[0], material[1:])
        if not name or key.id.hex() != digest:
            raise NoteError(f"the hash in the key of {name} is not the key's")
        return key

    def __str__(self) -> str:
        material = bytes([self.kind]) + self.public
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(material).decode()}"


@dataclass(frozen=True)
class Signature:
    """One signature line, taken apart."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        return f"— {self.name} {base64.b64encode(self.key_id + self.signature).decode()}\n"


@dataclass(frozen=True)
class Signed:
    """A signature that holds: whose, and when it says it was made (epoch seconds; None for a plain signature)."""

    key: VerifierKey
    time: int | None


@dataclass(frozen=True)
class Note:
    """``text`` ends with a line break; what it was signed as."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, written: str) -> Note:
        """Raises NoteError."""
        if len(written) > LARGEST_NOTE:
            raise NoteError("the note is too long")
        if any(ord(character) < 32 and character != "\n" for character in written):
            raise NoteError("the note holds control characters")
        text, blank, lines = written.rpartition("\n\n")
        if not blank or not lines.endswith("\n"):
            raise NoteError("the note has no signatures")
        return cls(text + "\n", parse_signatures(lines))

    def __str__(self) -> str:
        return self.text + "\n" + "".join(signature.line for signature in self.signatures)

    def with_lines(self, lines: Iterable[str]) -> Note:
        """The same note with more signatures; those it has already are not repeated. Raises NoteError."""
        more = [signature for line in lines for signature in parse_signatures(line)]
        return Note(self.text, tuple(dict.fromkeys((*self.signatures, *more))))

    def verify(self, keys: Sequence[VerifierKey]) -> list[Signed]:
        """The signatures that hold, of keys that are known; signatures of others are passed over.

        Raises SignatureError when one that claims a known key does not hold: such a note was tampered with.
        """
        known = {(key.name, key.id): key for key in keys}
        holding: list[Signed] = []
        for signature in self.signatures:
            key = known.get((signature.name, signature.key_id))
            if key is None:
                continue
            time, message, raw = _signed_message(key.kind, self.text, signature.signature)
            if not ed25519.verify(key.public, message, raw):
                raise SignatureError(f"the signature of {key.name} does not hold")
            holding.append(Signed(key, time))
        return holding


def parse_signatures(lines: str) -> tuple[Signature, ...]:
    """Signature lines, each ended by a line break. Raises NoteError."""
    parsed = []
    # At LF only: `splitlines` would also end a line at NEL, LS or PS, where other readers of notes do not.
    for line in (lines[:-1] if lines.endswith("\n") else lines).split("\n"):
        match = _SIGNATURE_LINE.fullmatch(line)
        if match is None:
            raise NoteError(f"{line[:80]!r} is not a signature line")
        try:
            material = base64.b64decode(match[2], validate=True)
        except binascii.Error:
            raise NoteError(f"{line[:80]!r} is not a signature line") from None
        if len(material) < 5:
            raise NoteError(f"the signature of {match[1]} is too short")
        parsed.append(Signature(match[1], material[:4], material[4:]))
    if len(parsed) > MOST_SIGNATURES:
        raise NoteError("the note has too many signatures")
    return tuple(parsed)


def cosigned_message(text: str, time: int) -> bytes:
    """What a cosignature/v1 is made over."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _signed_message(kind: int, text: str, signature: bytes) -> tuple[int | None, bytes, bytes]:
    if kind == ED25519:
        return None, text.encode(), signature
    time = int.from_bytes(signature[:8], "big")
    return time, cosigned_message(text, time), signature[8:]


@dataclass(frozen=True)
class Checkpoint:
    """What the log says of itself: under this name, so many leaves, with this root (32 bytes)."""

    origin: str
    size: int
    root: bytes

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """From a note's text; extension lines are allowed and not read. Raises NoteError."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] != "" or not all(lines[:-1]):
            raise NoteError("the text is not a checkpoint")
        origin, size, root = lines[:3]
        if re.fullmatch(r"0|[1-9][0-9]{0,15}", size) is None:
            raise NoteError("the checkpoint's size is not a number")
        try:
            raw = base64.b64decode(root, validate=True)
        except binascii.Error:
            raise NoteError("the checkpoint's root is not base64") from None
        if len(raw) != 32:
            raise NoteError("the checkpoint's root is not 32 bytes")
        return cls(origin, int(size), raw)

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"
