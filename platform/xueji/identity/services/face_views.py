"""The only way to a face for a person: a look is recorded first, and only what was looked at can be opened.

Every look leaves a mark that the owner of the face can read.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from xueji.identity import vault
from xueji.identity.leaves import FaceViewed
from xueji.identity.models import FaceView, ReferencePhoto
from xueji.identity.queries import is_herself
from xueji.identity.services.acting import Acting
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.context import Context
from xueji.kernel.crypto import Keyring, Unreadable
from xueji.kernel.errors import NotFound
from xueji.trace.leaf import Entry
from xueji.trace.rules import PLATFORM
from xueji.trace.services import record_many


@dataclass(frozen=True)
class FacePicture:
    """A picture of a face as it lies in the store."""

    id: UUID
    person_id: UUID
    """Whose face it is."""
    path: str
    field: str
    """The place in her file it was sealed for."""

    @classmethod
    def of_reference(cls, photo: ReferencePhoto) -> FacePicture:
        return cls(photo.id, photo.person_id, photo.path or "", vault.photo_field(photo.id))


@dataclass(frozen=True)
class RecordedLook:
    """A picture that somebody looks at, the look being recorded. Made by `record_look` and by nothing else."""

    picture: FacePicture


def record_look(
    session: Session, keyring: Keyring, *, viewer: Actor, picture: FacePicture, purpose: str, chain: str
) -> RecordedLook:
    """Note that ``viewer`` sees a picture now; needs a session that writes.

    ``purpose`` is a word (``audit``, ``review``, ``confirm``, ``duplicate``, ``own``), ``chain`` the enrolment the
    picture belongs to or `trace.rules.PLATFORM`.
    """
    session.add(
        FaceView(
            person_id=picture.person_id,
            viewer_id=viewer.person_id,
            viewer_organisation_id=viewer.organisation_id,
            picture=str(picture.id),
            purpose=purpose,
            viewed_at=clock.now(),
        )
    )
    looked = FaceViewed(picture=str(picture.id), purpose=purpose)
    acting = Acting.of(session, keyring, viewer)
    if chain != PLATFORM:
        entry = acting.in_enrolment(session, looked, enrolment_id=UUID(chain), person_id=picture.person_id)
    elif not is_herself(session, picture.person_id, viewer.person_id):
        entry = acting.in_office(session, looked)
    else:
        entry = Entry(looked, PLATFORM, keyring.pseudonym(viewer.person_id, PLATFORM))
    record_many(session, [entry])
    return RecordedLook(picture)


def open_seen(session: Session, context: Context, seen: RecordedLook) -> bytes:
    """The picture as it was taken. Raises NotFound when it is gone, Erased."""
    picture = seen.picture
    key = vault.person_key(session, context.keyring, picture.person_id)
    try:
        return vault.unseal(key, picture.person_id, picture.field, context.store.get(picture.path))
    except (FileNotFoundError, Unreadable) as error:
        raise NotFound from error


def show_picture(
    session: Session, context: Context, *, viewer: Actor, picture: FacePicture, purpose: str, chain: str
) -> bytes:
    """Record the look and open the picture. Raises NotFound, Erased."""
    seen = record_look(session, context.keyring, viewer=viewer, picture=picture, purpose=purpose, chain=chain)
    return open_seen(session, context, seen)
