"""Reads about cohorts: plain records out, nothing decided."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.models import Film, FilmState, Lesson
from xueji.cohorts.events import TraineesAsked
from xueji.cohorts.models import Cohort, CohortLesson, CohortState
from xueji.cohorts.terms import CohortTerms, terms_of
from xueji.kernel.events import Events
from xueji.rulebook import rules as rulebook
from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.shanghai import DAY_MS, date_begins_ms
from xueji.rulebook.vocabulary import Category, Part, Training


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortFacts(CohortTerms):
    """A cohort as it was opened."""

    cohort_id: UUID
    organisation_id: UUID
    title: str
    region: str
    home: str
    """Division code of the institution."""
    jurisdiction: str
    """Whose law applies, as `Rulebook.in_force` takes it."""
    high_risk: bool
    syllabus: str
    last_day: date
    """The last day of new study: the planned one, or an earlier one that staff have chosen by closing the cohort."""
    venue: str
    plan: ProctoringPlan
    rulebook: str
    """``id@version``"""
    state: CohortState
    class_hour_ms: int
    """One class hour under that rulebook."""

    @property
    def opens_ms(self) -> int:
        """The first instant of its first day (epoch ms)."""
        return date_begins_ms(self.starts_on)

    @property
    def closes_ms(self) -> int:
        """The first instant after its last day (epoch ms): from then on nothing new is studied."""
        return date_begins_ms(self.last_day) + DAY_MS

    @property
    def settles_ms(self) -> int:
        """The first instant after the days in which held time may still be made up (epoch ms).

        They follow the planned last day, which stands in the opening leaf, however early the cohort was closed.
        """
        return date_begins_ms(self.ends_on) + (1 + self.plan.settle_days) * DAY_MS

    @property
    def reviews_end_ms(self) -> int:
        """From when on a person may decide about a check no more (epoch ms)."""
        return self.settles_ms + self.plan.appeal_days * DAY_MS


@dataclass(frozen=True, slots=True)
class LessonFacts:
    """A lesson of a cohort, with the film it is taught by."""

    lesson_id: UUID
    title: str
    part: Part
    duration_ms: int
    position: int
    film_id: UUID | None
    film_ready: bool
    film_sha256: str
    """Of the film's file; empty while it is not known."""


def lesson_facts(place: CohortLesson, lesson: Lesson, film: Film | None) -> LessonFacts:
    """Of a place in a cohort, its lesson and the film, if there is one."""
    return LessonFacts(
        lesson_id=lesson.id,
        title=lesson.title,
        part=place.part,
        duration_ms=place.duration_ms or 0,
        position=place.position,
        film_id=place.film_id or lesson.film_id,
        film_sha256=place.film_sha256 or ("" if film is None else film.sha256),
        film_ready=film is not None and film.state is FilmState.READY,
    )


def cohort_facts(cohort: Cohort) -> CohortFacts:
    """Of a row, under the rulebook it was opened under."""
    return CohortFacts(
        cohort_id=cohort.id,
        organisation_id=cohort.organisation_id,
        title=cohort.title,
        region=cohort.region,
        home=cohort.home,
        jurisdiction=cohort.jurisdiction,
        **terms_of(cohort).fields(),
        high_risk=cohort.high_risk,
        syllabus=cohort.syllabus,
        last_day=cohort.last_day,
        venue=cohort.venue,
        plan=ProctoringPlan.from_dict(cohort.plan),
        rulebook=cohort.rulebook,
        state=cohort.state,
        class_hour_ms=law_of(cohort).class_hour_ms,
    )


def law_of(cohort: Cohort) -> rulebook.InForce:
    """The figures in force where and when the training begins: of a cohort that is open, those it opened under."""
    try:
        book = rulebook.load(cohort.rulebook or None)
    except rulebook.NoSuchRulebook:
        # A rulebook of another installation: the accounts say so themselves, and the cohort can still be shown.
        book = rulebook.load()
    return book.in_force(cohort.jurisdiction, cohort.starts_on)


@dataclass(frozen=True, slots=True)
class CohortLine:
    """A cohort in a list."""

    cohort_id: UUID
    title: str
    state: CohortState
    category: Category
    training: Training
    starts_on: date
    ends_on: date
    total_ms: int
    online_ms: int
    trainees: int
    class_hour_ms: int


PER_PAGE = 50


def cohort_lines(
    session: Session, events: Events, organisation_id: UUID | None, page: int
) -> tuple[list[CohortLine], int]:
    """A page of an institution's cohorts, the latest first, with how many study in each; and how many there are."""
    total = session.scalar(select(func.count(Cohort.id)).where(Cohort.organisation_id == organisation_id)) or 0
    latest = (
        select(Cohort).where(Cohort.organisation_id == organisation_id).order_by(Cohort.created_at.desc(), Cohort.id)
    )
    cohorts = session.scalars(latest.limit(PER_PAGE).offset((page - 1) * PER_PAGE)).all()
    asked = TraineesAsked(session, tuple(cohort.id for cohort in cohorts))
    events.publish(asked)
    return [
        CohortLine(
            cohort_id=cohort.id,
            title=cohort.title,
            state=cohort.state,
            category=cohort.category,
            training=cohort.training,
            starts_on=cohort.starts_on,
            ends_on=cohort.ends_on,
            total_ms=cohort.total_ms,
            online_ms=cohort.online_ms,
            trainees=asked.trainees.get(cohort.id, 0),
            class_hour_ms=law_of(cohort).class_hour_ms,
        )
        for cohort in cohorts
    ], total


def chosen_lessons(session: Session, cohort_id: UUID) -> list[UUID]:
    """The lessons of a cohort, in its order."""
    return list(
        session.scalars(
            select(CohortLesson.lesson_id).where(CohortLesson.cohort_id == cohort_id).order_by(CohortLesson.position)
        )
    )


def cohort_lessons(session: Session, cohort_id: UUID) -> list[LessonFacts]:
    """The same with titles and lengths; a draft's lengths are those of the films as they are now."""
    found = session.execute(
        select(CohortLesson, Lesson, Film)
        .join(Lesson, Lesson.id == CohortLesson.lesson_id)
        .outerjoin(Film, Film.id == func.coalesce(CohortLesson.film_id, Lesson.film_id))
        .where(CohortLesson.cohort_id == cohort_id)
        .order_by(CohortLesson.position)
    )
    return [
        replace(facts, duration_ms=film.duration_ms or 0) if place.duration_ms is None and film is not None else facts
        for place, lesson, film in found
        for facts in (lesson_facts(place, lesson, film),)
    ]
