"""One cohort of the demonstration's weeks: opened under the rules, taught in a room, studied online."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID

from courses.models import Film, Lesson
from xueji.attendance.services.entering import record_attendance
from xueji.attendance.services.planning import ClassSessionPlan, plan_class_session
from xueji.attendance.services.settling import confirm_attendance
from xueji.cohorts.models import Cohort
from xueji.cohorts.services.planning import CohortPlan, choose_lessons, create_cohort, open_cohort
from xueji.demo.cast import FACTORY, House
from xueji.demo.history.people import Crowd
from xueji.demo.history.stage import Stage, Student
from xueji.enrolment.declarations import Declaration
from xueji.enrolment.services.trainees import enrol
from xueji.identity.models import Person
from xueji.identity.rules import ProofRoute
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.proctoring import services as proctoring
from xueji.rulebook.vocabulary import Category, Part, Training

MINUTE = timedelta(minutes=1)
CLASS_HOUR_MS = 45 * 60_000
TEACHERS = ("冯讲解", "蒋示教", "沈板书")
_SLOTS = (time(8, 30), time(13, 0))
_LONGEST = timedelta(minutes=150)


@dataclass(frozen=True, kw_only=True)
class Programme:
    """What a cohort is: hours in whole class hours; days counted from the first day of the history."""

    title: str
    house: House
    category: Category
    training: Training
    industry: str
    hours: int
    practical: int
    begins: int
    lasts: int
    opened: int
    route: ProofRoute = ProofRoute.FACE
    subject: str | None = None
    place: str = "一号教室"


@dataclass
class Class:
    """A cohort while it is played."""

    stage: Stage
    crowd: Crowd
    staff: Actor
    programme: Programme
    lessons: Sequence[UUID]
    first_day: date
    """Of the whole history."""
    cohort_id: UUID | None = None
    students: list[Student] = field(default_factory=list)
    sessions: list[UUID] = field(default_factory=list)

    def day(self, number: int, hour: int = 9, minute: int = 0) -> datetime:
        """Of the cohort, the first is 0."""
        day = self.first_day + timedelta(days=self.programme.begins + number)
        return datetime.combine(day, time(hour, minute), clock.SHANGHAI)

    def draft(self) -> UUID:
        programme, context = self.programme, self.stage.context
        begins = self.first_day + timedelta(days=programme.begins)
        total = programme.hours * CLASS_HOUR_MS
        practical = programme.practical * CLASS_HOUR_MS
        with context.database.writing() as session:
            films = [session.get_one(Lesson, lesson).film_id for lesson in self.lessons]
            online = sum(session.get_one(Film, film).duration_ms or 0 for film in films if film is not None)
            plan = CohortPlan(
                title=programme.title,
                region=self.staff.region or "",
                category=programme.category,
                industry=programme.industry,
                training=programme.training,
                syllabus=f"{programme.title}大纲",
                subject=programme.subject,
                total_ms=total,
                theory_ms=total - practical,
                practical_ms=practical,
                online_ms=online,
                in_person_ms=total - online,
                starts_on=begins,
                ends_on=begins + timedelta(days=programme.lasts),
                venue=programme.place,
            )
            cohort = create_cohort(session, actor=self.staff, plan=plan)
            choose_lessons(session, actor=self.staff, cohort_id=cohort.id, lesson_ids=self.lessons)
            self.cohort_id = cohort.id
        return cohort.id

    def open(self, people: int) -> None:
        """Open it, let that many people in, and plan what is taught in the room."""
        context, programme = self.stage.context, self.programme
        cohort_id = self.draft()
        with context.database.writing() as session:
            open_cohort(session, context.keyring, cohort=session.get_one(Cohort, cohort_id), actor=self.staff)
        for number in range(people):
            house = FACTORY if number % 3 == 0 else programme.house
            self.let_in(*self.crowd.trainee(house, programme.route, self.staff))
        self.plan_sessions()

    def let_in(self, number: int, person_id: UUID, organisation_id: UUID) -> Student:
        context, programme = self.stage.context, self.programme
        assert self.cohort_id is not None
        with context.database.writing() as session:
            earlier = "" if programme.training is Training.INITIAL else f"安全合格证 虚构-{number:04d}"
            enrolment = enrol(
                session,
                context.keyring,
                cohort=session.get_one(Cohort, self.cohort_id),
                person=session.get_one(Person, person_id),
                actor=self.staff,
                declared=Declaration(
                    post=programme.category, employer=FACTORY.name, industry=programme.industry, earlier=earlier
                ),
                events=context.events,
            )
        student = Student(self.stage, number, person_id, organisation_id, enrolment.id)
        self.students.append(student)
        return student

    def plan_sessions(self) -> None:
        """All hours in the room, in pieces of a morning or an afternoon, from the cohort's second day on."""
        context, programme = self.stage.context, self.programme
        assert self.cohort_id is not None
        with context.database.reading() as session:
            cohort = session.get_one(Cohort, self.cohort_id)
            theory = timedelta(milliseconds=cohort.theory_ms - cohort.online_ms)
            practical = timedelta(milliseconds=cohort.practical_ms)
        slots = (
            datetime.combine(self.day(day).date(), slot, clock.SHANGHAI) for day in range(1, 60) for slot in _SLOTS
        )
        pieces = [
            *((Part.THEORY, "安全技术理论", each) for each in _pieces(theory)),
            *((Part.PRACTICAL, "实操与应急演练", each) for each in _pieces(practical)),
        ]
        for (part, title, lasts), began in zip(pieces, slots, strict=False):
            plan = ClassSessionPlan(
                title=title,
                place=programme.place,
                teacher=TEACHERS[programme.begins % len(TEACHERS)],
                part=part,
                began_at=began,
                ended_at=began + lasts,
            )
            with context.database.writing() as session:
                held = plan_class_session(
                    session, context.keyring, actor=self.staff, cohort_id=self.cohort_id, plan=plan
                )
            self.sessions.append(held.id)
            self.stage.at(plan.ended_at + 10 * MINUTE, lambda plan=plan, held=held: self._enter(held.id, plan))  # type: ignore[misc]

    absent: Collection[int] = ()
    """Numbers of students (by their place) who miss every session."""

    def _enter(self, session_id: UUID, plan: ClassSessionPlan) -> None:
        context = self.stage.context
        here = [each for place, each in enumerate(self.students) if place not in self.absent]
        away = [each.enrolment_id for place, each in enumerate(self.students) if place in self.absent]
        with context.database.writing() as session:
            entered = record_attendance(
                session,
                context,
                actor=self.staff,
                session_id=session_id,
                attended={each.enrolment_id: (plan.began_at, plan.ended_at) for each in here},
                absent=away,
            )
        for student, attendance in list(zip(here, entered, strict=False))[::4]:
            with context.database.writing() as session:
                confirm_attendance(session, context.keyring, actor=student.actor, attendance_id=attendance.id)

    def check_in(self, student: Student) -> UUID:
        """On the route without a camera: staff let her in, and she types the code shown in the room."""
        context, place = self.stage.context, self.programme.place
        with context.database.writing() as session:
            here = proctoring.check_in(
                session,
                context.keyring,
                actor=self.staff,
                enrolment_id=student.enrolment_id,
                place=place,
                lasts=timedelta(hours=3),
            )
        assert self.cohort_id is not None
        with context.database.writing() as session:
            code = proctoring.room_code(context.keyring, self.cohort_id, place, clock.to_ms(clock.now()))
            proctoring.enter_code(session, context.keyring, actor=student.actor, code=code)
        return here.id

    def check_out(self, check_in_id: UUID) -> None:
        context = self.stage.context
        with context.database.writing() as session:
            proctoring.check_out(session, context.keyring, actor=self.staff, check_in_id=check_in_id)


def _pieces(whole: timedelta) -> list[timedelta]:
    pieces = []
    while whole > timedelta():
        pieces.append(min(whole, _LONGEST))
        whole -= pieces[-1]
    return pieces
