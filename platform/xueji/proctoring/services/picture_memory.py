"""What pictures that answered a check are known again by, so that none answers another.

It serves that purpose alone. Exact copies are known by a keyed hash, across people too; what merely looks alike is kept
under her own key, compared with her own answers only, and forgotten when her face checks end.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from media_pipeline.verdict import PictureHash
from xueji.identity import queries as identity
from xueji.identity import vault
from xueji.identity.errors import Erased
from xueji.kernel.crypto import Keyring, Unreadable
from xueji.proctoring.models import Attempt, Picture

MOST_EARLIER = 300
"""Pictures of the same person that a new one is compared with, the newest."""
_EXACT, _ALIKE = "check picture", "check likeness"
_DIGITS = 64


def mark(keyring: Keyring, sha256: str) -> str:
    """How a picture's bytes are known again, without the key to nobody."""
    return keyring.keyed_hash(_EXACT, sha256).hex()


def likeness_mark(keyring: Keyring, perceptual: str) -> str:
    return keyring.keyed_hash(_ALIKE, perceptual).hex()


def keep(keyring: Keyring, key: bytes, picture: Picture, known: PictureHash) -> None:
    """Remember what the judge read of a picture."""
    if known.perceptual:
        picture.likeness_mark = likeness_mark(keyring, known.perceptual)
    if known.perceptual or known.memory:
        plain = known.perceptual.ljust(_DIGITS).encode() + known.memory
        picture.likeness = vault.seal(key, picture.person_id, _field(picture.id), plain)


def earlier(
    session: Session, keyring: Keyring, key: bytes, attempt: Attempt, shown: Iterable[str]
) -> tuple[PictureHash, ...]:
    """What she showed before this attempt, for the judge; ``shown`` are the SHA-256 of its own pictures.

    The judge knows pictures by plain hashes; here only the keyed ones are kept, so those of the pictures at hand are
    the only ones that can be told.
    """
    person_id = attempt.pictures[0].person_id
    keys: dict[UUID, bytes | None] = {person_id: key}
    plain = {mark(keyring, digest): digest for digest in shown}
    hers = (identity.same_person(Picture.person_id, person_id), Picture.attempt_id != attempt.id)
    rows = session.execute(
        select(Picture.id, Picture.person_id, Picture.mark, Picture.likeness)
        .join(Attempt, Attempt.id == Picture.attempt_id)
        .where(*hers)
        .order_by(Attempt.answered_ms.desc(), Picture.position)
        .limit(MOST_EARLIER)
    ).all()
    found = []
    for picture_id, file_id, kept, likeness in rows:
        if file_id not in keys:
            keys[file_id] = _key(session, keyring, file_id)
        found.append(PictureHash(plain.get(kept or "", ""), *_opened(keys[file_id], file_id, picture_id, likeness)))
    # However long ago: one copy of the same bytes is enough.
    again = session.scalars(select(Picture.mark).where(Picture.mark.in_(plain), *hers))
    return (*found, *(PictureHash(plain[kept], "") for kept in set(again) if kept is not None))


def _key(session: Session, keyring: Keyring, file_id: UUID) -> bytes | None:
    """Of another file of the same person; None when it was erased."""
    try:
        return vault.person_key(session, keyring, file_id)
    except Erased:
        return None


def _opened(key: bytes | None, person_id: UUID, picture_id: UUID, sealed: bytes | None) -> tuple[str, bytes]:
    """Likeness and memory of a movement. What cannot be opened is no longer remembered."""
    if sealed is None or key is None:
        return "", b""
    try:
        plain = vault.unseal(key, person_id, _field(picture_id), sealed)
    except Unreadable:
        return "", b""
    return plain[:_DIGITS].decode().strip(), plain[_DIGITS:]


def forget(session: Session, person_id: UUID) -> None:
    """Her face checks ended: nothing is compared any more, so nothing is remembered."""
    hers = identity.same_person(Picture.person_id, person_id)
    nothing = {"mark": None, "likeness_mark": None, "likeness": None}
    session.execute(update(Picture).where(hers).values(nothing).execution_options(synchronize_session=False))


def _field(picture_id: UUID) -> str:
    return f"check/{picture_id}/likeness"
