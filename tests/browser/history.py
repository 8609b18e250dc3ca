"""What a cohort of the demonstration's institution did yesterday: studied, was checked, contested, was looked at.

Pages with nothing on them are easily made to look well. This fills them, through the services, before the installation
is started; what is not real about it is that the clock was told the time, and that nobody sat before a camera.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from support.people import PASSWORD, Someone
from support.scenario import MINUTE, Scenario, playing
from support.school import Member, School

from xueji.app import create_app
from xueji.demo.accounts import Placed
from xueji.identity.models import Organisation, Person
from xueji.identity.rules import ProofRoute
from xueji.identity.services import FacePicture, record_look
from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.kernel.settings import Settings
from xueji.oversight.rules import FindingKind
from xueji.oversight.services import draw_trainees, raise_finding
from xueji.rulebook.vocabulary import Outcome

NAMES = ("周敏", "李国强", "阿卜杜热合曼·买买提依明", "陈思远", "司马青云")


@dataclass(frozen=True)
class History:
    """What there is to look at."""

    account: str
    """A trainee with confirmed, held and refused time, an appeal, and looks at her pictures; her password is the
    tests' own."""
    enrolment_id: UUID
    sitting_id: UUID
    cohort_id: UUID
    lesson_id: UUID
    course_id: UUID
    session_id: UUID
    check_to_review: UUID
    finding_id: UUID
    draw_id: UUID
    person_id: UUID
    passwords: Mapping[str, str]


def make_history(settings: Settings, people: Mapping[str, Placed], begins: datetime) -> History:
    """Play it from ``begins`` on, a day of a few hours."""
    app = create_app(context=Context.open(settings))
    context: Context = app.extensions["xueji"]
    try:
        school, regulator = _school(context, people["institution"]), _someone(people["regulator"])
        with playing(
            app, begins=begins, lessons=4, lesson_ms=30 * MINUTE, region="220104", school=school, regulator=regulator
        ) as scenario:
            return _a_day(scenario, people)
    finally:
        context.close()


def _a_day(scenario: Scenario, people: Mapping[str, Placed]) -> History:
    context = scenario.context
    students = [scenario.student(name) for name in NAMES[:4]]
    students.append(scenario.student(NAMES[4], ProofRoute.SUPERVISED))
    first, second, *_others = students
    session_id = scenario.attend(*students, ms=150 * MINUTE)
    scenario.time.advance(timedelta(hours=1))
    sitting_id = first.study(scenario.lessons[0], together=1, answers=[Outcome.MATCH, Outcome.UNCLEAR, Outcome.MATCH])
    scenario.time.advance(timedelta(minutes=20))
    first.study(scenario.lessons[1], 18 * MINUTE, together=1, answers=[Outcome.MATCH, Outcome.MISSED])
    second.study(scenario.lessons[0], 15 * MINUTE, answers=[Outcome.MISMATCH] * 3)
    second.contest(second.checks[0])
    for student in students[2:4]:
        student.study(scenario.lessons[0], 10 * MINUTE)
    scenario.check_in(students[4])
    students[4].study(scenario.lessons[0], 12 * MINUTE)

    regulator = people["regulator"].actor
    deadline = clock.shanghai_day(clock.now()) + timedelta(days=15)
    with context.database.writing() as session:
        draw = draw_trainees(session, context.keyring, actor=regulator, size=5)
        finding = raise_finding(
            session,
            context.keyring,
            actor=regulator,
            enrolment_id=second.enrolment.id,
            kind=FindingKind.IDENTITY,
            words="第一课的三次核验均与登记照片不一致，请说明当时的学习地点和在场人员。",
            deadline=deadline,
        )
        for viewer in ("institution", "regulator"):
            record_look(
                session,
                context.keyring,
                viewer=people[viewer].actor,
                picture=FacePicture(sitting_id, first.who.id, "", ""),
                purpose="review" if viewer == "institution" else "audit",
                chain=str(first.enrolment.id),
            )
    return History(
        account=first.who.account,
        enrolment_id=first.enrolment.id,
        sitting_id=sitting_id,
        cohort_id=scenario.cohort.id,
        lesson_id=scenario.lessons[0].id,
        course_id=scenario.lessons[0].course_id,
        session_id=session_id,
        check_to_review=second.checks[0],
        finding_id=finding.id,
        draw_id=draw.id,
        person_id=first.who.id,
        passwords={student.who.account: PASSWORD for student in students},
    )


def _school(context: Context, staff: Placed) -> School:
    with context.database.reading() as session:
        person = session.get_one(Person, staff.person_id)
        organisation = session.get_one(Organisation, staff.actor.organisation_id)
    return School(context, organisation, Member(_someone(staff), person, staff.actor))


def _someone(placed: Placed) -> Someone:
    """As the tests' helpers name people. They never sign in as her: her password is her own."""
    organisation_id = placed.actor.organisation_id
    assert organisation_id is not None
    return Someone(
        placed.person_id, placed.member.account, organisation_id, placed.member.id_number, placed.member.name
    )
