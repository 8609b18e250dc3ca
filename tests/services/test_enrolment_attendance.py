"""Attendance in person: entered whole, never twice, never in two rooms, taken back only with a reason."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from school_for_tests import HOUR, School, new_school

from xueji.enrolment.errors import (
    AttendanceRefused,
    AttendanceRevoked,
    CohortNotOpen,
    ReasonNeeded,
    SessionHeld,
    SessionRefused,
)
from xueji.enrolment.models import Attendance, Cohort, InPersonSession
from xueji.enrolment.rules import NotAttended
from xueji.enrolment.services import attendance, cohorts, trainees
from xueji.enrolment.services.attendance import SessionPlan
from xueji.hours.rules import evidence
from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.kernel.errors import NotFound
from xueji.rulebook.vocabulary import Part
from xueji.trace import queries as trace


@pytest.fixture
def school(context: Context) -> School:
    return new_school(context)


@pytest.fixture
def cohort(school: School) -> Cohort:
    return school.cohort()


def hold(school: School, cohort: Cohort, minutes_ago: int = 120, minutes: int = 90, **changes: Any) -> InPersonSession:
    """A session that began so long ago."""
    began = clock.now() - timedelta(minutes=minutes_ago)
    values: dict[str, Any] = {
        "title": "心肺复苏",
        "place": "一号教室",
        "teacher": "刘老师",
        "part": Part.PRACTICAL,
        "began_at": began,
        "ended_at": began + timedelta(minutes=minutes),
    }
    with school.context.database.writing() as session:
        return attendance.add_session(
            session, actor=school.staff, cohort_id=cohort.id, plan=SessionPlan(**{**values, **changes})
        )


def enter(school: School, lesson: InPersonSession, attended: dict[UUID, int]) -> list[Attendance]:
    with school.context.database.writing() as session:
        return attendance.record_attendance(
            session, school.context.keyring, actor=school.staff, session_id=lesson.id, attended=attended
        )


def revoke(school: School, entered: Attendance, reason: str = "登记错误") -> None:
    with school.context.database.writing() as session:
        attendance.revoke_attendance(
            session, school.context.keyring, actor=school.staff, attendance_id=entered.id, reason=reason
        )


def leaves(school: School, enrolment_id: UUID) -> list[dict[str, Any]]:
    with school.context.database.reading() as session:
        return list(trace.chain(session, str(enrolment_id)))


@pytest.fixture(autouse=True)
def noon() -> Any:
    """So that no session of a test reaches over midnight."""
    with clock.fixed(datetime(2026, 11, 21, 4, tzinfo=UTC)) as time:
        yield time


def test_a_whole_roster_is_entered_and_stands_in_each_chain(school: School, cohort: Cohort) -> None:
    enrolments = [school.trainee(cohort)[1] for _n in range(3)]
    lesson = hold(school, cohort)
    enter(school, lesson, {enrolment.id: 2 * HOUR for enrolment in enrolments})
    for enrolment in enrolments:
        found = leaves(school, enrolment.id)
        assert [leaf["event"] for leaf in found] == ["enrolment.open", "attendance"]
        assert found[1]["values"] == {
            "session": str(lesson.id),
            "part": "practical",
            "began": clock.to_ms(lesson.began_at),
            "ended": clock.to_ms(lesson.ended_at),
            "ms": 2 * HOUR,
            "method": "roster",
        }
        assert found[1]["who"] == school.context.keyring.pseudonym(school.staff.person_id, enrolment.id)
        (counted,) = evidence(found).attendance
        assert counted.ms == 2 * HOUR


def test_one_bad_row_and_nobody_is_entered(school: School, cohort: Cohort) -> None:
    good, bad = school.trainee(cohort)[1], school.trainee(cohort)[1]
    lesson = hold(school, cohort)
    with pytest.raises(AttendanceRefused) as refused:
        enter(school, lesson, {good.id: HOUR, bad.id: 3 * HOUR})
    assert refused.value.refused == {bad.id: NotAttended.LONGER_THAN_SESSION}
    assert len(leaves(school, good.id)) == 1


def test_nobody_is_in_two_rooms_at_once_not_even_in_two_cohorts(school: School, cohort: Cohort) -> None:
    member, enrolment = school.trainee(cohort)
    other = school.cohort()
    with school.context.database.writing() as session:
        second = trainees.enrol(session, school.context.keyring, cohort=other, person=member.person, actor=school.staff)
    enter(school, hold(school, cohort, minutes_ago=120, minutes=60), {enrolment.id: 1})
    with pytest.raises(AttendanceRefused) as refused:
        enter(school, hold(school, other, minutes_ago=61, minutes=60), {second.id: 1})
    assert refused.value.refused == {second.id: NotAttended.OVERLAPS}
    enter(school, hold(school, other, minutes_ago=60, minutes=60), {second.id: 1})


def test_not_before_it_has_ended(school: School, cohort: Cohort) -> None:
    _member, enrolment = school.trainee(cohort)
    with pytest.raises(AttendanceRefused):
        enter(school, hold(school, cohort, minutes_ago=30, minutes=31), {enrolment.id: 1})


def test_entered_at_the_same_moment_it_counts_once(school: School, cohort: Cohort) -> None:
    _member, enrolment = school.trainee(cohort)
    lesson = hold(school, cohort)

    def try_to(_n: int) -> bool:
        try:
            enter(school, lesson, {enrolment.id: HOUR})
        except AttendanceRefused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(try_to, range(4))) == [False, False, False, True]
    assert len(leaves(school, enrolment.id)) == 2


def test_it_is_taken_back_with_a_reason_and_entered_anew(school: School, cohort: Cohort) -> None:
    _member, enrolment = school.trainee(cohort)
    lesson = hold(school, cohort)
    (entered,) = enter(school, lesson, {enrolment.id: HOUR})
    with pytest.raises(ReasonNeeded):
        revoke(school, entered, " ")
    revoke(school, entered)
    with pytest.raises(AttendanceRevoked):
        revoke(school, entered)
    assert evidence(leaves(school, enrolment.id)).attendance == ()
    enter(school, lesson, {enrolment.id: HOUR // 2})
    (counted,) = evidence(leaves(school, enrolment.id)).attendance
    assert counted.ms == HOUR // 2
    assert "登记错误" not in str(leaves(school, enrolment.id))


def test_a_session_that_was_held_stays_and_one_that_was_not_may_go(school: School, cohort: Cohort) -> None:
    _member, enrolment = school.trainee(cohort)
    held, planned = hold(school, cohort), hold(school, cohort, minutes_ago=-60)
    enter(school, held, {enrolment.id: 1})
    with school.context.database.writing() as session:
        attendance.remove_session(session, actor=school.staff, session_id=planned.id)
        with pytest.raises(SessionHeld):
            attendance.remove_session(session, actor=school.staff, session_id=held.id)


def test_sessions_lie_within_an_open_cohort(school: School, cohort: Cohort) -> None:
    with pytest.raises(SessionRefused):
        hold(school, cohort, minutes_ago=-60 * 24 * 1000)
    with pytest.raises(SessionRefused):
        hold(school, cohort, minutes=0)
    with pytest.raises(CohortNotOpen):
        hold(school, school.draft())


def test_a_closed_cohort_takes_no_more_attendance(school: School, cohort: Cohort) -> None:
    _member, enrolment = school.trainee(cohort)
    lesson = hold(school, cohort)
    with school.context.database.writing() as session:
        cohorts.close_cohort(session, school.context.events, actor=school.staff, cohort_id=cohort.id)
    with pytest.raises(CohortNotOpen):
        enter(school, lesson, {enrolment.id: 1})


def test_strangers_and_trainees_of_other_cohorts_are_not_found(school: School, cohort: Cohort) -> None:
    stranger = new_school(school.context)
    _member, enrolment = school.trainee(cohort)
    _other, elsewhere = school.trainee(school.cohort())
    lesson = hold(school, cohort)
    (entered,) = enter(school, lesson, {enrolment.id: 1})
    for attended in ({elsewhere.id: 1}, {uuid4(): 1}):
        with pytest.raises(NotFound):
            enter(school, lesson, attended)
    with pytest.raises(NotFound):
        enter(stranger, lesson, {enrolment.id: 1})
    with pytest.raises(NotFound):
        revoke(stranger, entered)
    with pytest.raises(NotFound):
        hold(stranger, cohort)
    with stranger.context.database.writing() as session, pytest.raises(NotFound):
        attendance.remove_session(session, actor=stranger.staff, session_id=lesson.id)
