"""What opens a commitment, kept so that the database alone gives nothing away.

Key and value are encrypted together: under the key of the person whose file they belong to, or, where there is no such
person (the seed of a draw), under a key of the installation. Destroying a person's key destroys all of hers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from xueji.kernel import crypto
from xueji.kernel.crypto import Keyring, Unreadable
from xueji.kernel.driver_sql import Cursor
from xueji.trace.models import SealedOpening

KEYRING = "keyring"
"""Under this name every session of an installation carries its keyring (`kernel.context`)."""
_KEYS = "keys of persons"
# The table is that of `identity`, which stands above the log; only this much of it is known here.
_WRAPPED = "SELECT id, wrapped_key FROM person WHERE {}"


class CommitmentOpening(NamedTuple):
    """What makes a commitment: HMAC-SHA-256 of ``value`` under ``key``."""

    key: bytes
    """32 bytes"""
    value: bytes


def seal(
    session: Session, *, commitment: str, chain: str, field: str, person: str | None, opened: CommitmentOpening
) -> bytes:
    """The two as one ciphertext that opens nowhere else. Raises Unreadable when the person's key is gone."""
    return crypto.encrypt(_key(session, person), opened.key + opened.value, _place(commitment, chain, field, person))


def unseal(session: Session, opening: SealedOpening) -> CommitmentOpening:
    """Raises Unreadable: damaged, moved here from elsewhere, or the person's key is gone."""
    place = _place(opening.commitment, opening.chain, opening.field, opening.person)
    plain = crypto.decrypt(_key(session, opening.person), opening.sealed, place)
    return CommitmentOpening(plain[: crypto.KEY_BYTES], plain[crypto.KEY_BYTES :])


def _place(commitment: str, chain: str, field: str, person: str | None) -> bytes:
    return "/".join(("opening", commitment, chain, field, person or "")).encode()


def _key(session: Session, person: str | None) -> bytes:
    keyring: Keyring = session.info[KEYRING]
    if person is None:
        return keyring.derived("opening")
    known: dict[str, Any] = session.info.setdefault(_KEYS, {})
    if person not in known:
        keys_ahead(session, [person])
    if person not in known:
        raise Unreadable(f"there is no key of the person {person}")
    return bytes(known[person])


def keys_ahead(session: Session, people: Iterable[str]) -> None:
    """Read these persons' keys at once; who has none any more is left out."""
    keyring: Keyring = session.info[KEYRING]
    known: dict[str, Any] = session.info.setdefault(_KEYS, {})
    plain = Cursor(session)
    missing = plain.keys(UUID(person) for person in people if person not in known)
    for key, wrapped in plain.rows(_WRAPPED.format(plain.any_of("id")), missing):
        if wrapped is not None:
            person = str(plain.uuid(key))
            known[person] = keyring.unwrap(bytes(wrapped), person)
