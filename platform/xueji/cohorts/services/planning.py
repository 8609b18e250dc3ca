"""Planning a cohort, opening it, closing it. Opening freezes the plan, the lessons and the rulebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from courses.errors import LessonInUse
from courses.events import LessonChanging
from courses.models import Course, Film, FilmState, Lesson
from xueji.cohorts import queries
from xueji.cohorts.access import access_own_cohort
from xueji.cohorts.errors import (
    CohortFrozen,
    CohortRefused,
    TooManyLessons,
)
from xueji.cohorts.leaves import CohortOpened
from xueji.cohorts.models import Cohort, CohortLesson, CohortState
from xueji.cohorts.rules import Ground, Judgement, Objection, Proposal, ProposedLesson, judge
from xueji.cohorts.terms import TERMS, CohortTerms, terms_of
from xueji.identity.models import Organisation
from xueji.identity.services.recording import record_power
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import Invalid, NotFound
from xueji.rulebook import rules as rulebook
from xueji.rulebook.divisions import is_division, jurisdiction_of
from xueji.rulebook.industries import UNKNOWN, named_industry, risk, situation
from xueji.rulebook.plan import InvalidPlan, ProctoringPlan

MOST_LESSONS = 300
"""Online, of one cohort. The first leaf of every enrolment names them all, and a leaf holds 64 KiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortPlan(CohortTerms):
    """What an institution fills in about a cohort."""

    title: str
    region: str
    """Division code of where it is held."""
    syllabus: str
    """What the syllabus is called."""
    venue: str = ""
    proctoring: Mapping[str, int] = field(default_factory=dict)
    """Fields of the ProctoringPlan that differ from the rulebook's preset."""


def create_cohort(session: Session, *, actor: Actor, plan: CohortPlan) -> Cohort:
    """A draft of the actor's institution. Raises NotFound for somebody who acts for none, Invalid for its plan."""
    if not actor.is_(Role.INSTITUTION) or actor.organisation_id is None:
        raise NotFound
    home = session.get_one(Organisation, actor.organisation_id).region
    cohort = Cohort(organisation_id=actor.organisation_id, home=home, state=CohortState.DRAFT, created_at=clock.now())
    _write(cohort, plan)
    session.add(cohort)
    session.flush()
    return cohort


def change_cohort(session: Session, *, actor: Actor, cohort_id: UUID, plan: CohortPlan) -> Cohort:
    """Raises NotFound, CohortFrozen, Invalid."""
    cohort = _draft(session, actor, cohort_id)
    _write(cohort, plan)
    return cohort


def choose_lessons(session: Session, *, actor: Actor, cohort_id: UUID, lesson_ids: Sequence[UUID]) -> None:
    """The lessons taught online, in this order. Raises NotFound (also for another institution's), CohortFrozen,
    TooManyLessons."""
    cohort = _draft(session, actor, cohort_id)
    own = (
        select(Lesson)
        .join(Course, Course.id == Lesson.course_id)
        .where(Course.organisation_id == actor.organisation_id)
    )
    lessons = {lesson.id: lesson for lesson in session.scalars(own.where(Lesson.id.in_(lesson_ids)))}
    chosen = list(dict.fromkeys(lesson_ids))
    if any(lesson_id not in lessons for lesson_id in chosen):
        raise NotFound
    if len(chosen) > MOST_LESSONS:
        raise TooManyLessons
    session.execute(delete(CohortLesson).where(CohortLesson.cohort_id == cohort.id))
    session.add_all(
        CohortLesson(cohort_id=cohort.id, lesson_id=lesson_id, position=position, part=lessons[lesson_id].part)
        for position, lesson_id in enumerate(chosen, 1)
    )
    session.flush()


def discard_cohort(session: Session, *, actor: Actor, cohort_id: UUID) -> None:
    """Throw a draft away. Raises NotFound, CohortFrozen."""
    session.delete(_draft(session, actor, cohort_id))


def judge_cohort(session: Session, cohort: Cohort) -> Judgement:
    """What stands against opening the cohort as it is planned now, under the newest rulebook."""
    lessons = [(lesson, film) for _place, lesson, film in _lessons(session, cohort.id)]
    return _judged(terms_of(cohort), queries.law_of(cohort), ProctoringPlan.from_dict(cohort.plan), lessons)


def judge_amended(session: Session, cohort: Cohort, changed: Mapping[str, Any]) -> Judgement:
    """The same of a cohort as some of its fields are to be put right, under the rulebook it was opened under."""
    lessons = [(lesson, film) for _place, lesson, film in _lessons(session, cohort.id)]
    terms = terms_of(cohort, **{name: value for name, value in changed.items() if name in TERMS})
    return _judged(terms, queries.law_of(cohort), ProctoringPlan.from_dict(cohort.plan), lessons)


def judge_plan(session: Session, *, actor: Actor, plan: CohortPlan, lesson_ids: Sequence[UUID]) -> Judgement:
    """The same of a plan that is still being written. Raises Invalid for an unusable proctoring plan."""
    found = session.execute(
        select(Lesson, Film)
        .join(Course, Course.id == Lesson.course_id)
        .outerjoin(Film, Film.id == Lesson.film_id)
        .where(Course.organisation_id == actor.organisation_id, Lesson.id.in_(lesson_ids))
    )
    law = law_of(plan, actor.region or "")
    return _judged(plan, law, _proctoring(plan, law), [(lesson, film) for lesson, film in found])


def open_cohort(session: Session, keyring: Keyring, *, cohort: Cohort, actor: Actor) -> Cohort:
    """Freeze plan, lessons and rulebook, and let trainees in (003 art. 8); the platform's chain says who did.

    Raises NotFound (not the actor's), CohortFrozen (open already), CohortRefused with every finding against it.
    """
    cohort = _draft(session, actor, cohort.id)
    _must_exist(cohort.region)
    _hold_lessons(session, cohort.id)
    judgement = judge_cohort(session, cohort)
    if not judgement.may_open:
        raise CohortRefused(judgement.refusals, judgement.class_hour_ms)
    for place, lesson, film in _lessons(session, cohort.id):
        place.part = lesson.part
        if film is not None:
            place.duration_ms, place.film_id, place.film_sha256 = film.duration_ms, film.id, film.sha256
    cohort.rulebook, cohort.high_risk = rulebook.load().reference, judgement.risk.high
    cohort.state, cohort.opened_at = CohortState.OPEN, clock.now()
    session.flush()
    opened = CohortOpened(cohort=str(cohort.id), organisation=str(cohort.organisation_id), region=cohort.region)
    record_power(session, keyring, opened, actor=actor.person_id, subject=None)
    return cohort


def guard_lesson(changing: LessonChanging) -> None:
    """What a cohort has begun with stays as it is; a removed lesson leaves the drafts (`courses` asks).

    Raises LessonInUse.
    """
    session = changing.session
    begun = (
        select(CohortLesson.lesson_id)
        .join(Cohort, Cohort.id == CohortLesson.cohort_id)
        .where(CohortLesson.lesson_id == changing.lesson_id, Cohort.state != CohortState.DRAFT)
    )
    if session.scalar(begun.limit(1)) is not None:
        raise LessonInUse
    if changing.removed:
        session.execute(delete(CohortLesson).where(CohortLesson.lesson_id == changing.lesson_id))


def _draft(session: Session, actor: Actor, cohort_id: UUID) -> Cohort:
    cohort = access_own_cohort(session, actor, cohort_id, lock=True)
    if cohort.state is not CohortState.DRAFT:
        raise CohortFrozen
    return cohort


def law_of(plan: CohortPlan, home: str) -> rulebook.InForce:
    """The figures in force where and when a planned training begins; ``home`` is the institution's division code."""
    return rulebook.load().in_force(jurisdiction_of(plan.region, home), plan.starts_on)


def _write(cohort: Cohort, plan: CohortPlan) -> None:
    """Raises Invalid for a place that does not exist, and naming the field of a proctoring plan that cannot be used."""
    _must_exist(plan.region)
    for name in CohortPlan.__dataclass_fields__.keys() - {"proctoring"}:
        setattr(cohort, name, getattr(plan, name))
    law = law_of(plan, cohort.home)
    cohort.industry = named_industry(law, plan.industry, plan.subject)
    cohort.high_risk = risk(law, cohort.industry).high
    cohort.plan = dict(_proctoring(plan, law).to_dict())


def _must_exist(region: str) -> None:
    if not is_division(region):
        raise Invalid(_("没有这个行政区划代码。新设的区县请先填写所属市（地、州）的代码。"))


def _proctoring(plan: CohortPlan, law: rulebook.InForce) -> ProctoringPlan:
    try:
        industry = named_industry(law, plan.industry, plan.subject)
        what = situation(law, plan.category, industry, plan.training, plan.subject)
        return law.proctoring_plan(what, **plan.proctoring)
    except InvalidPlan as error:
        raise Invalid(None, field=error.field, problem=error.problem) from error


def _hold_lessons(session: Session, cohort_id: UUID) -> None:
    """Nobody changes the cohort's lessons until the transaction ends; what is known of them is read afresh."""
    chosen = select(CohortLesson.lesson_id).where(CohortLesson.cohort_id == cohort_id)
    locked = select(Lesson).where(Lesson.id.in_(chosen)).order_by(Lesson.id).with_for_update(read=True)
    session.scalars(locked.execution_options(populate_existing=True)).all()


def _lessons(session: Session, cohort_id: UUID) -> list[tuple[CohortLesson, Lesson, Film | None]]:
    found = session.execute(
        select(CohortLesson, Lesson, Film)
        .join(Lesson, Lesson.id == CohortLesson.lesson_id)
        .outerjoin(Film, Film.id == Lesson.film_id)
        .where(CohortLesson.cohort_id == cohort_id)
        .order_by(CohortLesson.position)
    )
    return [(place, lesson, film) for place, lesson, film in found]


def _judged(
    terms: CohortTerms,
    law: rulebook.InForce,
    proctoring: ProctoringPlan,
    lessons: Sequence[tuple[Lesson, Film | None]],
) -> Judgement:
    proposal = Proposal(
        **terms.fields() | {"industry": named_industry(law, terms.industry or UNKNOWN, terms.subject)},
        plan=proctoring,
        lessons=tuple(
            ProposedLesson(
                lesson.title,
                lesson.part,
                film.duration_ms if film is not None and film.state is FilmState.READY else None,
                "" if film is None else film.sha256 or str(film.id),
            )
            for lesson, film in lessons
        ),
    )
    found = judge(law, proposal, clock.shanghai_day(clock.now()))
    if "+" in law.jurisdiction:
        return replace(found, notices=(*found.notices, Objection(Ground.HELD_ELSEWHERE)))
    return found
