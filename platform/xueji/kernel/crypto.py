"""Keys and ciphers. The keys stand in files apart from the database, so that neither is of use alone."""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12


class Unreadable(Exception):
    """A ciphertext is damaged, was moved to another place, or its key is gone."""


def new_key() -> bytes:
    return os.urandom(KEY_BYTES)


def encrypt(key: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """AES-256-GCM, nonce first. ``aad`` names the place the value belongs to, so it cannot be moved elsewhere."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, aad)


def decrypt(key: bytes, ciphertext: bytes, aad: bytes) -> bytes:
    """Raises Unreadable."""
    try:
        return AESGCM(key).decrypt(ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:], aad)
    except (InvalidTag, ValueError) as error:
        raise Unreadable from error


def write_secret(path: Path, content: bytes) -> None:
    """Write a key file that only its owner can read; never over an existing one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


class Keyring:
    """The installation's own keys: one master key, and what is derived from it for each purpose."""

    def __init__(self, master: bytes) -> None:
        if len(master) != KEY_BYTES:
            raise ValueError("the master key is 32 bytes")
        self._master = master
        self._derived: dict[str, bytes] = {}

    @classmethod
    def load(cls, folder: Path) -> Keyring:
        """Raises FileNotFoundError when the installation has no keys yet."""
        return cls(bytes.fromhex((folder / "master.key").read_text("ascii").strip()))

    @classmethod
    def create(cls, folder: Path) -> Keyring:
        """Make the keys of a new installation, or load those that are there."""
        if not (folder / "master.key").exists():
            write_secret(folder / "master.key", new_key().hex().encode())
        return cls.load(folder)

    def derived(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose; other purposes' keys say nothing about it."""
        key = self._derived.get(purpose)
        if key is None:
            key = self._derived[purpose] = hmac.digest(self._master, b"xueji/" + purpose.encode(), hashlib.sha256)
        return key

    def check_value(self) -> bytes:
        """Kept in the database, so that another key is noticed before anything is written under it."""
        return self.keyed_hash("check", "master key")

    def wrap(self, key: bytes, owner: str) -> bytes:
        """Encrypt one person's key for keeping in the database; deleting it erases whatever it protects."""
        return encrypt(self.derived("wrap"), key, owner.encode())

    def unwrap(self, wrapped: bytes, owner: str) -> bytes:
        """Raises Unreadable."""
        return decrypt(self.derived("wrap"), wrapped, owner.encode())

    def keyed_hash(self, purpose: str, value: str) -> bytes:
        """For finding an encrypted value again without being able to read it."""
        return hmac.new(self.derived("hash/" + purpose), value.encode(), hashlib.sha256).digest()

    def pseudonym(self, person_id: UUID, scope: object) -> str:
        """Who somebody is inside one scope of the trace: the same there, unlinkable elsewhere."""
        message = f"{person_id}/{scope}".encode()
        return hmac.new(self.derived("pseudonym"), message, hashlib.sha256).hexdigest()[:32]
