"""Oversight of what staff say: a person over all her cohorts, two places at once, figures of each member of staff."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from support.scenario import MINUTE, Scenario, Student
from support.school import new_member, new_school

from xueji.attendance.models import Attendance, ClassSession
from xueji.attendance.rules import AttendanceState
from xueji.attendance.services import entering as attendance
from xueji.attendance.services import planning as sessions
from xueji.attendance.services import settling
from xueji.attendance.services.planning import ClassSessionPlan
from xueji.cohorts.models import Cohort
from xueji.desks import rooms
from xueji.desks.queries import flagged_trainees, overview
from xueji.enrolment.services import trainees
from xueji.hours.queries import statement_of
from xueji.hours.services import keep_people
from xueji.identity.models import Person
from xueji.identity.rules import ProofRoute
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.oversight.access import seen_cohorts
from xueji.oversight.services import draw_trainees
from xueji.proctoring import services as proctoring
from xueji.rulebook.vocabulary import Doubt, Outcome, Part, ReviewOutcome


def regulator(scenario: Scenario) -> Actor:
    return scenario.regulator.actor(Role.REGULATOR, region="620100")


def plan(scenario: Scenario, cohort: Cohort, began: datetime, minutes: int = 60, **changes: str) -> ClassSession:
    named = {"title": "急救", "place": "一号教室", "teacher": "赵老师", **changes}
    with scenario.context.database.writing() as session:
        return sessions.plan_class_session(
            session,
            scenario.context.keyring,
            actor=scenario.school.staff,
            cohort_id=cohort.id,
            plan=ClassSessionPlan(
                **named, part=Part.PRACTICAL, began_at=began, ended_at=began + timedelta(minutes=minutes)
            ),
        )


def enter(scenario: Scenario, lesson: ClassSession, *enrolment_ids: UUID) -> list[Attendance]:
    with scenario.context.database.writing() as session:
        return attendance.record_attendance(
            session,
            scenario.context,
            actor=scenario.school.staff,
            session_id=lesson.id,
            attended=dict.fromkeys(enrolment_ids, (lesson.began_at, lesson.ended_at)),
        )


def enrolled_too(scenario: Scenario, student: Student, cohort: Cohort) -> Student:
    """The same person in another cohort."""
    with scenario.context.database.writing() as session:
        person = session.get_one(Person, student.who.id)
        enrolment = trainees.enrol(
            session, scenario.context.keyring, cohort=cohort, person=person, actor=scenario.school.staff
        )
    return replace(student, enrolment=enrolment, answers=[], checks=[])


def keep(scenario: Scenario, *students: Student) -> None:
    keep_people(scenario.context.database, [student.enrolment.id for student in students])


def flagged(scenario: Scenario, among: Collection[str] = ()) -> list[tuple[str, int]]:
    with scenario.context.database.reading() as session:
        people = rooms.flagged_people(session, regulator(scenario))
        _lines, total = flagged_trainees(session, regulator(scenario))
        figures = overview(session, regulator(scenario), clock.shanghai_day(clock.now()))
    assert figures.flagged == total
    return [code for person in people for code in person.codes]


def test_studying_here_while_in_a_room_there_waits_at_the_door_and_takes_nothing_away(scenario: Scenario) -> None:
    student = scenario.student()
    other = scenario.school.cohort()
    elsewhere = enrolled_too(scenario, student, other)
    lesson = plan(scenario, other, clock.now() + timedelta(minutes=5))
    scenario.time.advance(timedelta(minutes=10))
    student.study(scenario.lessons[0], 20 * MINUTE)
    scenario.time.advance(timedelta(hours=1))
    (entered,) = enter(scenario, lesson, elsewhere.enrolment.id)
    assert entered.state is AttendanceState.WAITING and entered.waits == [Doubt.OVERLAP]
    assert {each["enrolment"] for each in entered.overlaps} == {str(student.enrolment.id)}
    total = sum(each["to_ms"] - each["from_ms"] for each in entered.overlaps)
    assert total == 20 * MINUTE
    with scenario.context.database.reading() as session:
        here, there = (statement_of(session, each.enrolment.id) for each in (student, elsewhere))
    assert here.online.counted_ms + here.online.provisional_ms == 20 * MINUTE
    assert there.in_person.practical_ms == 0 and here.flags == there.flags == ()
    keep(scenario, student)
    assert flagged(scenario) == []
    with scenario.context.database.reading() as session:
        (waits,) = rooms.to_settle(session, regulator(scenario))
    assert waits.attendance.id == entered.id
    with scenario.context.database.writing() as session:
        settling.settle_attendance(
            session,
            scenario.context.keyring,
            actor=regulator(scenario),
            attendance_id=entered.id,
            outcome=ReviewOutcome.ACCEPT,
            reason="线上一段由他人代学，另行处理",
        )
    keep(scenario, student)
    assert flagged(scenario) == [("in_person_while_online", 20 * MINUTE)]


def test_a_teacher_in_two_places_is_found_over_all_cohorts(scenario: Scenario) -> None:
    other = scenario.school.cohort()
    began = clock.now() + timedelta(minutes=5)
    plan(scenario, scenario.cohort, began)
    plan(scenario, other, began + timedelta(minutes=30), place="二号教室")
    plan(scenario, other, began + timedelta(minutes=90), place="三号教室")
    plan(scenario, other, began, teacher="钱老师")
    with scenario.context.database.reading() as session:
        found = rooms.double_bookings(session, regulator(scenario))
        nothing = rooms.double_bookings(session, scenario.regulator.actor(Role.REGULATOR, region="110000"))
    assert sorted((each.by_teacher, each.by_place) for each in found) == [(False, True), (True, False)]
    assert nothing == []


def test_a_member_of_staff_in_two_places_within_minutes_is_found(scenario: Scenario) -> None:
    one, other = (scenario.student(name, ProofRoute.SUPERVISED) for name in ("张三", "李四"))
    plan(scenario, scenario.cohort, clock.now() + timedelta(hours=1), place="兰州分校")
    scenario.check_in(one)
    scenario.time.advance(timedelta(seconds=30))
    scenario.check_in(other, place="兰州分校")
    with scenario.context.database.reading() as session:
        (found,) = rooms.staff_in_two_places(session, regulator(scenario))
    assert (found.place, found.other_place) == ("一号教室", "兰州分校")
    assert found.other_at_ms - found.at_ms == 30_000


def test_figures_of_each_member_of_staff(scenario: Scenario) -> None:
    student = scenario.student(route=ProofRoute.SUPERVISED)
    scenario.check_in(student)
    scenario.round()
    scenario.round()
    contested = scenario.student("李四")
    contested.study(scenario.lessons[0], answers=[Outcome.MISMATCH] * 3)
    contested.contest(contested.checks[0])
    scenario.time.advance(timedelta(hours=2))
    colleague = new_member(scenario.context, scenario.school.organisation, Role.INSTITUTION, "吴老师").actor
    with scenario.context.database.writing() as session:
        proctoring.review(
            session,
            scenario.context.keyring,
            actor=colleague,
            check_id=contested.checks[0],
            outcome=ReviewOutcome.ACCEPT,
            reason="看过照片，是本人",
        )
    scenario.attend(student, ms=30 * MINUTE)
    with scenario.context.database.reading() as session:
        lines = {line.person_id: line for line in rooms.staff_figures(session, regulator(scenario))}
        face, supervised = rooms.work_of_routes(session, seen_cohorts(regulator(scenario)))
    head, other = lines[scenario.school.staff.person_id], lines[colleague.person_id]
    assert (head.check_ins, head.rounds, head.entered, head.late, head.decided) == (1, 2, 1, 0, 0)
    assert (other.decided, other.accepted, other.median_ms) == (1, 1, 2 * 3_600_000)
    assert face.study_ms > 0 and face.per_hour_tenths > 0
    assert supervised.acts == 4, "one check-in, two rounds, one code"


def test_whoever_was_let_out_can_still_be_drawn(scenario: Scenario) -> None:
    student = scenario.student()
    with scenario.context.database.writing() as session:
        trainees.withdraw(
            session,
            scenario.context.keyring,
            scenario.context.events,
            enrolment_id=student.enrolment.id,
            reason="改报他班",
            actor=scenario.school.staff,
        )
        draw = draw_trainees(session, scenario.context.keyring, actor=regulator(scenario), size=5)
    assert draw.population == student.enrolment.id.bytes
    with scenario.context.database.reading() as session:
        assert statement_of(session, student.enrolment.id).withdrawn


def test_other_schools_of_other_places_are_nobodys_business_here(scenario: Scenario) -> None:
    far = new_school(scenario.context, region="220102")
    assert far.organisation.region == "220102"
    with scenario.context.database.reading() as session:
        assert rooms.staff_figures(session, regulator(scenario)) == []
