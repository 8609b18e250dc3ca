"""Reminders: many in one act, each once a day at most, recorded, and read with what is true when they are read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select
from support.people import Browser
from support.scenario import Scenario, Student, playing
from support.school import new_member, new_school

from xueji.cohorts.services import closing
from xueji.enrolment.services import trainees
from xueji.hours import reminding
from xueji.hours.errors import NobodyToRemind
from xueji.hours.models import Reminder
from xueji.hours.reminding import Reminded, last_reminded, read_reminder, remind, unread_reminders
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.errors import NotFound
from xueji.rulebook.vocabulary import Outcome
from xueji.trace.models import Pending
from xueji.trace.rules import STAFF_NAME, STAFF_ORGANISATION, Event


@pytest.fixture
def scenario(app: Flask) -> Iterator[Scenario]:
    with playing(app) as made:
        yield made


def _remind(scenario: Scenario, *students: Student, actor: Actor | None = None) -> Reminded:
    with scenario.context.database.writing() as session:
        return remind(
            session,
            scenario.context.keyring,
            actor=actor or scenario.school.staff,
            cohort_id=scenario.cohort.id,
            enrolment_ids=[each.enrolment.id for each in students],
        )


def _leaves(scenario: Scenario, student: Student) -> list[dict[str, object]]:
    with scenario.context.database.reading() as session:
        found = session.scalars(select(Pending.leaf).where(Pending.chain == student.enrolment.chain))
        leaves = [json.loads(leaf) for leaf in found]
    return [leaf for leaf in leaves if leaf["event"] == Event.ENROLMENT_REMIND]


def test_many_are_told_in_one_act_each_once_a_day_and_each_chain_says_who_did(scenario: Scenario) -> None:
    first, second = scenario.student("沈若男"), scenario.student("田雨")
    assert _remind(scenario, first, second) == Reminded(2, 0, 0, 0)
    colleague = new_member(scenario.context, scenario.school.organisation, Role.INSTITUTION).actor
    assert _remind(scenario, first, second, actor=colleague) == Reminded(0, 2, 0, 0), "by whomever"
    for student in (first, second):
        (leaf,) = _leaves(scenario, student)
        values = leaf["values"]
        assert isinstance(values, dict) and {"reminder", STAFF_NAME, STAFF_ORGANISATION} == values.keys()
        with scenario.context.database.reading() as session:
            line = unread_reminders(session, student.who.id)[student.enrolment.id]
        assert (line.at, line.institution) == (clock.now(), scenario.school.organisation.name)
    scenario.time.advance(timedelta(days=1))
    assert _remind(scenario, first).told == 1
    assert len(_leaves(scenario, first)) == 2 and len(_leaves(scenario, second)) == 1


def test_who_has_nothing_left_to_do_is_not_told(scenario: Scenario) -> None:
    out, behind = scenario.student("沈若男"), scenario.student("田雨")
    with scenario.context.database.writing() as session:
        trainees.withdraw(
            session,
            scenario.context.keyring,
            scenario.context.events,
            enrolment_id=out.enrolment.id,
            reason="报错了班",
            actor=scenario.school.staff,
        )
    assert _remind(scenario, out, behind) == Reminded(1, 0, 1, 0)
    assert _leaves(scenario, out) == []
    with pytest.raises(NobodyToRemind):
        _remind(scenario, out)


def test_after_the_last_day_only_those_are_told_who_can_still_make_something_up(scenario: Scenario) -> None:
    owing, behind = scenario.student("沈若男"), scenario.student("田雨")
    owing.study(scenario.lessons[0], answers=[Outcome.MATCH, Outcome.MISMATCH])
    scenario.time.advance(timedelta(hours=1))
    with scenario.context.database.writing() as session:
        closing.close_cohort(
            session, scenario.context.events, actor=scenario.school.staff, cohort_id=scenario.cohort.id
        )
    assert _remind(scenario, owing, behind) == Reminded(1, 0, 1, 0)
    scenario.time.advance(scenario.cohort.settles_at - clock.now())
    with pytest.raises(NobodyToRemind):
        _remind(scenario, owing, behind)


def test_one_act_tells_so_many_and_says_how_many_are_left(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reminding, "MOST_AT_ONCE", 1)
    first, second = scenario.student("沈若男"), scenario.student("田雨")
    assert _remind(scenario, first, second) == Reminded(1, 0, 0, 1)
    assert _remind(scenario, first, second) == Reminded(1, 1, 0, 0)


def test_nobody_reminds_in_another_s_cohort_or_somebody_outside_it(scenario: Scenario) -> None:
    student = scenario.student()
    stranger = new_school(scenario.context).staff
    for actor in (stranger, student.actor, scenario.regulator.actor(Role.REGULATOR)):
        with pytest.raises(NotFound):
            _remind(scenario, student, actor=actor)
    with pytest.raises(NotFound), scenario.context.database.writing() as session:
        remind(
            session,
            scenario.context.keyring,
            actor=scenario.school.staff,
            cohort_id=scenario.cohort.id,
            enrolment_ids=[uuid4()],
        )
    assert _leaves(scenario, student) == []


def test_what_she_has_read_is_told_no_more_and_only_she_reads_it(scenario: Scenario) -> None:
    student, other = scenario.student("沈若男"), scenario.student("田雨")
    _remind(scenario, student)
    scenario.time.advance(timedelta(days=1))
    _remind(scenario, student)
    with scenario.context.database.reading() as session:
        reminder: UUID = unread_reminders(session, student.who.id)[student.enrolment.id].reminder_id
        assert list(last_reminded(session, [student.enrolment.id, other.enrolment.id])) == [student.enrolment.id]
    for somebody in (other.actor, scenario.school.staff):
        with pytest.raises(NotFound), scenario.context.database.writing() as session:
            read_reminder(session, actor=somebody, reminder_id=reminder)
    with scenario.context.database.writing() as session:
        read_reminder(session, actor=student.actor, reminder_id=reminder)
    with scenario.context.database.reading() as session:
        assert unread_reminders(session, student.who.id) == {}
        assert all(each.read_at == clock.now() for each in session.scalars(select(Reminder)))


def test_staff_tick_people_or_take_a_whole_tab_and_the_trainee_reads_what_is_left(
    app: Flask, scenario: Scenario
) -> None:
    student, other = scenario.student("沈若男"), scenario.student("田雨")
    student.study(scenario.lessons[0], answers=[Outcome.MATCH, Outcome.MISMATCH])
    staff, trainee = Browser(app), Browser(app)
    staff.sign_in(scenario.school.head.who)
    hours, path = f"/cohorts/{scenario.cohort.id}/hours", f"/cohorts/{scenario.cohort.id}/reminders"
    nobody = staff.post(path, {"show": ""}, look=hours)
    assert nobody.status_code == 422 and "请先勾选" in nobody.text
    told = staff.post(path, {"show": "held", "all": "1"}, look=f"{hours}?show=held", follow_redirects=True)
    assert "已提醒 1 人" in told.text
    ticked = {"enrolment": [str(student.enrolment.id), str(other.enrolment.id)]}
    again = staff.post(path, ticked, look=hours, follow_redirects=True)
    assert "已提醒 1 人" in again.text and "1 人今天已经提醒过" in again.text
    assert again.text.count("今天已提醒") >= 2
    trainee.sign_in(student.who)
    page = trainee.get("/training").text
    assert "提醒您" in page and "要补学" in page
    form = page.split('action="/reminders/')[1].split('"')[0]
    assert trainee.post(f"/reminders/{form}", look="/training").status_code == 302
    assert "提醒您" not in trainee.get("/training").text
