"""What is kept of a person so that only her own key opens it."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.identity.errors import Erased
from xueji.identity.models import Person
from xueji.kernel import crypto
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import NotFound

NAME = "name"
ID_NUMBER = "id_number"
TOTP = "totp"


def person_key(session: Session, keyring: Keyring, person_id: UUID) -> bytes:
    """The 32-byte key of everything personal about somebody. Raises NotFound, Erased."""
    row = session.execute(select(Person.wrapped_key).where(Person.id == person_id)).first()
    if row is None:
        raise NotFound
    return opened_key(keyring, person_id, row.wrapped_key)


def opened_key(keyring: Keyring, person_id: UUID, wrapped: bytes | None) -> bytes:
    """Raises Erased, crypto.Unreadable."""
    if wrapped is None:
        raise Erased
    return keyring.unwrap(wrapped, str(person_id))


def seal(key: bytes, person_id: UUID, field: str, value: bytes) -> bytes:
    """The place is part of the seal: a value moved to another person or field does not open."""
    return crypto.encrypt(key, value, _place(person_id, field))


def unseal(key: bytes, person_id: UUID, field: str, sealed: bytes) -> bytes:
    """Raises crypto.Unreadable."""
    return crypto.decrypt(key, sealed, _place(person_id, field))


def photo_field(photo_id: UUID) -> str:
    return f"reference/{photo_id}"


def reset_field(request_id: UUID, part: str) -> str:
    return f"reset/{request_id}/{part}"


class Named(NamedTuple):
    name: str
    number: str


def named(session: Session, keyring: Keyring, person_id: UUID) -> Named:
    """Her name and number as they stand. Raises NotFound, Erased."""
    key = person_key(session, keyring, person_id)
    row = session.execute(select(Person.name_cipher, Person.id_number_cipher).where(Person.id == person_id)).one()
    return Named(
        unseal(key, person_id, NAME, row.name_cipher).decode(),
        unseal(key, person_id, ID_NUMBER, row.id_number_cipher).decode(),
    )


def correction_field(correction_id: UUID, part: str) -> str:
    return f"correction/{correction_id}/{part}"


def joining_field(joining_id: UUID) -> str:
    return f"joining/{joining_id}"


def template_field(photo_id: UUID) -> str:
    return f"template/{photo_id}"


def decision_field(photo_id: UUID) -> str:
    return f"reference/{photo_id}/decision"


def _place(person_id: UUID, field: str) -> bytes:
    return f"person/{person_id}/{field}".encode()


PICTURE_TYPES = ("image/jpeg", "image/png", "image/webp")
"""The media types of pictures that are ever stored."""


def picture_type(picture: bytes) -> str:
    """The media type of a stored picture, by its first bytes; one of `PICTURE_TYPES`."""
    if picture.startswith(b"\x89PNG"):
        return "image/png"
    return "image/webp" if picture[8:12] == b"WEBP" else "image/jpeg"
