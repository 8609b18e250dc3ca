"""Reads about cohorts and the trainees in them: plain records out, nothing decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from courses.models import Film, FilmState, Lesson
from xueji.enrolment.models import Cohort, CohortLesson, CohortState, Enrolment, EnrolmentState
from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.vocabulary import Category, Part, Training


@dataclass(frozen=True, slots=True)
class CohortFacts:
    """A cohort as it was opened; all hours in milliseconds."""

    cohort_id: UUID
    organisation_id: UUID
    title: str
    region: str
    category: Category
    high_risk: bool
    training: Training
    syllabus: str
    subject: str | None
    total_ms: int
    theory_ms: int
    practical_ms: int
    online_ms: int
    in_person_ms: int
    starts_on: date
    ends_on: date
    """The last day, included (Asia/Shanghai)."""
    venue: str
    plan: ProctoringPlan
    rulebook: str
    """``id@version``"""
    state: CohortState


@dataclass(frozen=True, slots=True)
class LessonFacts:
    lesson_id: UUID
    title: str
    part: Part
    duration_ms: int
    position: int
    film_id: UUID | None
    film_ready: bool


@dataclass(frozen=True, slots=True)
class EnrolmentFacts:
    """Everything about one enrolment that was settled when it and its cohort began."""

    enrolment_id: UUID
    person_id: UUID
    enrolled_at: datetime
    state: EnrolmentState
    cohort: CohortFacts
    lessons: tuple[LessonFacts, ...]
    """In the cohort's order."""

    @property
    def chain(self) -> str:
        """Its chain in the trace."""
        return str(self.enrolment_id)

    def lesson(self, lesson_id: UUID) -> LessonFacts | None:
        return next((lesson for lesson in self.lessons if lesson.lesson_id == lesson_id), None)


def enrolment_facts(session: Session, enrolment_id: UUID) -> EnrolmentFacts | None:
    """One enrolment with its cohort, plan and lessons, in one query; None when there is none."""
    found = _facts(session, _whole().where(Enrolment.id == enrolment_id))
    return found[0] if found else None


def enrolments_of(session: Session, person_id: UUID) -> list[EnrolmentFacts]:
    """A person's enrolments with their cohorts and lessons, the newest first, in one query."""
    return _facts(session, _whole().where(Enrolment.person_id == person_id))


def _whole() -> Select[Enrolment, Cohort, CohortLesson, Lesson, Film]:
    return (
        select(Enrolment, Cohort, CohortLesson, Lesson, Film)
        .join(Cohort, Cohort.id == Enrolment.cohort_id)
        .outerjoin(CohortLesson, CohortLesson.cohort_id == Cohort.id)
        .outerjoin(Lesson, Lesson.id == CohortLesson.lesson_id)
        .outerjoin(Film, Film.id == Lesson.film_id)
        .order_by(Enrolment.enrolled_at.desc(), Enrolment.id, CohortLesson.position)
    )


def _facts(session: Session, statement: Select[Enrolment, Cohort, CohortLesson, Lesson, Film]) -> list[EnrolmentFacts]:
    gathered: dict[UUID, tuple[Enrolment, Cohort, list[LessonFacts]]] = {}
    place: CohortLesson | None  # outer joins: a cohort may have no lesson, a lesson no film
    film: Film | None
    for enrolment, cohort, place, lesson, film in session.execute(statement):
        lessons = gathered.setdefault(enrolment.id, (enrolment, cohort, []))[2]
        if place is not None:
            lessons.append(_lesson_facts(place, lesson, film))
    return [
        EnrolmentFacts(
            enrolment_id=enrolment.id,
            person_id=enrolment.person_id,
            enrolled_at=enrolment.enrolled_at,
            state=enrolment.state,
            cohort=cohort_facts(cohort),
            lessons=tuple(lessons),
        )
        for enrolment, cohort, lessons in gathered.values()
    ]


def _lesson_facts(place: CohortLesson, lesson: Lesson, film: Film | None) -> LessonFacts:
    return LessonFacts(
        lesson_id=lesson.id,
        title=lesson.title,
        part=place.part,
        duration_ms=place.duration_ms or 0,
        position=place.position,
        film_id=lesson.film_id,
        film_ready=film is not None and film.state is FilmState.READY,
    )


def cohort_facts(cohort: Cohort) -> CohortFacts:
    return CohortFacts(
        cohort_id=cohort.id,
        organisation_id=cohort.organisation_id,
        title=cohort.title,
        region=cohort.region,
        category=cohort.category,
        high_risk=cohort.high_risk,
        training=cohort.training,
        syllabus=cohort.syllabus,
        subject=cohort.subject,
        total_ms=cohort.total_ms,
        theory_ms=cohort.theory_ms,
        practical_ms=cohort.practical_ms,
        online_ms=cohort.online_ms,
        in_person_ms=cohort.in_person_ms,
        starts_on=cohort.starts_on,
        ends_on=cohort.ends_on,
        venue=cohort.venue,
        plan=ProctoringPlan.from_dict(cohort.plan),
        rulebook=cohort.rulebook,
        state=cohort.state,
    )


def cohorts_of(session: Session, organisation_id: UUID) -> Sequence[Cohort]:
    """An institution's cohorts, the latest first."""
    return session.scalars(
        select(Cohort).where(Cohort.organisation_id == organisation_id).order_by(Cohort.created_at.desc(), Cohort.id)
    ).all()
