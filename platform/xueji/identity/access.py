"""Who may see whom: the only way to get a person, a session or a photo for somebody. What is not hers is not found."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from xueji.identity.models import (
    DuplicateFlag,
    FileJoining,
    LoginSession,
    Membership,
    Organisation,
    Person,
    ReferencePhoto,
)
from xueji.identity.queries.files import is_herself
from xueji.identity.queries.joinings import may_decide
from xueji.identity.regions import within
from xueji.identity.rules import PhotoState, in_jurisdiction
from xueji.kernel.actor import Actor, Role
from xueji.kernel.errors import NotFound

__all__ = [
    "access_duplicate_photo",
    "access_login_session",
    "access_organisation",
    "access_person",
    "access_reference_photo",
    "in_jurisdiction",
]


def access_person(session: Session, actor: Actor, person_id: UUID) -> Person:
    """Herself; members of the own organisation; members of organisations in the jurisdiction; everybody.

    In this order for a trainee, staff of an institution or enterprise, a regulator, an administrator. Raises NotFound.
    """
    person = session.get(Person, person_id)
    if person is None or not (
        is_herself(session, person_id, actor.person_id)
        or actor.is_(Role.ADMINISTRATOR)
        or (actor.is_(Role.INSTITUTION, Role.ENTERPRISE) and _is_member(session, person_id, actor.organisation_id))
        or (actor.is_(Role.REGULATOR) and _in_jurisdiction(session, person_id, actor.region))
    ):
        raise NotFound
    return person


def access_organisation(session: Session, actor: Actor, organisation_id: UUID) -> Organisation:
    """The own one; those in the jurisdiction; for an administrator, any. Raises NotFound."""
    found = session.get(Organisation, organisation_id)
    if found is None or not (
        actor.is_(Role.ADMINISTRATOR)
        or organisation_id == actor.organisation_id
        or (actor.is_(Role.REGULATOR) and in_jurisdiction(actor.region or "", found.region))
    ):
        raise NotFound
    return found


def access_login_session(session: Session, actor: Actor, login_session_id: UUID) -> LoginSession:
    """One's own. Raises NotFound."""
    found = session.get(LoginSession, login_session_id)
    if found is None or found.person_id != actor.person_id:
        raise NotFound
    return found


def access_reference_photo(session: Session, actor: Actor, photo_id: UUID) -> ReferencePhoto:
    """One's own, while it is stored; staff see reference photos only through a duplicate flag. Raises NotFound."""
    found = session.get(ReferencePhoto, photo_id)
    if (
        found is None
        or found.state is not PhotoState.STORED
        or not is_herself(session, found.person_id, actor.person_id)
    ):
        raise NotFound
    return found


def access_duplicate_photo(session: Session, actor: Actor, flag_id: UUID, photo_id: UUID) -> ReferencePhoto:
    """One of the two photos of a flag that nobody has decided on, for an administrator, or for the regulator who is to
    decide on the joining it led to. Raises NotFound."""
    flag = session.get(DuplicateFlag, flag_id)
    if (
        flag is None
        or flag.decided_at is not None
        or not (actor.is_(Role.ADMINISTRATOR) or _decides(session, actor, flag))
    ):
        raise NotFound
    photo = session.get(ReferencePhoto, photo_id) if photo_id in (flag.photo_id, flag.other_photo_id) else None
    if photo is None or photo.state is not PhotoState.STORED:
        raise NotFound
    return photo


def _decides(session: Session, actor: Actor, flag: DuplicateFlag) -> bool:
    waiting = select(FileJoining).where(FileJoining.flag_id == flag.id, FileJoining.decided_at.is_(None))
    return any(may_decide(session, each, actor) for each in session.scalars(waiting))


def _is_member(session: Session, person_id: UUID, organisation_id: UUID | None) -> bool:
    if organisation_id is None:
        return False
    membership = exists().where(Membership.person_id == person_id, Membership.organisation_id == organisation_id)
    return bool(session.scalar(select(membership)))


def _in_jurisdiction(session: Session, person_id: UUID, region: str | None) -> bool:
    member = (
        select(Membership.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.person_id == person_id, within(region, Organisation.region))
    )
    return session.scalar(member.limit(1)) is not None
