"""Planning to teach in a room: where, when and by whom, recorded before it is held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from xueji.enrolment.access import access_own_cohort, access_own_session
from xueji.enrolment.errors import CohortNotOpen, SessionHeld, SessionRefused
from xueji.enrolment.models import Attendance, CohortState, InPersonSession
from xueji.enrolment.rules import session_refusal
from xueji.identity.services.acting import record_in_office
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.crypto import Keyring
from xueji.rulebook.vocabulary import Part
from xueji.trace import services as trace
from xueji.trace.rules import COHORT, Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPlan:
    title: str
    place: str
    teacher: str
    part: Part
    began_at: datetime
    ended_at: datetime


def add_session(
    session: Session, keyring: Keyring, *, actor: Actor, cohort_id: UUID, plan: SessionPlan
) -> InPersonSession:
    """A session of an open cohort, recorded in the cohort's chain at once: afterwards it shows what was planned before.

    Raises NotFound, CohortNotOpen, SessionRefused.
    """
    cohort = access_own_cohort(session, actor, cohort_id)
    if cohort.state is not CohortState.OPEN or cohort.opened_at is None:
        raise CohortNotOpen
    # The day of its last instant: a session may end at midnight, when the next day begins.
    last = plan.ended_at - timedelta(milliseconds=1)
    why = session_refusal(
        plan.began_at,
        plan.ended_at,
        opened=cohort.opened_at,
        days=(clock.shanghai_day(plan.began_at), clock.shanghai_day(last)),
        starts_on=cohort.starts_on,
        ends_on=cohort.ends_on,
    )
    if why is not None:
        raise SessionRefused(why)
    lesson = InPersonSession(
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
    lesson.plan_leaf = _record(session, keyring, actor, lesson, Event.SESSION_PLAN, _planned(session, lesson))
    session.add(lesson)
    session.flush()
    return lesson


def remove_session(session: Session, keyring: Keyring, *, actor: Actor, session_id: UUID) -> None:
    """Cancel one, recorded. Raises NotFound, SessionHeld when attendance was ever entered for it."""
    lesson, _cohort = access_own_session(session, actor, session_id, lock=True)
    if session.scalar(select(func.count()).where(Attendance.session_id == lesson.id)):
        raise SessionHeld
    _record(session, keyring, actor, lesson, Event.SESSION_CANCEL, {"session": str(lesson.id)})
    session.delete(lesson)


def _planned(session: Session, lesson: InPersonSession) -> dict[str, Any]:
    chain = _chain(lesson)
    return {
        "session": str(lesson.id),
        "part": lesson.part.value,
        "begins": clock.to_ms(lesson.began_at),
        "ends": clock.to_ms(lesson.ended_at),
        "title": trace.commit(session, lesson.title, chain=chain, field="title"),
        "place": trace.commit(session, lesson.place, chain=chain, field="place"),
        "teacher": trace.commit(session, lesson.teacher, chain=chain, field="teacher"),
    }


def _record(
    session: Session, keyring: Keyring, actor: Actor, lesson: InPersonSession, event: Event, values: dict[str, Any]
) -> str:
    """The hash of the leaf."""
    return record_in_office(session, keyring, actor=actor, event=event, values=values, chain=_chain(lesson)).hex


def _chain(lesson: InPersonSession) -> str:
    return f"{COHORT}{lesson.cohort_id}"
