"""Reads about trainees in cohorts: plain records out, nothing decided."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from courses.models import Film, Lesson
from xueji.cohorts.models import Cohort, CohortLesson
from xueji.cohorts.queries import CohortFacts, LessonFacts, cohort_facts, lesson_facts
from xueji.enrolment.models import Enrolment, EnrolmentDeclaration, EnrolmentState
from xueji.enrolment.roster_queries import PER_PAGE
from xueji.identity.models import Account, Person
from xueji.identity.queries import display_names, same_person
from xueji.kernel import clock
from xueji.kernel.crypto import Keyring


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
        """One of its lessons; None for any other."""
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
        """Whether a code was issued for her that is still good."""
        return self.code_lapses_at is not None and clock.now() < self.code_lapses_at


def without_password(
    session: Session, cohort_id: UUID, page: int, among: Collection[UUID] | None = None
) -> tuple[list[WithoutPassword], int]:
    """A page of those of a cohort who have never signed in, in the order of the roster, and how many they are.

    ``among``: enrolments that were looked for; None is everybody.
    """
    chosen = _without_password(select(Account, Person.id_number_masked), cohort_id)
    counted = _without_password(select(func.count(Account.person_id)), cohort_id)
    if among is not None:
        chosen, counted = (each.where(Enrolment.id.in_(among)) for each in (chosen, counted))
    rows = session.execute(
        chosen.order_by(Enrolment.enrolled_at, Enrolment.id).limit(PER_PAGE).offset((page - 1) * PER_PAGE)
    )
    return [
        WithoutPassword(
            account.person_id, account.account, masked, account.code_lapses_at if account.password_hash else None
        )
        for account, masked in rows
    ], session.scalar(counted) or 0


def to_be_given_codes(
    session: Session, cohort_id: UUID, most: int, chosen: Collection[UUID] = ()
) -> tuple[list[UUID], int]:
    """Of the same the first ``most`` whose code is not good now, or of those ``chosen``; and how many they are."""
    wanted = [Person.id.in_(chosen)] if chosen else [_has_no_code()]
    ids = _without_password(select(Account.person_id), cohort_id).where(*wanted)
    return (
        list(session.scalars(ids.order_by(Enrolment.enrolled_at, Enrolment.id).limit(most))),
        session.scalar(_without_password(select(func.count(Account.person_id)), cohort_id).where(*wanted)) or 0,
    )


def _has_no_code() -> ColumnElement[bool]:
    return or_(Account.password_hash == "", Account.code_lapses_at.is_(None), Account.code_lapses_at <= clock.now())


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
