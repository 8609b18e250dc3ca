"""Every look at a face leaves a mark that its owner can read."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from xueji.identity.models import FaceView
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.crypto import Keyring
from xueji.trace.rules import Event
from xueji.trace.services import record


def record_face_view(
    session: Session, keyring: Keyring, *, viewer: Actor, person_id: UUID, picture: str, purpose: str, chain: str
) -> None:
    """Note that ``viewer`` sees a picture of ``person_id`` now; needs a session that writes.

    ``picture`` is its id, ``purpose`` a word (``audit``, ``review``, ``duplicate``, ``own``), ``chain`` the enrolment
    the picture belongs to or `trace.rules.PLATFORM`.
    """
    session.add(
        FaceView(
            person_id=person_id,
            viewer_id=viewer.person_id,
            viewer_organisation_id=viewer.organisation_id,
            picture=picture,
            purpose=purpose,
            viewed_at=clock.now(),
        )
    )
    who = keyring.pseudonym(viewer.person_id, chain)
    record(session, event=Event.FACE_VIEW, chain=chain, who=who, values={"picture": picture, "purpose": purpose})
