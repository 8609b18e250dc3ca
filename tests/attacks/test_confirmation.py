"""Whoever confirms hours for others confirms none of her own, and nobody goes on earning who was let out."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from support.scenario import Scenario, Student
from support.school import HOUR

from xueji.attendance.services import entering as attendance
from xueji.attendance.services import planning as sessions
from xueji.attendance.services.planning import ClassSessionPlan
from xueji.enrolment.errors import NotForOneself
from xueji.identity.rules import ProofRoute
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.proctoring import services as proctoring
from xueji.rulebook.vocabulary import Part


@pytest.fixture
def student(scenario: Scenario) -> Student:
    return scenario.student(route=ProofRoute.SUPERVISED)


@pytest.fixture
def herself(scenario: Scenario, student: Student) -> Actor:
    """The trainee is on the institution's staff too; both roles are hers in one session."""
    return Actor(
        student.who.id, UUID(int=0), frozenset({Role.TRAINEE, Role.INSTITUTION}), scenario.school.organisation.id, None
    )


def test_nobody_checks_herself_in(scenario: Scenario, student: Student, herself: Actor) -> None:
    context = scenario.context
    with context.database.writing() as session, pytest.raises(NotForOneself):
        proctoring.check_in(
            session,
            context.keyring,
            actor=herself,
            enrolment_id=student.enrolment.id,
            place="家里",
            lasts=timedelta(hours=3),
        )


def test_nobody_confirms_in_a_round_that_she_is_there_or_that_she_left(
    scenario: Scenario, student: Student, herself: Actor
) -> None:
    context, here = scenario.context, scenario.check_in(student)
    for confirm in (proctoring.confirm_presence, proctoring.check_out):
        with context.database.writing() as session, pytest.raises(NotForOneself):
            confirm(session, context.keyring, actor=herself, check_in_id=here)
    scenario.check_out(here)


def test_nobody_enters_her_own_attendance(scenario: Scenario, student: Student, herself: Actor) -> None:
    context, began = scenario.context, clock.now() + timedelta(minutes=1)
    plan = ClassSessionPlan(
        title="现场实操",
        place="实训基地",
        teacher="赵老师",
        part=Part.PRACTICAL,
        began_at=began,
        ended_at=began + timedelta(milliseconds=HOUR),
    )
    with context.database.writing() as session:
        held = sessions.plan_class_session(
            session, context.keyring, actor=herself, cohort_id=scenario.cohort.id, plan=plan
        )
    scenario.time.advance(timedelta(milliseconds=HOUR + 60_000))
    with context.database.writing() as session, pytest.raises(NotForOneself):
        attendance.record_attendance(
            session,
            context,
            actor=herself,
            session_id=held.id,
            attended={student.enrolment.id: (plan.began_at, plan.ended_at)},
        )
