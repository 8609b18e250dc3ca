"""Staff hold a reference photo against the identity document: one click, recorded, and to be put right by another."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.identity import vault
from xueji.identity.errors import AnotherPersonNeeded, PhotoDecided
from xueji.identity.events import ReferenceChange, ReferenceChanged
from xueji.identity.leaves import ReferenceConfirmed, ReferenceRefused
from xueji.identity.models import PhotoDecision, ReferencePhoto
from xueji.identity.queries import is_herself
from xueji.identity.rules import PhotoStanding, PhotoState
from xueji.identity.services.recording import record_of_person
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import Forbidden, NotFound
from xueji.kernel.events import Events


def decide_photo(
    session: Session,
    keyring: Keyring,
    events: Events,
    *,
    photo: ReferencePhoto,
    confirmed: bool,
    actor: Actor,
    reason: str = "",
) -> PhotoDecision:
    """Confirm that a photo shows her, or refuse it with a reason. Who may, `enrolment.access` has decided.

    What somebody decided, only another person may turn round. Raises Forbidden for one's own photo, NotFound for one
    that is deleted, PhotoDecided, AnotherPersonNeeded, Erased.
    """
    if is_herself(session, photo.person_id, actor.person_id):
        raise Forbidden
    if photo.state is not PhotoState.STORED:
        raise NotFound
    wanted = PhotoStanding.CONFIRMED if confirmed else PhotoStanding.REFUSED
    if photo.standing is wanted:
        raise PhotoDecided
    last = session.scalar(
        select(PhotoDecision)
        .where(PhotoDecision.photo_id == photo.id)
        .order_by(PhotoDecision.decided_at.desc(), PhotoDecision.id)
        .limit(1)
    )
    if last is not None and last.decided_by == actor.person_id:
        raise AnotherPersonNeeded
    key = vault.person_key(session, keyring, photo.person_id)
    decision = PhotoDecision(
        photo_id=photo.id,
        decided_by=actor.person_id,
        organisation_id=actor.organisation_id,
        decided_at=clock.now(),
        confirmed=confirmed,
        reason_cipher=vault.seal(key, photo.person_id, vault.decision_field(photo.id), reason.encode())
        if reason
        else None,
    )
    session.add(decision)
    photo.standing = wanted
    if not confirmed:
        _take_back_what_it_vouched_for(session, photo)
    session.flush()
    change = ReferenceChange.CONFIRM if confirmed else ReferenceChange.REFUSE
    events.publish(ReferenceChanged(session, change, photo, actor.person_id, reason=reason))
    leaf = ReferenceConfirmed if confirmed else ReferenceRefused
    record_of_person(session, keyring, leaf(photo=str(photo.id), sha256=photo.sha256), actor.person_id)
    return decision


def _take_back_what_it_vouched_for(session: Session, photo: ReferencePhoto) -> None:
    alike = select(ReferencePhoto).where(
        ReferencePhoto.person_id == photo.person_id, ReferencePhoto.standing == PhotoStanding.ALIKE
    )
    for each in session.scalars(alike):
        each.standing = PhotoStanding.UNCONFIRMED
