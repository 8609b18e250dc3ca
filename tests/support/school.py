"""An institution with staff, trainees, a course and a cohort, as small as a test needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from flask import Flask
from flask.testing import FlaskClient
from stdnum.cn import ric
from support.people import Someone, bearer, organisation, someone

from courses.models import Film, FilmState, Lesson
from courses.services import editing
from xueji.cohorts.models import Cohort
from xueji.cohorts.services import planning as cohorts
from xueji.cohorts.services.planning import CohortPlan
from xueji.enrolment.declarations import Declaration
from xueji.enrolment.models import Enrolment
from xueji.enrolment.services import trainees
from xueji.identity.models import Organisation, Person
from xueji.identity.rules import OrganisationKind
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.context import Context
from xueji.rulebook.vocabulary import Category, Part, Training

HOUR = 2_700_000
REGION = "620102"


def id_number(serial: int) -> str:
    """A well-formed identity number of nobody, born in 1990."""
    body = f"62010219900101{serial % 1000:03d}"
    return body + ric.calc_check_digit(body + "0")


@dataclass(frozen=True)
class Member:
    """Somebody with the actor she acts as."""

    who: Someone
    person: Person
    actor: Actor

    def client(self, app: Flask, context: Context) -> FlaskClient:
        """A program that is signed in as her."""
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = bearer(context, self.who)["Authorization"]
        return client


@dataclass
class School:
    """One institution. ``head`` runs it; ``staff`` is who services see then."""

    context: Context
    organisation: Organisation
    head: Member

    @property
    def staff(self) -> Actor:
        return self.head.actor

    def film(self, duration_ms: int = 10 * 60_000, state: FilmState = FilmState.READY) -> UUID:
        """A film without files."""
        with self.context.database.writing() as session:
            film = Film(
                organisation_id=self.organisation.id,
                name="film.mp4",
                size=1,
                state=state,
                duration_ms=duration_ms if state is FilmState.READY else None,
                folder=f"films/{uuid4()}/{uuid4()}" if state is FilmState.READY else None,
                sha256=uuid4().hex * 2 if state is FilmState.READY else "",
                uploaded_at=clock.now(),
            )
            session.add(film)
            session.flush()
            return film.id

    def lesson(self, duration_ms: int | None = 10 * 60_000, *, part: Part = Part.THEORY, title: str = "通风") -> Lesson:
        """A lesson of a new course; with a film that long, or with none."""
        film_id = self.film(duration_ms) if duration_ms is not None else None
        with self.context.database.writing() as session:
            course = editing.create_course(session, actor=self.staff, title="有限空间作业")
            return editing.add_lesson(
                session, actor=self.staff, course_id=course.id, title=title, part=part, film_id=film_id
            )

    def draft(self, *lessons: Lesson, **changes: Any) -> Cohort:
        with self.context.database.writing() as session:
            cohort = cohorts.create_cohort(session, actor=self.staff, plan=cohort_plan(**changes))
            cohorts.choose_lessons(
                session, actor=self.staff, cohort_id=cohort.id, lesson_ids=[lesson.id for lesson in lessons]
            )
            return cohort

    def cohort(self, *lessons: Lesson, **changes: Any) -> Cohort:
        """An open one; its online hours are what the lessons last, the rest of the theory is in person.

        Nobody is asked to play the films, for most have no files.
        """
        changes.setdefault("proctoring", {"film_handed_out": 0})
        lessons = lessons or (self.lesson(),)
        draft = self.draft(*lessons, **{**_hours_online(self, lessons), **changes})
        with self.context.database.writing() as session:
            return cohorts.open_cohort(session, self.context.keyring, cohort=draft, actor=self.staff)

    def trainee(self, cohort: Cohort) -> tuple[Member, Enrolment]:
        """Somebody new, enrolled."""
        member = new_member(self.context, self.organisation, Role.TRAINEE)
        return member, self.enrol(cohort, member)

    def enrol(self, cohort: Cohort, member: Member) -> Enrolment:
        with self.context.database.writing() as session:
            return trainees.enrol(session, self.context.keyring, cohort=cohort, person=member.person, actor=self.staff)


def new_organisation(
    context: Context, kind: OrganisationKind = OrganisationKind.INSTITUTION, region: str = REGION
) -> Organisation:
    return organisation(context, kind, region)


def new_member(context: Context, organisation: Organisation, role: Role, name: str = "王小明") -> Member:
    who = someone(context, role, at=organisation, name=name)
    with context.database.reading() as session:
        person = session.get_one(Person, who.id)
    return Member(who, person, Actor(who.id, uuid4(), frozenset({role}), organisation.id, organisation.region))


def new_school(context: Context, region: str = REGION) -> School:
    place = new_organisation(context, region=region)
    return School(context, place, new_member(context, place, Role.INSTITUTION))


def declared(cohort: Cohort) -> Declaration:
    """Of somebody whom the cohort is for, with a certificate of before."""
    return Declaration(
        post=cohort.category, employer="虚构冶炼有限公司", industry=cohort.industry, earlier="合格证 甘A-2023-0417"
    )


def cohort_plan(**changes: Any) -> CohortPlan:
    """48 class hours for managers in a high-risk industry, a third of them practical, nothing online."""
    today = clock.shanghai_day(clock.now())
    values: dict[str, Any] = {
        "title": "初训第一期",
        "region": REGION,
        "category": Category.SAFETY_MANAGER,
        "industry": "metal_smelting",
        "training": Training.INITIAL,
        "syllabus": "安全生产管理人员初训大纲",
        "total_ms": 48 * HOUR,
        "theory_ms": 32 * HOUR,
        "practical_ms": 16 * HOUR,
        "online_ms": 0,
        "in_person_ms": 48 * HOUR,
        "starts_on": today,
        "ends_on": date(today.year + 1, 1, 31),
        "venue": "一号教室",
    }
    return CohortPlan(**{**values, **changes})


def _hours_online(school: School, lessons: tuple[Lesson, ...]) -> dict[str, int]:
    with school.context.database.reading() as session:
        films = [session.get(Film, lesson.film_id) for lesson in lessons if lesson.film_id is not None]
    online = sum(film.duration_ms or 0 for film in films if film is not None)
    return {"online_ms": online, "in_person_ms": 48 * HOUR - online}
