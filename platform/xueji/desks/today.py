"""What waits for somebody: each kind of task with how many there are, and where they are done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import Session

from courses.models import Course, Film, FilmState, Lesson
from xueji.attendance.models import Attendance, ClassSession
from xueji.attendance.queries import to_confirm as attendances_to_confirm
from xueji.cohorts.amendment_queries import amendments
from xueji.cohorts.models import Cohort, CohortState
from xueji.desks import queries, rooms
from xueji.enrolment.models import Enrolment, EnrolmentState
from xueji.enrolment.queries import enrolments_of
from xueji.enrolment.reference_queries import to_confirm
from xueji.hours.models import HoursAccount
from xueji.hours.overview import EnrolmentOverview, LessonStanding, enrolment_overview
from xueji.hours.queries import statements_of
from xueji.hours.roster import figures_of
from xueji.identity import queries as identity
from xueji.identity.queries import corrections, waiting_resets
from xueji.identity.rules import ProofRoute
from xueji.kernel import clock
from xueji.kernel.actor import STAFF, Actor, Role
from xueji.kernel.crypto import Keyring
from xueji.oversight.access import seen_findings
from xueji.oversight.models import Finding
from xueji.oversight.rules import FindingState
from xueji.proctoring.queries import review_counts
from xueji.trace import queries as trace

ENDS_SOON = timedelta(days=7)


class Duty(StrEnum):
    """The kinds of things to do, those with the nearest clock first."""

    OVERDUE = "overdue"
    """findings whose deadline is past"""
    APPEALS = "appeals"
    FINDINGS = "findings"
    ANSWERS = "answers"
    """answers of institutions that the regulator has not looked at"""
    ATTENDANCE = "attendance"
    """sessions that are over, without an attendance"""
    SETTLE = "settle"
    """attendances that wait for the regulator"""
    ENDING = "ending"
    """people who are not finished in a cohort that ends soon"""
    SECOND = "second"
    """checks that wait for a second person"""
    PHOTOS = "photos"
    FAILED = "failed"
    DECISIONS = "decisions"
    """amendments, corrections and resets that somebody else asked for"""
    FLAGS = "flags"
    FILMS = "films"
    ROUTE = "route"
    """a trainee has not chosen how she proves who she is"""
    PHOTO = "photo"
    """a trainee on the face route has no reference photo, or has not agreed"""
    SAME_NUMBER = "same_number"
    """an organisation registered a trainee's number"""
    CONFIRM = "confirm"
    """attendances that a trainee has said nothing about"""
    MAKE_UP = "make_up"
    """lessons with something to be watched again"""
    CHECK = "check"
    """lessons watched to their end of which something waits for a check"""
    STUDY = "study"
    """lessons not yet watched to their end"""
    STAFF_ENDING = "staff_ending"
    """an enterprise's people who are not finished where a cohort ends soon"""
    STAFF_MAKE_UP = "staff_make_up"
    STAFF_UNBEGUN = "staff_unbegun"
    ALARMS = "alarms"
    """of the log"""
    DUPLICATES = "duplicates"
    JOININGS = "joinings"


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
    """What waits for somebody in all her roles, in the order of `Duty`; nothing that there is none of."""
    found: list[Task] = []
    if actor.is_(Role.INSTITUTION) and actor.organisation_id is not None:
        found += _of_institution(session, actor)
    if actor.is_(Role.REGULATOR):
        found += _of_regulator(session, actor)
    if actor.is_(Role.ENTERPRISE) and actor.organisation_id is not None:
        found += _of_enterprise(session, actor.organisation_id)
    if actor.is_(Role.ADMINISTRATOR):
        found += _of_administrator(session, keyring, actor)
    if actor.is_(*STAFF):
        found += _decisions(session, keyring, actor)
    if actor.is_(Role.TRAINEE):
        found += _of_trainee(session, keyring, actor.person_id)
    order = list(Duty)
    return sorted((task for task in found if task.count), key=lambda task: order.index(task.duty))


def _of_institution(session: Session, actor: Actor) -> Iterator[Task]:
    assert actor.organisation_id is not None
    now = clock.now()
    today = clock.shanghai_day(now)
    contested, failed, second = review_counts(session, actor.organisation_id)
    yield Task(Duty.APPEALS, contested, "proctoring.review_queue")
    yield Task(Duty.SECOND, second, "proctoring.review_queue", {"show": "second"})
    yield Task(Duty.FAILED, failed, "proctoring.review_queue", {"show": "failed"})
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
        select(Cohort.id, Cohort.title, func.count(ClassSession.id))
        .join(ClassSession, ClassSession.cohort_id == Cohort.id)
        .where(
            Cohort.organisation_id == actor.organisation_id,
            Cohort.state != CohortState.DRAFT,
            ClassSession.ended_at <= now,
            ~exists().where(Attendance.session_id == ClassSession.id),
        )
        .group_by(Cohort.id, Cohort.title)
        .order_by(Cohort.title)
    )
    for cohort_id, title, count in session.execute(held):
        yield Task(Duty.ATTENDANCE, count, "attendance.class_sessions", {"cohort_id": cohort_id}, title)


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
        unfinished = sum(line.owes for line in figures_of(session, cohort_id))
        yield Task(Duty.ENDING, unfinished, "hours.cohort_hours", {"cohort_id": cohort_id}, title)


def _of_regulator(session: Session, actor: Actor) -> Iterator[Task]:
    today = clock.shanghai_day(clock.now())
    seen = seen_findings(actor)
    counting = select(func.count(Finding.id)).where(seen)
    late = counting.where(Finding.state == FindingState.OPEN, Finding.deadline < today)
    yield Task(Duty.OVERDUE, session.scalar(late) or 0, "oversight.findings")
    answered = counting.where(Finding.state == FindingState.ANSWERED)
    yield Task(Duty.ANSWERS, session.scalar(answered) or 0, "oversight.findings")
    yield Task(Duty.SETTLE, len(rooms.to_settle(session, actor)), "desks.in_rooms")
    yield Task(Duty.FLAGS, queries.overview(session, actor, today).flagged, "desks.flags")


def _decisions(session: Session, keyring: Keyring, actor: Actor) -> Iterator[Task]:
    """Each kind by itself, for each has its page."""
    if actor.is_(Role.INSTITUTION, Role.REGULATOR):
        amended = sum(each.waits and each.may_decide for each in amendments(session, actor))
        yield Task(Duty.DECISIONS, amended, "cohorts.amendment_list")
    corrected = sum(each.may_decide for each in corrections(session, keyring, actor))
    yield Task(Duty.DECISIONS, corrected, "identity.corrections")
    reset = sum(each.may_confirm for each in waiting_resets(session, keyring, actor))
    yield Task(Duty.DECISIONS, reset, "identity.resets")


def _of_enterprise(session: Session, organisation_id: UUID) -> Iterator[Task]:
    """By what is kept of each account: as many queries for a works of thousands as for one of ten."""
    today = clock.shanghai_day(clock.now())
    last = func.coalesce(Cohort.closes_on, Cohort.ends_on)
    unfinished = HoursAccount.complete.is_not(True)
    whose: dict[Duty, ColumnElement[bool]] = {
        Duty.STAFF_ENDING: and_(unfinished, last >= today, last <= today + ENDS_SOON),
        Duty.STAFF_MAKE_UP: and_(unfinished, HoursAccount.held_ms > 0),
        Duty.STAFF_UNBEGUN: and_(HoursAccount.begun.is_not(True), Cohort.starts_on <= today),
    }
    counting = (
        select(func.count(Enrolment.id))
        .join(Cohort, Cohort.id == Enrolment.cohort_id)
        .outerjoin(HoursAccount, HoursAccount.enrolment_id == Enrolment.id)
        .where(
            queries.employed_by(organisation_id),
            Enrolment.state == EnrolmentState.ACTIVE,
            Cohort.state == CohortState.OPEN,
        )
    )
    for duty, which in whose.items():
        yield Task(duty, session.scalar(counting.where(which)) or 0, "desks.own_people")


def _of_administrator(session: Session, keyring: Keyring, actor: Actor) -> Iterator[Task]:
    yield Task(Duty.ALARMS, len(trace.state(session).alarms), "desks.installation")
    yield Task(Duty.DUPLICATES, len(identity.open_duplicates(session)), "identity.duplicates")
    joinings = sum(each.may_decide for each in identity.waiting_joinings(session, keyring, actor))
    yield Task(Duty.JOININGS, joinings, "identity.joinings")


def _of_trainee(session: Session, keyring: Keyring, person_id: UUID) -> Iterator[Task]:
    me = identity.profile(session, keyring, person_id)
    ready = identity.standing_consent(session, person_id) is not None and identity.used_photos(session, person_id)
    yield Task(Duty.ROUTE, int(not me.route_chosen), "identity.welcome")
    unready = me.route_chosen and me.proof_route is ProofRoute.FACE and not ready
    yield Task(Duty.PHOTO, int(unready), "identity.photos")
    yield Task(Duty.SAME_NUMBER, identity.joinings_to_confirm(session, person_id), "identity.joinings")
    yield Task(Duty.CONFIRM, attendances_to_confirm(session, person_id), "attendance.my_attendance")
    trainings = [each for each in enrolments_of(session, person_id) if each.state is EnrolmentState.ACTIVE]
    statements = statements_of(session, [facts.enrolment_id for facts in trainings])
    for facts in trainings:
        statement = statements[facts.enrolment_id]
        if statement is not None:
            yield from _lessons(enrolment_overview(facts, statement))


def _lessons(found: EnrolmentOverview) -> Iterator[Task]:
    """What can still be studied, made up or confirmed of one training, as her own page leads to it."""
    cohort = found.facts.cohort
    now_ms, today = clock.to_ms(clock.now()), clock.shanghai_day(clock.now())
    lasts = cohort.state is CohortState.OPEN and cohort.starts_on <= today <= cohort.last_day
    if now_ms >= cohort.settles_ms or cohort.starts_on > today:
        return
    ready = [lesson for lesson in found.lessons if lesson.film_ready]
    kinds = {
        Duty.MAKE_UP: [lesson for lesson in ready if lesson.make_up_ms],
        Duty.CHECK: [lesson for lesson in ready if lesson.standing is LessonStanding.WAITING],
        Duty.STUDY: [
            lesson for lesson in ready if lasts and lesson.standing in (LessonStanding.NEW, LessonStanding.UNDER_WAY)
        ],
    }
    for duty, lessons in kinds.items():
        if lessons:
            values: dict[str, Any] = {"enrolment_id": found.facts.enrolment_id, "lesson_id": lessons[0].lesson_id}
            if duty is Duty.MAKE_UP:
                values["make_up"] = 1
            yield Task(duty, len(lessons), "progress.lesson", values, cohort.title)
