"""The route without a camera: the code of the room, rounds, absence, another place, a strike and its undoing."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from support.scenario import MINUTE, Scenario, Student
from support.school import new_member, new_school

from xueji.cohorts.errors import ReasonNeeded
from xueji.cohorts.services import closing
from xueji.enrolment.services import trainees
from xueji.hours.queries import statement_of
from xueji.identity.models import Person
from xueji.identity.rules import ProofRoute
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.errors import NotFound
from xueji.proctoring import services as proctoring
from xueji.proctoring.errors import (
    AlreadyCheckedIn,
    CheckInClosed,
    CheckInNeeded,
    CheckInStruck,
    NobodyHere,
    PlaceUnknown,
    RoomCodeNeeded,
    StrikeOver,
    StruckByYou,
)
from xueji.proctoring.models import CheckIn
from xueji.proctoring.services.checkins import CODE_LASTS_MS, MOST_TRIES


@pytest.fixture
def student(scenario: Scenario) -> Student:
    return scenario.student(route=ProofRoute.SUPERVISED)


def minutes(scenario: Scenario, student: Student) -> dict[str, int]:
    with scenario.context.database.reading() as session:
        online = statement_of(session, student.enrolment.id).online
    named = {"counted": online.counted_ms, "provisional": online.provisional_ms, "held": online.held_ms}
    return {name: ms // MINUTE for name, ms in named.items() if ms}


def shown(scenario: Scenario, student: Student, place: str = "一号教室") -> str:
    now_ms = clock.to_ms(clock.now())
    return proctoring.room_code(scenario.context.keyring, student.enrolment.cohort_id, place, now_ms)


def type_in(scenario: Scenario, student: Student, code: str) -> bool:
    with scenario.context.database.writing() as session:
        return proctoring.enter_code(session, scenario.context.keyring, actor=student.actor, code=code)


def strike(scenario: Scenario, actor: Actor, here: UUID, reason: str = "当天她请假了") -> None:
    with scenario.context.database.writing() as session:
        proctoring.revoke_check_in(session, scenario.context.keyring, actor=actor, check_in_id=here, reason=reason)


def restore(scenario: Scenario, actor: Actor, here: UUID) -> None:
    with scenario.context.database.writing() as session:
        proctoring.restore_check_in(
            session, scenario.context.keyring, actor=actor, check_in_id=here, reason="请假的是另一人"
        )


# ---- the code


def test_nobody_studies_before_the_code_of_the_room_is_typed(scenario: Scenario, student: Student) -> None:
    with pytest.raises(CheckInNeeded):
        type_in(scenario, student, "123456")
    scenario.check_in(student, coded=False)
    with pytest.raises(RoomCodeNeeded):
        student.study(scenario.lessons[0])
    assert not type_in(scenario, student, shown(scenario, student, "二号教室"))
    code = shown(scenario, student)
    scenario.time.advance(timedelta(milliseconds=CODE_LASTS_MS))
    assert type_in(scenario, student, f"{code[:3]} {code[3:]}"), "the code before is taken for as long again"
    assert type_in(scenario, student, "anything"), "once a check-in"
    student.study(scenario.lessons[0], 5 * MINUTE)


def test_an_old_code_is_no_code(scenario: Scenario, student: Student) -> None:
    scenario.check_in(student, coded=False)
    code = shown(scenario, student)
    scenario.time.advance(timedelta(milliseconds=2 * CODE_LASTS_MS))
    assert not type_in(scenario, student, code)


def test_digits_in_full_width_are_digits(scenario: Scenario, student: Student) -> None:
    scenario.check_in(student, coded=False)
    wide = "".join(chr(ord(digit) - ord("0") + ord("０")) for digit in shown(scenario, student))
    assert type_in(scenario, student, wide)


def test_codes_are_not_guessed(scenario: Scenario, student: Student) -> None:
    scenario.check_in(student, coded=False)
    right = shown(scenario, student)
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    assert not any(type_in(scenario, student, wrong) for _n in range(MOST_TRIES))
    with pytest.raises(CheckInNeeded):
        type_in(scenario, student, right)
    scenario.check_in(student)
    student.study(scenario.lessons[0], MINUTE)


# ---- rounds


def test_a_missed_round_holds_what_comes_after_it_and_refuses_nothing(scenario: Scenario, student: Student) -> None:
    scenario.check_in(student)
    student.study(scenario.lessons[0], 30 * MINUTE)
    scenario.round()
    assert minutes(scenario, student) == {"counted": 30}
    scenario.time.advance(timedelta(minutes=40))
    student.study(scenario.lessons[1], 20 * MINUTE)
    scenario.round()
    assert minutes(scenario, student) == {"counted": 35, "held": 15}


def test_one_tap_for_the_room_and_whoever_is_missing_was_last_seen_before(scenario: Scenario) -> None:
    there, gone = (scenario.student(name, ProofRoute.SUPERVISED) for name in ("张三", "李四"))
    with pytest.raises(NobodyHere):
        scenario.round()
    scenario.check_in(there)
    left = scenario.check_in(gone)
    for each in (there, gone):
        each.study(scenario.lessons[0], 10 * MINUTE)
    scenario.round(left)
    assert minutes(scenario, there) == {"counted": 10}
    assert minutes(scenario, gone) == {"held": 10}
    with pytest.raises(CheckInClosed):
        scenario.round(left)
    with pytest.raises(CheckInNeeded):
        gone.study(scenario.lessons[0])


# ---- the place


def test_people_are_checked_in_where_the_cohort_is_taught(scenario: Scenario, student: Student) -> None:
    with pytest.raises(PlaceUnknown):
        scenario.check_in(student, place="家里")
    scenario.attend(student, ms=10 * MINUTE)
    scenario.check_in(student, place="实训基地")


def test_a_check_in_elsewhere_ends_the_old_window_and_says_so(scenario: Scenario, student: Student) -> None:
    other = new_school(scenario.context)
    cohort = other.cohort()
    with scenario.context.database.writing() as session:
        person = session.get_one(Person, student.who.id)
        elsewhere = trainees.enrol(session, scenario.context.keyring, cohort=cohort, person=person, actor=other.staff)
    forgotten = scenario.check_in(student)
    student.study(scenario.lessons[0], 10 * MINUTE)
    with pytest.raises(AlreadyCheckedIn):
        scenario.check_in(student)
    scenario.check_in(Student(scenario, student.who, elsewhere), actor=other.staff)
    with scenario.context.database.reading() as session:
        before = session.get_one(CheckIn, forgotten)
    assert (before.closed_ms, before.ended_why) == (clock.to_ms(clock.now()), "elsewhere")
    with pytest.raises(CheckInNeeded):
        student.study(scenario.lessons[0])
    assert minutes(scenario, student) == {"provisional": 10}


# ---- a strike, and its undoing


def test_a_false_check_in_is_struck_with_a_reason_and_restored_by_somebody_else(
    scenario: Scenario, student: Student
) -> None:
    regulator = scenario.regulator.actor(Role.REGULATOR, region="620100")
    colleague = new_member(scenario.context, scenario.school.organisation, Role.INSTITUTION, "吴老师").actor
    here = scenario.check_in(student)
    student.study(scenario.lessons[0], 10 * MINUTE)
    scenario.round()
    with pytest.raises(ReasonNeeded):
        strike(scenario, colleague, here, " ")
    strike(scenario, colleague, here)
    assert minutes(scenario, student) == {"held": 10}
    with pytest.raises(CheckInStruck):
        strike(scenario, regulator, here)
    for one_of_them in (colleague, scenario.school.staff):
        with pytest.raises(StruckByYou):
            restore(scenario, one_of_them, here)
    restore(scenario, regulator, here)
    assert minutes(scenario, student) == {"counted": 10}


def test_whoever_has_no_business_with_it_strikes_nothing(scenario: Scenario, student: Student) -> None:
    here = scenario.check_in(student)
    stranger = new_school(scenario.context).staff
    for actor in (stranger, student.actor):
        with pytest.raises(NotFound):
            strike(scenario, actor, here)


def test_after_the_settlement_only_the_regulator_strikes(scenario: Scenario, student: Student) -> None:
    regulator = scenario.regulator.actor(Role.REGULATOR, region="620100")
    here = scenario.check_in(student)
    scenario.time.advance(scenario.cohort.settles_at - clock.now())
    with pytest.raises(StrikeOver):
        strike(scenario, scenario.school.staff, here)
    strike(scenario, regulator, here)


def test_struck_while_she_studies_it_ends_at_once(scenario: Scenario, student: Student) -> None:
    here = scenario.check_in(student)
    student.study(scenario.lessons[0], 5 * MINUTE)
    strike(scenario, scenario.school.staff, here)
    with pytest.raises(CheckInNeeded):
        student.study(scenario.lessons[0])
    scenario.time.advance(timedelta(minutes=2))
    with scenario.context.database.writing() as session:
        closing.close_cohort(
            session, scenario.context.events, actor=scenario.school.staff, cohort_id=scenario.cohort.id
        )
