"""The demonstration's cohort: opened under the rules like any other, with people who have been taught in person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from courses.models import Film, FilmState, Lesson
from xueji.attendance.models import Attendance, ClassSession
from xueji.attendance.services.entering import doubts_now, record_attendance
from xueji.attendance.services.planning import ClassSessionPlan, plan_class_session
from xueji.cohorts.models import Cohort, CohortLesson, CohortState
from xueji.cohorts.services.planning import CohortPlan, choose_lessons, create_cohort, open_cohort
from xueji.demo.accounts import Placed
from xueji.demo.cast import FACTORY
from xueji.demo.course import make_course
from xueji.enrolment.declarations import Declaration
from xueji.enrolment.models import Enrolment, EnrolmentState
from xueji.enrolment.services.trainees import enrol
from xueji.identity.models import Account, Person
from xueji.identity.rules import ProofRoute
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.context import Context
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import NotFound
from xueji.oversight.inspecting import give_inspection, inspections
from xueji.proctoring.models import CheckIn
from xueji.proctoring.services import check_in, check_out, enter_code, room_code
from xueji.proctoring.services.checkins import LONGEST
from xueji.progress.models import Sitting
from xueji.rulebook.vocabulary import Category, Part
from xueji.rulebook.vocabulary import Training as Kind

_STUDYING_MS = 60_000
"""A page that reported within this time is still open."""
CLASS_HOUR_MS = 45 * 60 * 1000
TITLE = "低压电工初训演示班"
PLACE = "虚构安全培训中心 一号教室"
CHECK_IN_LASTS = LONGEST
_CHECK_IN_LEFT_MS = CHECK_IN_LASTS // timedelta(milliseconds=2)
"""A check-in that ends sooner is replaced by a new one."""
# Changchun's official table of 2023: 148 class hours, 88 of theory and 60 of practice.
THEORY_MS, PRACTICAL_MS = 88 * CLASS_HOUR_MS, 60 * CLASS_HOUR_MS
_SESSIONS = (
    ("安全生产法律法规", Part.THEORY, 1, time(8, 30), time(11, 30)),
    ("低压电器实操", Part.PRACTICAL, 1, time(13, 30), time(16, 30)),
    ("触电急救实操", Part.PRACTICAL, 2, time(8, 30), time(11, 30)),
)
"""Title, part, days after today, from and to: nothing is taught before it is planned, not even in a demonstration."""
_FIRST, _BEGINS_IN, _LASTS = "入班安全教育", timedelta(minutes=2), timedelta(minutes=20)
"""The one that a visitor can see held."""


@dataclass(frozen=True)
class Taught:
    lesson_id: UUID
    title: str
    duration_ms: int


@dataclass(frozen=True)
class Ready:
    """Who can open a sitting at once, without a camera, and until when."""

    account: str
    until: datetime


@dataclass(frozen=True)
class DemoTraining:
    cohort_id: UUID
    lessons: tuple[Taught, ...]
    enrolments: dict[str, UUID]
    """By account: those who may study."""
    ready: Ready | None
    """None when nobody of them is both on the route without a camera and still enrolled."""


def make_training(context: Context, people: dict[str, Placed]) -> DemoTraining:
    """A running cohort with everybody in it, and somebody checked in. Raises FilmNotMade, Problem."""
    actor = people["institution"].actor
    with context.database.reading() as session:
        cohort_id = _running_cohort(session, actor)
    lesson_ids = make_course(context, actor=actor) if cohort_id is None else []
    trainees = [placed for placed in people.values() if placed.member.role is Role.TRAINEE]
    with context.database.writing() as session:
        if cohort_id is None:
            cohort_id = _open(session, context.keyring, actor, lesson_ids)
        cohort = session.get_one(Cohort, cohort_id)
        enrolled = {each.member.account: _enrol(context, session, cohort, each, actor) for each in trainees}
        active = {account: each for account, each in enrolled.items() if each.state is EnrolmentState.ACTIVE}
        _teach_in_person(context, session, cohort, actor, list(active.values()))
        return DemoTraining(
            cohort.id,
            _lessons(session, cohort.id),
            {account: enrolment.id for account, enrolment in active.items()},
            _ready(context, session, active, actor),
        )


def ready_until(context: Context, accounts: Sequence[str]) -> Ready | None:
    """Who of these is checked in now, the longest."""
    with context.database.reading() as session:
        found = session.execute(
            select(Account.account, CheckIn.until_ms)
            .join(CheckIn, CheckIn.person_id == Account.person_id)
            .where(
                Account.account.in_(accounts),
                CheckIn.closed_ms.is_(None),
                CheckIn.until_ms > clock.to_ms(clock.now()),
            )
            .order_by(CheckIn.until_ms.desc())
            .limit(1)
        ).one_or_none()
    return Ready(found.account, clock.from_ms(found.until_ms)) if found is not None else None


def _today() -> date:
    return clock.shanghai_day(clock.now())


def _running_cohort(session: Session, actor: Actor) -> UUID | None:
    """The newest that can be studied today; somebody may have opened others under its title."""
    playable = exists().where(
        CohortLesson.cohort_id == Cohort.id,
        CohortLesson.part == Part.THEORY,
        CohortLesson.lesson_id == Lesson.id,
        Lesson.film_id == Film.id,
        Film.state == FilmState.READY,
    )
    return session.scalar(
        select(Cohort.id)
        .where(
            Cohort.title == TITLE,
            Cohort.organisation_id == actor.organisation_id,
            Cohort.state == CohortState.OPEN,
            Cohort.starts_on <= _today(),
            Cohort.ends_on >= _today(),
            playable,
        )
        .order_by(Cohort.opened_at.desc())
        .limit(1)
    )


def _lessons(session: Session, cohort_id: UUID) -> tuple[Taught, ...]:
    found = session.execute(
        select(Lesson.id, Lesson.title, CohortLesson.duration_ms)
        .join(CohortLesson, CohortLesson.lesson_id == Lesson.id)
        .where(CohortLesson.cohort_id == cohort_id, CohortLesson.part == Part.THEORY)
        .order_by(CohortLesson.position)
    )
    return tuple(Taught(lesson_id, title, duration_ms or 0) for lesson_id, title, duration_ms in found)


def _open(session: Session, keyring: Keyring, actor: Actor, lesson_ids: Sequence[UUID]) -> UUID:
    films = select(Film.duration_ms).join(Lesson, Lesson.film_id == Film.id).where(Lesson.id.in_(lesson_ids))
    online_ms = sum(duration_ms or 0 for duration_ms in session.scalars(films))
    plan = CohortPlan(
        title=TITLE,
        region=actor.region or "",
        category=Category.SPECIAL_OPERATOR,
        industry="hazardous_chemical_production",
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
    choose_lessons(session, actor=actor, cohort_id=cohort.id, lesson_ids=lesson_ids)
    return open_cohort(session, keyring, cohort=cohort, actor=actor).id


def _enrol(context: Context, session: Session, cohort: Cohort, trainee: Placed, actor: Actor) -> Enrolment:
    """Hers, as it is now: who was let out of a cohort does not come back into it."""
    found = session.scalar(select(Enrolment).filter_by(cohort_id=cohort.id, person_id=trainee.person_id))
    if found is not None:
        return found
    person = session.get_one(Person, trainee.person_id)
    declared = Declaration(post=cohort.category, employer=FACTORY.name, industry=cohort.industry)
    return enrol(
        session,
        context.keyring,
        cohort=cohort,
        person=person,
        actor=actor,
        declared=declared,
        events=context.events,
    )


def _teach_in_person(
    context: Context, session: Session, cohort: Cohort, actor: Actor, enrolments: Sequence[Enrolment]
) -> None:
    """Plan it once for each cohort; what has been held since is entered for those who were in no other room."""
    planned = session.scalars(select(ClassSession).filter_by(cohort_id=cohort.id)).all()
    if not planned:
        began = clock.now().replace(second=0, microsecond=0) + _BEGINS_IN
        plans = [(_FIRST, Part.THEORY, began, began + _LASTS)]
        for title, part, days, first, last in _SESSIONS:
            day = _today() + timedelta(days=days)
            plans.append((title, part, _at(day, first), _at(day, last)))
        for title, part, began, ended in plans:
            plan = ClassSessionPlan(
                title=title, place=PLACE, teacher="冯讲解", part=part, began_at=began, ended_at=ended
            )
            plan_class_session(session, context.keyring, actor=actor, cohort_id=cohort.id, plan=plan)
    for lesson in planned:
        entered = exists().where(Attendance.session_id == lesson.id)
        if lesson.ended_at > clock.now() or doubts_now(cohort, lesson) or session.scalar(select(entered)):
            continue
        elsewhere = _taught_meanwhile(session, lesson)
        free = [
            enrolment.id
            for enrolment in enrolments
            if enrolment.person_id not in elsewhere and enrolment.enrolled_at <= lesson.began_at
        ]
        attended = dict.fromkeys(free, (lesson.began_at, lesson.ended_at))
        record_attendance(session, context, actor=actor, session_id=lesson.id, attended=attended)


def _taught_meanwhile(session: Session, lesson: ClassSession) -> set[UUID]:
    """The persons who were in another room at the time."""
    return set(
        session.scalars(
            select(Enrolment.person_id)
            .join(Attendance, Attendance.enrolment_id == Enrolment.id)
            .where(
                Attendance.revoked_at.is_(None),
                Attendance.from_at < lesson.ended_at,
                Attendance.to_at > lesson.began_at,
            )
        )
    )


def _at(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, clock.SHANGHAI)


def _ready(context: Context, session: Session, active: dict[str, Enrolment], actor: Actor) -> Ready | None:
    """The first who studies without a camera, checked in for the next hours."""
    for account, enrolment in active.items():
        if session.get_one(Person, enrolment.person_id).proof_route is ProofRoute.SUPERVISED:
            until_ms = _checked_in_until(context, session, enrolment, actor)
            if until_ms is not None:
                return Ready(account, clock.from_ms(until_ms))
    return None


def _checked_in_until(context: Context, session: Session, enrolment: Enrolment, actor: Actor) -> int | None:
    """The end of her check-in, a new one where the last is over or nearly so; None when others have her now."""
    now_ms = clock.to_ms(clock.now())
    open_ = select(CheckIn).where(
        CheckIn.person_id == enrolment.person_id, CheckIn.closed_ms.is_(None), CheckIn.until_ms > now_ms
    )
    for here in session.scalars(open_).all():
        hers = here.enrolment_id == enrolment.id
        if (hers and here.until_ms > now_ms + _CHECK_IN_LEFT_MS) or _is_studying(session, here.enrolment_id, now_ms):
            return here.until_ms if hers else None
        try:
            check_out(session, context.keyring, actor=actor, check_in_id=here.id)
        except NotFound:
            return None
    made = check_in(session, context.keyring, actor=actor, enrolment_id=enrolment.id, place=PLACE, lasts=CHECK_IN_LASTS)
    # As she would read it in the room, so that a visitor can study at once.
    code = room_code(context.keyring, enrolment.cohort_id, PLACE, now_ms)
    trainee = Actor(enrolment.person_id, UUID(int=0), frozenset({Role.TRAINEE}))
    enter_code(session, context.keyring, actor=trainee, code=code)
    return made.until_ms


def _is_studying(session: Session, enrolment_id: UUID, now_ms: int) -> bool:
    """Whether a page of hers reported a moment ago: her check-in is not ended under her hands."""
    return bool(
        session.scalar(
            select(
                exists().where(
                    Sitting.enrolment_id == enrolment_id,
                    Sitting.ended_ms.is_(None),
                    Sitting.last_contact_ms > now_ms - _STUDYING_MS,
                )
            )
        )
    )


def let_inspect(context: Context, people: Mapping[str, Placed], training: DemoTraining) -> None:
    """The inspector may read the running cohort for a week; given again at a start after that."""
    inspector, regulator = people["inspector"], people["regulator"]
    with context.database.writing() as session:
        if inspections(session, inspector.actor, 1)[1] == 0:
            give_inspection(
                session,
                context.keyring,
                actor=regulator.actor,
                account=inspector.member.account,
                cohort_id=training.cohort_id,
                last_day=clock.shanghai_day(clock.now()) + timedelta(days=7),
                reason="演示：专项检查线上学时",
            )
