"""What waits for somebody: each kind of task with how many there are, and where they are done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from courses.models import Course, Film, FilmState, Lesson
from xueji.enrolment.amendment_queries import amendments
from xueji.enrolment.models import Attendance, Cohort, CohortState, Enrolment, EnrolmentState, InPersonSession
from xueji.enrolment.reference_queries import to_confirm
from xueji.hours.queries import statements_of
from xueji.identity.queries import corrections, waiting_resets
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.crypto import Keyring
from xueji.oversight import queries, rooms
from xueji.oversight.access import seen_findings
from xueji.oversight.models import Finding
from xueji.oversight.rules import Duty, FindingState
from xueji.snapshots.queries import review_counts

ENDS_SOON = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do: how often, where, and perhaps of what."""

    duty: Duty
    count: int
    endpoint: str
    values: dict[str, Any] = field(default_factory=dict)
    of: str = ""
    """The title of a cohort."""


def tasks_of(session: Session, keyring: Keyring, actor: Actor) -> list[Task]:
    """What waits for this member of staff, in the order of `Duty`; nothing that there is none of."""
    found: list[Task] = []
    if actor.is_(Role.INSTITUTION) and actor.organisation_id is not None:
        found += _of_institution(session, actor)
    if actor.is_(Role.REGULATOR):
        found += _of_regulator(session, actor)
    if found or actor.is_(Role.INSTITUTION, Role.REGULATOR):
        found += _decisions(session, keyring, actor)
    order = list(Duty)
    return sorted((task for task in found if task.count), key=lambda task: order.index(task.duty))


def _of_institution(session: Session, actor: Actor) -> Iterator[Task]:
    assert actor.organisation_id is not None
    now = clock.now()
    today = clock.shanghai_day(now)
    contested, failed, second = review_counts(session, actor.organisation_id)
    yield Task(Duty.APPEALS, contested, "snapshots.review_queue")
    yield Task(Duty.SECOND, second, "snapshots.review_queue", {"show": "second"})
    yield Task(Duty.FAILED, failed, "snapshots.review_queue", {"show": "failed"})
    yield Task(Duty.PHOTOS, len(to_confirm(session, actor.organisation_id, today)), "enrolment.references")
    mine = (Finding.organisation_id == actor.organisation_id, Finding.state == FindingState.OPEN)
    yield from _findings(session, mine, today)
    yield from _without_attendance(session, actor, now)
    yield from _ending(session, actor, today)
    refused = (
        select(func.count(Lesson.id))
        .join(Course, Course.id == Lesson.course_id)
        .join(Film, Film.id == Lesson.film_id)
        .where(Course.organisation_id == actor.organisation_id, Film.state == FilmState.REFUSED)
    )
    yield Task(Duty.FILMS, session.scalar(refused) or 0, "courses.course_list")


def _findings(session: Session, mine: tuple[Any, ...], today: date) -> Iterator[Task]:
    """Those still to be answered, apart from those that are late already."""
    counting = select(func.count(Finding.id)).where(*mine)
    late = session.scalar(counting.where(Finding.deadline < today)) or 0
    yield Task(Duty.OVERDUE, late, "oversight.findings")
    yield Task(Duty.FINDINGS, (session.scalar(counting) or 0) - late, "oversight.findings")


def _without_attendance(session: Session, actor: Actor, now: datetime) -> Iterator[Task]:
    held = (
        select(Cohort.id, Cohort.title, func.count(InPersonSession.id))
        .join(InPersonSession, InPersonSession.cohort_id == Cohort.id)
        .where(
            Cohort.organisation_id == actor.organisation_id,
            Cohort.state != CohortState.DRAFT,
            InPersonSession.ended_at <= now,
            ~exists().where(Attendance.session_id == InPersonSession.id),
        )
        .group_by(Cohort.id, Cohort.title)
        .order_by(Cohort.title)
    )
    for cohort_id, title, count in session.execute(held):
        yield Task(Duty.ATTENDANCE, count, "enrolment.sessions", {"cohort_id": cohort_id}, title)


def _ending(session: Session, actor: Actor, today: date) -> Iterator[Task]:
    last = func.coalesce(Cohort.closes_on, Cohort.ends_on)
    soon = session.execute(
        select(Cohort.id, Cohort.title)
        .where(
            Cohort.organisation_id == actor.organisation_id,
            Cohort.state == CohortState.OPEN,
            last >= today,
            last <= today + ENDS_SOON,
        )
        .order_by(last, Cohort.title)
    ).all()
    for cohort_id, title in soon:
        active = select(Enrolment.id).where(Enrolment.cohort_id == cohort_id, Enrolment.state == EnrolmentState.ACTIVE)
        statements = statements_of(session, session.scalars(active))
        unfinished = sum(each is None or not each.complete for each in statements.values())
        yield Task(Duty.ENDING, unfinished, "hours.cohort_hours", {"cohort_id": cohort_id}, title)


def _of_regulator(session: Session, actor: Actor) -> Iterator[Task]:
    today = clock.shanghai_day(clock.now())
    seen = seen_findings(actor)
    counting = select(func.count(Finding.id)).where(seen)
    late = counting.where(Finding.state == FindingState.OPEN, Finding.deadline < today)
    yield Task(Duty.OVERDUE, session.scalar(late) or 0, "oversight.findings")
    answered = counting.where(Finding.state == FindingState.ANSWERED)
    yield Task(Duty.ANSWERS, session.scalar(answered) or 0, "oversight.findings")
    yield Task(Duty.SETTLE, len(rooms.to_settle(session, actor)), "oversight.in_rooms")
    yield Task(Duty.FLAGS, queries.overview(session, actor, today).flagged, "oversight.flags")


def _decisions(session: Session, keyring: Keyring, actor: Actor) -> Iterator[Task]:
    """Each kind by itself, for each has its page."""
    amended = sum(each.waits and each.may_decide for each in amendments(session, actor))
    yield Task(Duty.DECISIONS, amended, "enrolment.amendment_list")
    corrected = sum(each.may_decide for each in corrections(session, keyring, actor))
    yield Task(Duty.DECISIONS, corrected, "identity.corrections")
    reset = sum(each.may_confirm for each in waiting_resets(session, keyring, actor))
    yield Task(Duty.DECISIONS, reset, "identity.resets")
