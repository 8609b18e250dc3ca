"""Reads about class sessions and who took part in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from xueji.attendance.models import Attendance, ClassSession
from xueji.cohorts.models import Cohort
from xueji.enrolment.models import Enrolment, EnrolmentState
from xueji.enrolment.roster_queries import MOST_ON_PAPER, PER_PAGE, RosterLine, chosen_page, everybody
from xueji.identity.queries import same_person
from xueji.kernel import clock
from xueji.kernel.crypto import Keyring
from xueji.rulebook.attendance import denial_ends_ms
from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.vocabulary import HerWord


@dataclass(frozen=True, slots=True)
class ClassSessionLine:
    """A class session with how many took part in it."""

    session: ClassSession
    attended: int

    @property
    def ms(self) -> int:
        """How long it lasts, as planned (ms)."""
        return (self.session.ended_at - self.session.began_at) // timedelta(milliseconds=1)


def class_session_lines(session: Session, cohort_id: UUID, page: int) -> tuple[list[ClassSessionLine], int]:
    """A page of a cohort's class sessions, in the order of their days, and how many there are."""
    total = session.scalar(select(func.count(ClassSession.id)).where(ClassSession.cohort_id == cohort_id)) or 0
    found = session.execute(
        select(ClassSession, func.count(Attendance.id))
        .outerjoin(
            Attendance,
            (Attendance.session_id == ClassSession.id) & Attendance.revoked_at.is_(None) & Attendance.absent.is_(False),
        )
        .where(ClassSession.cohort_id == cohort_id)
        .group_by(ClassSession.id)
        .order_by(ClassSession.began_at, ClassSession.id)
        .limit(PER_PAGE)
        .offset((page - 1) * PER_PAGE)
    )
    return [ClassSessionLine(class_session, attended) for class_session, attended in found], total


def class_session_page(
    session: Session, keyring: Keyring, class_session: ClassSession, text: str, page: int, *, missing: bool = False
) -> tuple[list[RosterLine], int]:
    """A page of those whom a session concerns and the text finds, or of those ``missing`` in its list; how many."""
    chosen = _concerned(class_session)
    if missing:
        chosen = chosen.where(~_entered(class_session))
    return chosen_page(session, keyring, class_session.cohort_id, chosen, text, page)


def class_session_sheet(
    session: Session, keyring: Keyring, class_session: ClassSession, page: int
) -> tuple[list[RosterLine], int]:
    """A sheet of those whom a session concerns, to be printed; and how many they are."""
    chosen = _concerned(class_session)
    return chosen_page(session, keyring, class_session.cohort_id, chosen, "", page, MOST_ON_PAPER)


@dataclass(frozen=True, slots=True)
class AttendanceCounts:
    """How far the list of one session is."""

    everybody: int
    entered: int
    present: int


def attendance_counts(session: Session, class_session: ClassSession) -> AttendanceCounts:
    """Over the whole list, whatever a page of it shows."""
    concerned = session.scalar(select(func.count()).select_from(_concerned(class_session).order_by(None).subquery()))
    entered, absent = session.execute(
        select(func.count(), func.count().filter(Attendance.absent)).where(
            Attendance.session_id == class_session.id, Attendance.revoked_at.is_(None)
        )
    ).one()
    return AttendanceCounts(concerned or 0, entered, entered - absent)


def _concerned(class_session: ClassSession) -> Select[Enrolment, str]:
    """Who studies in its cohort, and whoever was entered while she did."""
    return everybody(class_session.cohort_id).where(
        or_(Enrolment.state == EnrolmentState.ACTIVE, _entered(class_session))
    )


def _entered(class_session: ClassSession) -> ColumnElement[bool]:
    return (
        select(Attendance.id)
        .where(
            Attendance.session_id == class_session.id,
            Attendance.enrolment_id == Enrolment.id,
            Attendance.revoked_at.is_(None),
        )
        .exists()
    )


def attendances(session: Session, session_id: UUID, enrolment_ids: Collection[UUID]) -> dict[UUID, Attendance]:
    """Of one session, those that count, by enrolment."""
    found = session.scalars(
        select(Attendance).where(
            Attendance.session_id == session_id,
            Attendance.enrolment_id.in_(enrolment_ids),
            Attendance.revoked_at.is_(None),
        )
    )
    return {attendance.enrolment_id: attendance for attendance in found}


def revoked_attendances(session: Session, session_id: UUID, enrolment_ids: Collection[UUID]) -> set[UUID]:
    """Whose attendance of a session was taken back, by enrolment."""
    return set(
        session.scalars(
            select(Attendance.enrolment_id).where(
                Attendance.session_id == session_id,
                Attendance.enrolment_id.in_(enrolment_ids),
                Attendance.revoked_at.is_not(None),
            )
        )
    )


@dataclass(frozen=True, slots=True)
class OwnElsewhere:
    """Where she was recorded meanwhile, as she herself may know."""

    from_ms: int
    to_ms: int
    cohort: str
    session: str | None
    """Title of the class session; None for study online."""


@dataclass(frozen=True, slots=True)
class OwnAttendance:
    """An attendance as the trainee sees it."""

    attendance: Attendance
    session: ClassSession
    cohort: str
    elsewhere: tuple[OwnElsewhere, ...]
    deny_until: datetime | None
    """Until when she may say that she was not there; None when she no longer may."""


def attendance_of(session: Session, person_id: UUID, page: int) -> tuple[list[OwnAttendance], int]:
    """A page of what was entered for somebody in all her enrolments and not taken back, the newest first; how much."""
    chosen = (
        select(Attendance, ClassSession, Cohort)
        .join(ClassSession, ClassSession.id == Attendance.session_id)
        .join(Enrolment, Enrolment.id == Attendance.enrolment_id)
        .join(Cohort, Cohort.id == Enrolment.cohort_id)
        .where(same_person(Enrolment.person_id, person_id), Attendance.revoked_at.is_(None))
    )
    total = session.scalar(chosen.with_only_columns(func.count(Attendance.id))) or 0
    latest = chosen.order_by(ClassSession.began_at.desc(), ClassSession.id)
    rows = session.execute(latest.limit(PER_PAGE).offset((page - 1) * PER_PAGE)).all()
    found = [(attendance, class_session, cohort) for attendance, class_session, cohort in rows]
    cohorts, sessions = _titles(session, [each for attendance, _, _ in found for each in attendance.overlaps])
    now = clock.now()
    lines = []
    for attendance, class_session, cohort in found:
        until = clock.from_ms(
            denial_ends_ms(ProctoringPlan.from_dict(cohort.plan), clock.to_ms(attendance.recorded_at))
        )
        elsewhere = tuple(
            OwnElsewhere(
                each["from_ms"],
                each["to_ms"],
                cohorts.get(each["enrolment"], ""),
                sessions.get(each["session"]) if each["session"] else None,
            )
            for each in attendance.overlaps
        )
        lines.append(OwnAttendance(attendance, class_session, cohort.title, elsewhere, until if now < until else None))
    return lines, total


def _titles(session: Session, overlaps: Sequence[Mapping[str, Any]]) -> tuple[dict[str, str], dict[str, str]]:
    """Titles of cohorts by enrolment, and of sessions."""
    enrolments = {UUID(each["enrolment"]) for each in overlaps}
    sessions = {UUID(each["session"]) for each in overlaps if each["session"]}
    cohorts = session.execute(
        select(Enrolment.id, Cohort.title)
        .join(Cohort, Cohort.id == Enrolment.cohort_id)
        .where(Enrolment.id.in_(enrolments))
    )
    titles = session.execute(select(ClassSession.id, ClassSession.title).where(ClassSession.id.in_(sessions)))
    return {str(key): title for key, title in cohorts}, {str(key): title for key, title in titles}


def class_sessions_by_id(session: Session, session_ids: Iterable[str]) -> dict[str, ClassSession]:
    """Class sessions by their ids as a statement writes them."""
    found = session.scalars(select(ClassSession).where(ClassSession.id.in_([UUID(each) for each in session_ids])))
    return {str(each.id): each for each in found}


def to_confirm(session: Session, person_id: UUID) -> int:
    """How many attendances she has said nothing about yet."""
    chosen = (
        select(func.count(Attendance.id))
        .join(Enrolment, Enrolment.id == Attendance.enrolment_id)
        .where(
            same_person(Enrolment.person_id, person_id),
            Attendance.revoked_at.is_(None),
            Attendance.absent.is_(False),
            Attendance.word == HerWord.SILENT,
        )
    )
    return session.scalar(chosen) or 0
