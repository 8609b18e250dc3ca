"""Planning to teach in a room: where, when and by whom, recorded before it is held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from xueji.attendance.access import access_own_class_session
from xueji.attendance.errors import ClassSessionRecorded, ClassSessionRefused
from xueji.attendance.leaves import SessionCancelled, SessionPlanned
from xueji.attendance.models import Attendance, ClassSession
from xueji.attendance.rules import class_session_refusal
from xueji.cohorts.access import access_own_cohort
from xueji.cohorts.errors import CohortNotOpen
from xueji.cohorts.models import CohortState
from xueji.identity.services.acting import record_in_office
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.crypto import Keyring
from xueji.rulebook.vocabulary import Part
from xueji.trace import services as trace
from xueji.trace.leaf import OfStaff
from xueji.trace.rules import COHORT


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassSessionPlan:
    """A class session as staff plan it."""

    title: str
    place: str
    teacher: str
    part: Part
    began_at: datetime
    ended_at: datetime


def plan_class_session(
    session: Session, keyring: Keyring, *, actor: Actor, cohort_id: UUID, plan: ClassSessionPlan
) -> ClassSession:
    """A session of an open cohort, recorded in the cohort's chain at once: afterwards it shows what was planned before.

    Raises NotFound, CohortNotOpen, ClassSessionRefused.
    """
    cohort = access_own_cohort(session, actor, cohort_id)
    if cohort.state is not CohortState.OPEN or cohort.opened_at is None:
        raise CohortNotOpen
    # The day of its last instant: a session may end at midnight, when the next day begins.
    last = plan.ended_at - timedelta(milliseconds=1)
    why = class_session_refusal(
        plan.began_at,
        plan.ended_at,
        opened=cohort.opened_at,
        days=(clock.shanghai_day(plan.began_at), clock.shanghai_day(last)),
        starts_on=cohort.starts_on,
        ends_on=cohort.ends_on,
    )
    if why is not None:
        raise ClassSessionRefused(why)
    class_session = ClassSession(
        id=uuid4(),
        cohort_id=cohort.id,
        title=plan.title.strip(),
        place=plan.place.strip(),
        teacher=plan.teacher.strip(),
        part=plan.part,
        began_at=plan.began_at,
        ended_at=plan.ended_at,
        planned_at=clock.now(),
    )
    class_session.plan_leaf = _record(session, keyring, actor, class_session, _planned(session, class_session))
    session.add(class_session)
    session.flush()
    return class_session


def cancel_class_session(session: Session, keyring: Keyring, *, actor: Actor, session_id: UUID) -> None:
    """Cancel one, recorded. Raises NotFound, ClassSessionRecorded when attendance was ever entered for it."""
    class_session, _cohort = access_own_class_session(session, actor, session_id, lock=True)
    if session.scalar(select(func.count()).where(Attendance.session_id == class_session.id)):
        raise ClassSessionRecorded
    _record(session, keyring, actor, class_session, SessionCancelled(session=str(class_session.id)))
    session.delete(class_session)


def _planned(session: Session, class_session: ClassSession) -> SessionPlanned:
    chain = _chain(class_session)
    return SessionPlanned(
        session=str(class_session.id),
        part=class_session.part.value,
        begins=clock.to_ms(class_session.began_at),
        ends=clock.to_ms(class_session.ended_at),
        title=trace.commit(session, class_session.title, chain=chain, field="title"),
        place=trace.commit(session, class_session.place, chain=chain, field="place"),
        teacher=trace.commit(session, class_session.teacher, chain=chain, field="teacher"),
    )


def _record(session: Session, keyring: Keyring, actor: Actor, class_session: ClassSession, leaf: OfStaff) -> str:
    """The hash of the leaf."""
    return record_in_office(session, keyring, leaf, actor=actor, chain=_chain(class_session)).hex


def _chain(class_session: ClassSession) -> str:
    return f"{COHORT}{class_session.cohort_id}"
