"""The way out of a flag: who may go it, that it is recorded and can be taken back, and that nothing is earned by it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select
from support.people import Browser, Someone, someone
from support.scenario import Scenario, Student, playing
from support.school import HOUR, new_member

from bench.loose_leaves import loose
from xueji.cohorts.errors import ReasonNeeded
from xueji.enrolment.errors import NotForOneself
from xueji.hours import flag_clearing
from xueji.hours.errors import NoSuchFlag, SecondClearanceNeeded
from xueji.hours.models import FlagClearance
from xueji.hours.queries import statement_of
from xueji.hours.rules import Statement
from xueji.kernel.actor import Actor, Role
from xueji.kernel.errors import NotFound
from xueji.rulebook.vocabulary import Part
from xueji.trace import queries as trace
from xueji.trace import services as recording
from xueji.trace.rules import Event

CODE = "two_sessions_at_once"


@pytest.fixture
def scenario(app: Flask) -> Iterator[Scenario]:
    with playing(app) as scenario:
        yield scenario


@pytest.fixture
def student(scenario: Scenario) -> Student:
    """Somebody whose chain says that she was in two rooms at once, as only a forged one can."""
    student = scenario.student()
    scenario.attend(student, ms=2 * HOUR, part=Part.PRACTICAL)
    chain = student.enrolment.chain
    with scenario.context.database.writing() as session:
        leaf = next(leaf for leaf in trace.chain(session, chain) if leaf["event"] == Event.ATTENDANCE)
        values = {**leaf["values"], "session": str(uuid4())}
        recording.record(session, loose(Event.ATTENDANCE, values), chain=chain, who="somebody")
    return student


def statement(student: Student) -> Statement:
    with student.scenario.context.database.reading() as session:
        return statement_of(session, student.enrolment.id)


def clear(
    student: Student, actor: Actor, reason: str = "核对过签到表，第二条为误录。", code: str = CODE
) -> FlagClearance:
    context = student.scenario.context
    with context.database.writing() as session:
        return flag_clearing.clear_flag(
            session, context.keyring, actor=actor, enrolment_id=student.enrolment.id, code=code, reason=reason
        )


def restore(student: Student, actor: Actor) -> None:
    context = student.scenario.context
    with context.database.writing() as session:
        flag_clearing.restore_flag(
            session, context.keyring, actor=actor, enrolment_id=student.enrolment.id, code=CODE, reason="查得不够"
        )


def leaves(student: Student, event: Event) -> list[dict[str, Any]]:
    with student.scenario.context.database.reading() as session:
        return [leaf for leaf in trace.chain(session, student.enrolment.chain) if leaf["event"] == event]


def colleague(scenario: Scenario) -> Actor:
    return new_member(scenario.context, scenario.school.organisation, Role.INSTITUTION, "周老师").actor


def regulator(scenario: Scenario) -> Actor:
    return scenario.regulator.actor(Role.REGULATOR)


def test_a_regulator_clears_a_flag_and_nothing_is_earned_by_it(scenario: Scenario, student: Student) -> None:
    before = statement(student)
    assert [flag.code for flag in before.flags] == [CODE]
    clear(student, regulator(scenario))
    after = statement(student)
    assert after.flags == ()
    assert [(each.code, each.by) for each in after.cleared] == [(CODE, "regulator")]
    assert after.totals == before.totals
    (leaf,) = leaves(student, Event.FLAG_CLEAR)
    assert (leaf["values"]["by"], leaf["values"]["proposed_by"]) == ("regulator", "")
    assert len(leaf["values"]["reason"]) == 64


def test_of_the_institution_it_takes_two_people(scenario: Scenario, student: Student) -> None:
    staff = scenario.school.staff
    clear(student, staff)
    assert [flag.code for flag in statement(student).flags] == [CODE]
    with pytest.raises(SecondClearanceNeeded):
        clear(student, staff)
    clear(student, colleague(scenario))
    cleared = statement(student)
    assert cleared.flags == ()
    assert [each.by for each in cleared.cleared] == ["institution"]
    (leaf,) = leaves(student, Event.FLAG_CLEAR)
    (proposed,) = leaves(student, Event.FLAG_PROPOSE)
    assert leaf["values"]["proposed_by"] == proposed["who"] != leaf["who"]


def test_it_can_be_taken_back(scenario: Scenario, student: Student) -> None:
    clear(student, regulator(scenario))
    restore(student, scenario.school.staff)
    assert [flag.code for flag in statement(student).flags] == [CODE]
    with pytest.raises(NoSuchFlag):
        restore(student, regulator(scenario))
    clear(student, scenario.school.staff)
    clear(student, regulator(scenario))
    assert statement(student).flags == ()
    with scenario.context.database.reading() as session:
        rows = session.scalars(select(FlagClearance).order_by(FlagClearance.proposed_at)).all()
    assert [(row.by, row.restored_at is not None) for row in rows] == [("regulator", True), ("regulator", False)]


def test_nobody_else_clears_and_nothing_without_words(scenario: Scenario, student: Student) -> None:
    with pytest.raises(NotForOneself):
        clear(student, student.actor)
    stranger: Someone = someone(scenario.context, Role.REGULATOR, region="110100", name="外地人")
    with pytest.raises(NotFound):
        clear(student, stranger.actor(Role.REGULATOR, region="110100"))
    with pytest.raises(ReasonNeeded):
        clear(student, regulator(scenario), reason="  ")
    with pytest.raises(NoSuchFlag):
        clear(student, regulator(scenario), code="clock_back")
    assert leaves(student, Event.FLAG_CLEAR) == []


def test_the_pages_offer_it_to_those_who_may(app: Flask, scenario: Scenario, student: Student) -> None:
    path = f"/enrolments/{student.enrolment.id}/hours"
    browser = Browser(app)
    browser.sign_in(scenario.school.head.who)
    assert "提出放行" in browser.get(path).text
    sent = browser.post(f"/enrolments/{student.enrolment.id}/flags/{CODE}/clear", {"reason": "核对过"}, look=path)
    assert sent.status_code == 302
    assert "等待另一位工作人员" in browser.get(path).text
    eyes = Browser(app)
    eyes.sign_in(scenario.regulator)
    page = eyes.get(f"/oversight/trainees/{student.enrolment.id}").text
    assert "核对过" in page
    assert "确认放行" in page
    eyes.post(f"/enrolments/{student.enrolment.id}/flags/{CODE}/clear", {"reason": "属实"}, look=path)
    assert "监管部门核查后放行" in eyes.get(path).text
    herself = Browser(app)
    herself.sign_in(student.who)
    assert "撤回放行" not in herself.get(path).text
