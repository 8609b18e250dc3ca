"""Reads about cohorts and the trainees in them: plain records out, nothing decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from courses.models import Film, FilmState, Lesson
from xueji.enrolment.models import Cohort, CohortLesson, CohortState, Enrolment, EnrolmentDeclaration, EnrolmentState
from xueji.identity.models import Account, Person
from xueji.identity.queries import display_names, same_person
from xueji.kernel import clock
from xueji.kernel.crypto import Keyring
from xueji.rulebook import rules as rulebook
from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.shanghai import DAY_MS, date_begins_ms
from xueji.rulebook.vocabulary import Category, Part, Training


@dataclass(frozen=True, slots=True)
class CohortFacts:
    """A cohort as it was opened; all hours in milliseconds."""

    cohort_id: UUID
    organisation_id: UUID
    title: str
    region: str
    home: str
    """Division code of the institution."""
    jurisdiction: str
    """Whose law applies, as `Rulebook.in_force` takes it."""
    category: Category
    industry: str
    """The rulebook's code; empty where the cohort opened before industries were asked for."""
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
    """The planned last day, included (Asia/Shanghai)."""
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
    lesson_id: UUID
    title: str
    part: Part
    duration_ms: int
    position: int
    film_id: UUID | None
    film_ready: bool
    film_sha256: str
    """Of the film's file; empty while it is not known."""


@dataclass(frozen=True, slots=True)
class EnrolmentFacts:
    """Everything about one enrolment that was settled when it and its cohort began."""

    enrolment_id: UUID
    person_id: UUID
    """Whose file it stands in; she may act in another one that it was joined to (`identity.queries.is_herself`)."""
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
    """A person's enrolments with their cohorts and lessons, of all her files, the newest first, in one query."""
    return _facts(session, _whole().where(same_person(Enrolment.person_id, person_id)))


def _whole() -> Select[Enrolment, Cohort, CohortLesson, Lesson, Film]:
    return (
        select(Enrolment, Cohort, CohortLesson, Lesson, Film)
        .join(Cohort, Cohort.id == Enrolment.cohort_id)
        .outerjoin(CohortLesson, CohortLesson.cohort_id == Cohort.id)
        .outerjoin(Lesson, Lesson.id == CohortLesson.lesson_id)
        .outerjoin(Film, Film.id == func.coalesce(CohortLesson.film_id, Lesson.film_id))
        .order_by(Enrolment.enrolled_at.desc(), Enrolment.id, CohortLesson.position)
    )


def _facts(session: Session, statement: Select[Enrolment, Cohort, CohortLesson, Lesson, Film]) -> list[EnrolmentFacts]:
    gathered: dict[UUID, tuple[Enrolment, Cohort, list[LessonFacts]]] = {}
    place: CohortLesson | None  # outer joins: a cohort may have no lesson, a lesson no film
    film: Film | None
    for enrolment, cohort, place, lesson, film in session.execute(statement):
        lessons = gathered.setdefault(enrolment.id, (enrolment, cohort, []))[2]
        if place is not None:
            lessons.append(lesson_facts(place, lesson, film))
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


def lesson_facts(place: CohortLesson, lesson: Lesson, film: Film | None) -> LessonFacts:
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
    return CohortFacts(
        cohort_id=cohort.id,
        organisation_id=cohort.organisation_id,
        title=cohort.title,
        region=cohort.region,
        home=cohort.home,
        jurisdiction=cohort.jurisdiction,
        category=cohort.category,
        industry=cohort.industry,
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


def cohort_lines(session: Session, organisation_id: UUID | None) -> list[CohortLine]:
    """An institution's cohorts, the latest first, with how many study in each, in one query."""
    found = session.execute(
        select(Cohort, func.count(Enrolment.id))
        .outerjoin(Enrolment, (Enrolment.cohort_id == Cohort.id) & (Enrolment.state == EnrolmentState.ACTIVE))
        .where(Cohort.organisation_id == organisation_id)
        .group_by(Cohort.id)
        .order_by(Cohort.created_at.desc(), Cohort.id)
    )
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
            trainees=trainees,
            class_hour_ms=law_of(cohort).class_hour_ms,
        )
        for cohort, trainees in found
    ]


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


def enrolment_ids(session: Session, cohort_id: UUID) -> list[UUID]:
    """Everybody ever enrolled in a cohort."""
    return list(session.scalars(select(Enrolment.id).where(Enrolment.cohort_id == cohort_id)))


@dataclass(frozen=True, slots=True)
class WithoutPassword:
    """A trainee who has not chosen a password yet."""

    person_id: UUID
    account: str
    id_number_masked: str
    code_lapses_at: datetime | None
    """Until when the code is good that was issued for her; None while there is none."""

    @property
    def has_code(self) -> bool:
        return self.code_lapses_at is not None and clock.now() < self.code_lapses_at


def without_password(session: Session, cohort_id: UUID) -> list[WithoutPassword]:
    """Who of a cohort has never signed in, in the order of the roster."""
    rows = session.execute(
        _without_password(select(Account, Person.id_number_masked), cohort_id).order_by(
            Enrolment.enrolled_at, Enrolment.id
        )
    )
    return [
        WithoutPassword(
            account.person_id, account.account, masked, account.code_lapses_at if account.password_hash else None
        )
        for account, masked in rows
    ]


def _without_password(chosen: Select[*tuple[Any, ...]], cohort_id: UUID) -> Select[*tuple[Any, ...]]:
    return (
        chosen.join(Person, Person.id == Account.person_id)
        .join(Enrolment, Enrolment.person_id == Person.id)
        .where(
            Enrolment.cohort_id == cohort_id,
            Enrolment.state == EnrolmentState.ACTIVE,
            Account.activated_at.is_(None),
            Account.staff.is_(False),
        )
    )


def count_without_password(session: Session, cohort_id: UUID) -> int:
    """How many of a cohort have never signed in."""
    waiting = _without_password(select(func.count(Account.person_id)), cohort_id)
    return session.scalar(waiting) or 0


def names(session: Session, keyring: Keyring, person_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Whole names of an institution's own trainees."""
    return display_names(session, keyring, person_ids)


def declarations(session: Session, enrolment_ids: Iterable[UUID]) -> dict[UUID, EnrolmentDeclaration]:
    """What was declared of each at enrolment, by enrolment; those of whom nothing was are left out."""
    chosen = select(EnrolmentDeclaration).where(EnrolmentDeclaration.enrolment_id.in_(list(enrolment_ids)))
    return {row.enrolment_id: row for row in session.scalars(chosen)}
