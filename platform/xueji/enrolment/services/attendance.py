"""Teaching in a room: sessions in person, and who took part for how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from xueji.enrolment.access import access_own_attendance, access_own_cohort, access_own_session
from xueji.enrolment.errors import (
    AttendanceRefused,
    AttendanceRevoked,
    CohortNotOpen,
    NotForOneself,
    ReasonNeeded,
    SessionHeld,
    SessionRefused,
)
from xueji.enrolment.models import Attendance, CohortState, Enrolment, EnrolmentState, InPersonSession
from xueji.enrolment.rules import NotAttended, Stay, attendance_refusal, session_refusal
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import NotFound
from xueji.rulebook.vocabulary import Part
from xueji.trace import services as trace
from xueji.trace.rules import Entry, Event

METHOD = "roster"
"""How attendance was established: entered by the institution's staff from the roster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPlan:
    title: str
    place: str
    teacher: str
    part: Part
    began_at: datetime
    ended_at: datetime


def add_session(session: Session, *, actor: Actor, cohort_id: UUID, plan: SessionPlan) -> InPersonSession:
    """A session of an open cohort, planned or held. Raises NotFound, CohortNotOpen, SessionRefused."""
    cohort = access_own_cohort(session, actor, cohort_id)
    if cohort.state is not CohortState.OPEN:
        raise CohortNotOpen
    days = (clock.shanghai_day(plan.began_at), clock.shanghai_day(plan.ended_at))
    why = session_refusal(plan.began_at, plan.ended_at, days=days, starts_on=cohort.starts_on, ends_on=cohort.ends_on)
    if why is not None:
        raise SessionRefused(why)
    lesson = InPersonSession(
        cohort_id=cohort.id,
        title=plan.title.strip(),
        place=plan.place.strip(),
        teacher=plan.teacher.strip(),
        part=plan.part,
        began_at=plan.began_at,
        ended_at=plan.ended_at,
    )
    session.add(lesson)
    session.flush()
    return lesson


def remove_session(session: Session, *, actor: Actor, session_id: UUID) -> None:
    """Raises NotFound, SessionHeld when attendance was ever entered for it."""
    lesson, _cohort = access_own_session(session, actor, session_id, lock=True)
    if session.scalar(select(func.count()).where(Attendance.session_id == lesson.id)):
        raise SessionHeld
    session.delete(lesson)


def record_attendance(
    session: Session, keyring: Keyring, *, actor: Actor, session_id: UUID, attended: Mapping[UUID, int]
) -> list[Attendance]:
    """Enter how long each enrolment (by id) took part, in milliseconds: all of the roster or none of it.

    Raises NotFound (the session, or somebody of another cohort), CohortNotOpen, NotForOneself, AttendanceRefused.
    """
    lesson, cohort = access_own_session(session, actor, session_id, lock=True)
    if cohort.state is not CohortState.OPEN:
        raise CohortNotOpen
    roster = _locked_roster(session, lesson.cohort_id, list(attended))
    if any(enrolment.person_id == actor.person_id for enrolment in roster.values() if enrolment.id in attended):
        raise NotForOneself
    elsewhere = _stays(session, [enrolment.person_id for enrolment in roster.values()])
    stay, now = Stay(lesson.id, lesson.began_at, lesson.ended_at), clock.now()
    refused: list[tuple[UUID, NotAttended]] = []
    for enrolment_id, ms in attended.items():
        enrolment = roster[enrolment_id]
        active = enrolment.state is EnrolmentState.ACTIVE
        why = attendance_refusal(stay, ms, elsewhere.get(enrolment.person_id, ()), active=active, now=now)
        if why is not None:
            refused.append((enrolment_id, why))
    if refused:
        raise AttendanceRefused(refused)
    entered = [
        Attendance(session_id=lesson.id, enrolment_id=enrolment_id, ms=ms, recorded_at=now, recorded_by=actor.person_id)
        for enrolment_id, ms in attended.items()
    ]
    session.add_all(entered)
    session.flush()
    trace.record_many(session, [_entry(keyring, actor, lesson, attendance) for attendance in entered])
    return entered


def revoke_attendance(
    session: Session, keyring: Keyring, *, actor: Actor, attendance_id: UUID, reason: str
) -> Attendance:
    """Take an attendance back; it may be entered anew. Raises NotFound, AttendanceRevoked, ReasonNeeded."""
    attendance, lesson = access_own_attendance(session, actor, attendance_id)
    if attendance.revoked_at is not None:
        raise AttendanceRevoked
    if not reason.strip():
        raise ReasonNeeded
    attendance.revoked_at, attendance.revoked_by = clock.now(), actor.person_id
    attendance.revoked_reason = reason.strip()[:500]
    session.flush()
    chain = str(attendance.enrolment_id)
    commitment = trace.commit(session, attendance.revoked_reason, chain=chain, field="reason")
    trace.record(
        session,
        event=Event.ATTENDANCE_REVOKE,
        chain=chain,
        who=keyring.pseudonym(actor.person_id, attendance.enrolment_id),
        values={"session": str(lesson.id), "reason": commitment},
    )
    return attendance


def _entry(keyring: Keyring, actor: Actor, lesson: InPersonSession, attendance: Attendance) -> Entry:
    values = {
        "session": str(lesson.id),
        "part": lesson.part.value,
        "began": clock.to_ms(lesson.began_at),
        "ended": clock.to_ms(lesson.ended_at),
        "ms": attendance.ms,
        "method": METHOD,
    }
    who = keyring.pseudonym(actor.person_id, attendance.enrolment_id)
    return Entry(Event.ATTENDANCE, str(attendance.enrolment_id), who, values)


def _locked_roster(session: Session, cohort_id: UUID, enrolment_ids: Sequence[UUID]) -> dict[UUID, Enrolment]:
    """Those of the cohort that are meant, by id. Every enrolment of their persons is locked, in one order for
    everybody, so that nobody enters the same person elsewhere meanwhile. Raises NotFound."""
    persons = select(Enrolment.person_id).where(Enrolment.id.in_(enrolment_ids), Enrolment.cohort_id == cohort_id)
    locked = session.scalars(
        select(Enrolment).where(Enrolment.person_id.in_(persons)).order_by(Enrolment.id).with_for_update()
    )
    roster = {enrolment.id: enrolment for enrolment in locked if enrolment.cohort_id == cohort_id}
    if any(enrolment_id not in roster for enrolment_id in enrolment_ids):
        raise NotFound
    return roster


def _stays(session: Session, person_ids: Sequence[UUID]) -> dict[UUID, list[Stay]]:
    """Where each person was by the attendances that count, in any cohort."""
    found = session.execute(
        select(Enrolment.person_id, InPersonSession.id, InPersonSession.began_at, InPersonSession.ended_at)
        .join(Attendance, Attendance.enrolment_id == Enrolment.id)
        .join(InPersonSession, InPersonSession.id == Attendance.session_id)
        .where(Enrolment.person_id.in_(person_ids), Attendance.revoked_at.is_(None))
    )
    stays: dict[UUID, list[Stay]] = {}
    for person_id, session_id, began, ended in found:
        stays.setdefault(person_id, []).append(Stay(session_id, began, ended))
    return stays
