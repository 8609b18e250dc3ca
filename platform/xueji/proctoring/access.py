"""The only way to a check, a picture or a check-in for somebody: hers to see, or not found."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.cohorts.access import access_own_cohort
from xueji.enrolment.access import access_enrolment
from xueji.enrolment.models import Enrolment
from xueji.identity.models import Person
from xueji.identity.queries import is_herself
from xueji.kernel.actor import Actor, Role
from xueji.kernel.errors import NotFound
from xueji.occasions.hosts import locked_occasion
from xueji.proctoring.errors import PictureOver
from xueji.proctoring.models import Attempt, Check, CheckIn, Picture


def access_own_check(session: Session, actor: Actor, check_id: UUID, *, lock: bool = False) -> Check:
    """To answer or contest: one's own. Raises NotFound.

    Locked after its person and its occasion: in the order in which sittings are opened, which may take a waiting check
    along, and in that of the beat path, so that no two of them wait for each other.
    """
    check = session.get(Check, check_id)
    if check is None or not is_herself(session, check.person_id, actor.person_id):
        raise NotFound
    if lock:
        session.execute(select(Person.id).where(Person.id == actor.person_id).with_for_update())
        session.refresh(check)
        locked_occasion(session, *check.asked_in)
        check = session.get_one(Check, check_id, with_for_update=True, populate_existing=True)
    return check


def access_check_to_review(session: Session, actor: Actor, check_id: UUID) -> Check:
    """To decide: the institution that holds the cohort and the regulators above it, never the trainee herself.

    Raises NotFound.
    """
    check = session.get(Check, check_id, with_for_update=True)
    if check is None or not actor.is_(Role.INSTITUTION, Role.REGULATOR):
        raise NotFound
    if is_herself(session, check.person_id, actor.person_id):
        raise NotFound
    access_enrolment(session, actor, check.enrolment_id)
    return check


def may_see_faces(session: Session, actor: Actor, person_id: UUID) -> bool:
    """Of an enrolment that the actor may see: whether its pictures too. No employer ever may."""
    return actor.is_(Role.INSTITUTION, Role.REGULATOR) or is_herself(session, actor.person_id, person_id)


def access_picture(session: Session, actor: Actor, picture_id: UUID) -> tuple[Picture, Check]:
    """To see a face: the trainee herself, the institution of the cohort, the regulator above it; no employer.

    Raises NotFound, PictureOver. Whoever gets one has the look recorded first.
    """
    picture = session.get(Picture, picture_id)
    if picture is None:
        raise NotFound
    check = session.get_one(Check, session.get_one(Attempt, picture.attempt_id).check_id)
    if not may_see_faces(session, actor, picture.person_id):
        raise NotFound
    access_enrolment(session, actor, check.enrolment_id)
    if picture.deleted_ms is not None:
        raise PictureOver
    return picture, check


def access_check_in(session: Session, actor: Actor, check_in_id: UUID) -> CheckIn:
    """To confirm or close: staff of the institution that holds the cohort. Raises NotFound."""
    here = session.get(CheckIn, check_in_id, with_for_update=True)
    if here is None:
        raise NotFound
    enrolment = session.get_one(Enrolment, here.enrolment_id)
    access_own_cohort(session, actor, enrolment.cohort_id)
    return here


def access_check_in_to_strike(session: Session, actor: Actor, check_in_id: UUID) -> CheckIn:
    """To strike or restore: the institution that holds the cohort, or its regulator. Raises NotFound."""
    here = session.get(CheckIn, check_in_id, with_for_update=True)
    if here is None or not actor.is_(Role.INSTITUTION, Role.REGULATOR):
        raise NotFound
    if is_herself(session, here.person_id, actor.person_id):
        raise NotFound
    access_enrolment(session, actor, here.enrolment_id)
    return here
