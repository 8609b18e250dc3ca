"""The demonstration's cohort: opened under the rules like any other, with people who have been taught in person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.models import Film, Lesson
from xueji.demo.accounts import Placed
from xueji.demo.course import make_course
from xueji.enrolment.models import Cohort, CohortLesson, CohortState, Enrolment, EnrolmentState, InPersonSession
from xueji.enrolment.services.attendance import SessionPlan, add_session, record_attendance
from xueji.enrolment.services.cohorts import CohortPlan, choose_lessons, create_cohort, open_cohort
from xueji.enrolment.services.trainees import enrol
from xueji.identity.models import Person
from xueji.identity.rules import ProofRoute
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.context import Context
from xueji.rulebook.vocabulary import Category, Part
from xueji.rulebook.vocabulary import Training as Kind
from xueji.snapshots.models import CheckIn
from xueji.snapshots.services import check_in

CLASS_HOUR_MS = 45 * 60 * 1000
TITLE = "低压电工初训演示班"
PLACE = "虚构安全培训中心 一号教室"
CHECK_IN_LASTS = timedelta(hours=5)
# Changchun's official table of 2023: 148 class hours, 88 of theory and 60 of practice.
THEORY_MS, PRACTICAL_MS = 88 * CLASS_HOUR_MS, 60 * CLASS_HOUR_MS
_SESSIONS = (
    ("安全生产法律法规", Part.THEORY, 2, time(8, 30), time(11, 30)),
    ("低压电器实操", Part.PRACTICAL, 2, time(13, 30), time(16, 30)),
    ("触电急救实操", Part.PRACTICAL, 1, time(8, 30), time(11, 30)),
)
"""Title, part, days before today, from and to."""


@dataclass(frozen=True)
class Taught:
    lesson_id: UUID
    title: str
    duration_ms: int


@dataclass(frozen=True)
class Training:
    cohort_id: UUID
    lessons: tuple[Taught, ...]
    enrolments: dict[str, UUID]
    """By account."""


def make_training(context: Context, people: dict[str, Placed]) -> Training:
    """Raises FilmNotMade."""
    actor = people["institution"].actor
    with context.database.reading() as session:
        cohort_id = _running_cohort(session, actor)
    course_id = make_course(context, actor=actor) if cohort_id is None else None
    trainees = [placed for placed in people.values() if placed.member.role is Role.TRAINEE]
    with context.database.writing() as session:
        if course_id is not None:
            cohort_id = _open(session, actor, course_id)
        cohort = session.get_one(Cohort, cohort_id)
        enrolments = {each.member.account: _enrol(context, session, cohort, each, actor) for each in trainees}
        _teach_in_person(context, session, cohort, actor, list(enrolments.values()))
        _check_in(context, session, enrolments[trainees[0].member.account], actor)
        return Training(cohort.id, _lessons(session, cohort.id), enrolments)


def _today() -> date:
    return clock.shanghai_day(clock.now())


def _running_cohort(session: Session, actor: Actor) -> UUID | None:
    return session.scalar(
        select(Cohort.id).where(
            Cohort.title == TITLE,
            Cohort.organisation_id == actor.organisation_id,
            Cohort.state == CohortState.OPEN,
            Cohort.ends_on >= _today(),
        )
    )


def _lessons(session: Session, cohort_id: UUID) -> tuple[Taught, ...]:
    found = session.execute(
        select(Lesson.id, Lesson.title, CohortLesson.duration_ms)
        .join(CohortLesson, CohortLesson.lesson_id == Lesson.id)
        .where(CohortLesson.cohort_id == cohort_id)
        .order_by(CohortLesson.position)
    )
    return tuple(Taught(lesson_id, title, duration_ms or 0) for lesson_id, title, duration_ms in found)


def _open(session: Session, actor: Actor, course_id: UUID) -> UUID:
    films = session.execute(
        select(Lesson.id, Film.duration_ms)
        .join(Film, Film.id == Lesson.film_id)
        .where(Lesson.course_id == course_id)
        .order_by(Lesson.position)
    ).all()
    online_ms = sum(duration_ms or 0 for _lesson_id, duration_ms in films)
    plan = CohortPlan(
        title=TITLE,
        region=actor.region or "",
        category=Category.SPECIAL_OPERATOR,
        high_risk=True,
        training=Kind.INITIAL,
        syllabus="低压电工作业人员安全技术培训大纲",
        subject="low_voltage_electrician",
        total_ms=THEORY_MS + PRACTICAL_MS,
        theory_ms=THEORY_MS,
        practical_ms=PRACTICAL_MS,
        online_ms=online_ms,
        in_person_ms=THEORY_MS + PRACTICAL_MS - online_ms,
        starts_on=_today() - timedelta(days=7),
        ends_on=_today() + timedelta(days=60),
        venue=PLACE,
    )
    cohort = create_cohort(session, actor=actor, plan=plan)
    choose_lessons(session, actor=actor, cohort_id=cohort.id, lesson_ids=[lesson_id for lesson_id, _ms in films])
    return open_cohort(session, cohort=cohort, actor=actor).id


def _enrol(context: Context, session: Session, cohort: Cohort, trainee: Placed, actor: Actor) -> UUID:
    found = session.scalar(select(Enrolment.id).filter_by(cohort_id=cohort.id, person_id=trainee.person_id))
    if found is not None:
        return found
    person = session.get_one(Person, trainee.person_id)
    return enrol(session, context.keyring, cohort=cohort, person=person, actor=actor).id


def _teach_in_person(
    context: Context, session: Session, cohort: Cohort, actor: Actor, enrolments: Sequence[UUID]
) -> None:
    held = session.scalars(select(InPersonSession.id).filter_by(cohort_id=cohort.id)).all()
    if held:
        return
    for title, part, days_ago, began, ended in _SESSIONS:
        day = _today() - timedelta(days=days_ago)
        plan = SessionPlan(
            title=title, place=PLACE, teacher="冯讲解", part=part, began_at=_at(day, began), ended_at=_at(day, ended)
        )
        lesson = add_session(session, actor=actor, cohort_id=cohort.id, plan=plan)
        stayed_ms = (plan.ended_at - plan.began_at) // timedelta(milliseconds=1)
        attended = dict.fromkeys(enrolments, stayed_ms)
        record_attendance(session, context.keyring, actor=actor, session_id=lesson.id, attended=attended)


def _at(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, clock.SHANGHAI)


def _check_in(context: Context, session: Session, enrolment_id: UUID, actor: Actor) -> None:
    """Let the first trainee study at once, for the next hours, unless she chose the other route or left meanwhile."""
    enrolment = session.get_one(Enrolment, enrolment_id)
    still_here = select(CheckIn.id).where(
        CheckIn.person_id == enrolment.person_id,
        CheckIn.closed_ms.is_(None),
        CheckIn.until_ms > clock.to_ms(clock.now()),
    )
    supervised = session.get_one(Person, enrolment.person_id).proof_route is ProofRoute.SUPERVISED
    if supervised and enrolment.state is EnrolmentState.ACTIVE and session.scalar(still_here) is None:
        check_in(session, context.keyring, actor=actor, enrolment_id=enrolment.id, place=PLACE, lasts=CHECK_IN_LASTS)
