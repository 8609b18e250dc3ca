"""What is to do today, and cohorts and institutions beside each other: counts that lead to where they come from."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from support.people import Browser, Someone, organisation, someone
from support.scenario import Scenario

from xueji.attendance.services.planning import ClassSessionPlan, plan_class_session
from xueji.cohorts.models import Cohort
from xueji.desks import comparing
from xueji.desks.comparing import ComparisonOrder
from xueji.desks.today import Duty, tasks_of
from xueji.hours.models import HoursAccount
from xueji.identity.models import Membership, Person
from xueji.identity.rules import OrganisationKind, ProofRoute
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.oversight import services
from xueji.oversight.rules import FindingKind
from xueji.proctoring import services as proctoring
from xueji.rulebook.vocabulary import Outcome, Part, ReviewOutcome
from xueji.trace.models import Alarm


def regulator(scenario: Scenario, region: str = "620100") -> Actor:
    who: Someone = scenario.regulator
    return who.actor(Role.REGULATOR, region=region)


def waiting(scenario: Scenario, actor: Actor) -> dict[Duty, int]:
    with scenario.context.database.reading() as session:
        return {task.duty: task.count for task in tasks_of(session, scenario.context.keyring, actor)}


def test_what_waits_is_counted_and_gone_when_it_is_done(scenario: Scenario) -> None:
    staff, officer, keyring = scenario.school.staff, regulator(scenario), scenario.context.keyring
    assert waiting(scenario, officer) == {}
    first, second = scenario.student(), scenario.student("李小红", confirmed=False)
    first.study(scenario.lessons[0], answers=[Outcome.MISMATCH] * 3, together=1)
    first.contest(first.checks[0])
    assert waiting(scenario, staff)[Duty.APPEALS] == 1 and waiting(scenario, staff)[Duty.PHOTOS] == 1
    scenario.confirm_photos(second)
    with scenario.context.database.writing() as session:
        finding = services.raise_finding(
            session,
            keyring,
            actor=officer,
            enrolment_id=first.enrolment.id,
            kind=FindingKind.IDENTITY,
            words="照片不像本人",
            deadline=clock.shanghai_day(clock.now()) + timedelta(days=3),
        )
        began = clock.now() + timedelta(minutes=1)
        plan = ClassSessionPlan(
            title="面授",
            place="一号教室",
            teacher="赵老师",
            part=Part.THEORY,
            began_at=began,
            ended_at=began + timedelta(hours=1),
        )
        plan_class_session(session, keyring, actor=staff, cohort_id=scenario.cohort.id, plan=plan)
    found = waiting(scenario, staff)
    assert found[Duty.FINDINGS] == 1 and Duty.ATTENDANCE not in found and Duty.PHOTOS not in found
    scenario.time.advance(timedelta(days=5))
    found = waiting(scenario, staff)
    assert found[Duty.OVERDUE] == 1 and found[Duty.ATTENDANCE] == 1 and Duty.FINDINGS not in found
    assert waiting(scenario, officer)[Duty.OVERDUE] == 1
    with scenario.context.database.writing() as session:
        services.answer_finding(session, keyring, actor=staff, finding_id=finding.id, answer="已核实")
        proctoring.review(
            session, keyring, actor=staff, check_id=first.checks[0], outcome=ReviewOutcome.REJECT, reason="不是本人"
        )
    assert waiting(scenario, officer) == {Duty.ANSWERS: 1}
    left = waiting(scenario, staff)
    assert Duty.ATTENDANCE in left and not {Duty.APPEALS, Duty.OVERDUE} & set(left)
    assert waiting(scenario, first.actor) == {Duty.MAKE_UP: 1, Duty.STUDY: 2}, "hers, and nothing of theirs"


def test_whoever_is_not_finished_is_counted_before_the_cohort_ends(scenario: Scenario) -> None:
    scenario.student()
    with scenario.context.database.writing() as session:
        session.get_one(Cohort, scenario.cohort.id).closes_on = clock.shanghai_day(clock.now()) + timedelta(days=7)
    assert waiting(scenario, scenario.school.staff) == {Duty.ENDING: 1}
    with scenario.context.database.writing() as session:
        session.get_one(Cohort, scenario.cohort.id).closes_on = clock.shanghai_day(clock.now()) + timedelta(days=8)
    assert waiting(scenario, scenario.school.staff) == {}


def test_cohorts_are_compared_by_how_their_checks_ended(scenario: Scenario) -> None:
    good, bad, silent = scenario.student(), scenario.student("李小红"), scenario.student("赵小刚")
    good.study(scenario.lessons[0], together=1)
    bad.study(scenario.lessons[0], answers=[Outcome.NO_FACE], together=1)
    silent.study(scenario.lessons[0], answers=[Outcome.MISSED], together=1)
    scenario.time.advance(timedelta(minutes=5))
    with scenario.context.database.writing() as session:
        proctoring.sweep_missed(session)
    checks = len(good.checks) + len(bad.checks) + len(silent.checks)
    with scenario.context.database.reading() as session:
        for order in ComparisonOrder:
            (cohort,) = comparing.cohorts(session, regulator(scenario), order)
            (school,) = comparing.institutions(session, regulator(scenario), order)
            assert (cohort.trainees, cohort.checks) == (3, checks)
            assert (cohort.failed, cohort.silent, cohort.accepted) == (2, 1, 0)
            assert (school.trainees, school.checks, school.failed, school.cohorts) == (3, checks, 2, 1)
        assert cohort.rate(cohort.failed) == 2000 // checks
        assert comparing.cohorts(session, regulator(scenario, "650000"), ComparisonOrder.NAME) == []


def test_the_pages_lead_on_and_export_everything(scenario: Scenario, app: Flask) -> None:
    scenario.student()
    staff, officer = Browser(app), Browser(app)
    staff.sign_in(scenario.school.head.who)
    assert staff.get("/").location == "/today"
    assert "现在没有要做的事" in staff.get("/today").text
    officer.sign_in(scenario.regulator)
    assert scenario.cohort.title in officer.get("/oversight/cohorts?order=silent").text
    assert officer.get("/oversight/cohorts?order=else").status_code == 404
    assert scenario.cohort.title in officer.get("/oversight/cohorts.csv").text
    assert officer.get("/oversight/institutions.csv").status_code == 200
    assert staff.get("/oversight/cohorts").status_code == 403


def test_a_trainee_is_led_to_what_she_can_do_and_to_nothing_that_is_over(app: Flask, scenario: Scenario) -> None:
    student = scenario.student()
    assert waiting(scenario, student.actor) == {Duty.STUDY: 3}
    student.study(scenario.lessons[0], answers=[Outcome.MATCH, Outcome.MISMATCH])
    assert waiting(scenario, student.actor) == {Duty.MAKE_UP: 1, Duty.STUDY: 2}
    browser = Browser(app)
    browser.sign_in(student.who)
    page = browser.get("/today").text
    make_up = f"/learn/{student.enrolment.id}/{scenario.lessons[0].id}?make_up=1"
    assert make_up in page and scenario.cohort.title in page
    assert browser.get(make_up).status_code == 200
    unready = scenario.student("田雨", ProofRoute.FACE)
    with scenario.context.database.writing() as session:
        session.get_one(Person, unready.who.id).route_chosen_at = None
    assert waiting(scenario, unready.actor) == {Duty.ROUTE: 1, Duty.STUDY: 3}
    scenario.time.advance(scenario.cohort.settles_at - clock.now())
    assert waiting(scenario, student.actor) == {}


def test_an_enterprise_sees_how_many_of_its_people_wait_and_of_nobody_else_s(app: Flask, scenario: Scenario) -> None:
    works = organisation(scenario.context, OrganisationKind.ENTERPRISE, "620102")
    boss = someone(scenario.context, Role.ENTERPRISE, at=works)
    mine, other = scenario.student("沈若男"), scenario.student("田雨")
    with scenario.context.database.writing() as session:
        session.add(Membership(person_id=mine.who.id, organisation_id=works.id, role=Role.TRAINEE, since=clock.now()))
        for each in (mine, other):
            session.add(HoursAccount(enrolment_id=each.enrolment.id, complete=False, begun=True, held_ms=60_000))
    chief = boss.actor(Role.ENTERPRISE)
    assert waiting(scenario, chief) == {Duty.STAFF_MAKE_UP: 1}
    with scenario.context.database.writing() as session:
        session.get_one(HoursAccount, mine.enrolment.id).begun = False
        session.get_one(Cohort, scenario.cohort.id).closes_on = clock.shanghai_day(clock.now()) + timedelta(days=7)
    assert waiting(scenario, chief) == {Duty.STAFF_ENDING: 1, Duty.STAFF_MAKE_UP: 1, Duty.STAFF_UNBEGUN: 1}
    browser = Browser(app)
    browser.sign_in(boss)
    assert browser.get("/").location == "/today"
    assert "七天内结班、还没学满的员工" in browser.get("/today").text
    with scenario.context.database.writing() as session:
        session.get_one(HoursAccount, mine.enrolment.id).complete = True
    assert Duty.STAFF_ENDING not in waiting(scenario, chief)


def test_an_administrator_sees_alarms_and_what_waits_for_a_decision(app: Flask, scenario: Scenario) -> None:
    admin = someone(scenario.context, Role.ADMINISTRATOR)
    assert waiting(scenario, admin.actor(Role.ADMINISTRATOR)) == {}
    with scenario.context.database.writing() as session:
        session.add(Alarm(kind="gap", chain="x", detail="a leaf is missing", raised_at=clock.now()))
    assert waiting(scenario, admin.actor(Role.ADMINISTRATOR)) == {Duty.ALARMS: 1}
    browser = Browser(app)
    browser.sign_in(admin)
    assert "存证日志的警报" in browser.get("/today").text
