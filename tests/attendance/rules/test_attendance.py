"""Attendance, judged by itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from xueji.attendance.rules import (
    ATTENDANCE_MOVES,
    AttendanceState,
    BadClassSession,
    ClassSessionTimes,
    NotAttended,
    Stay,
    attendance_refusal,
    class_session_refusal,
)

NINE = datetime(2026, 11, 20, 1, tzinfo=UTC)
ELEVEN = NINE + timedelta(hours=2)
SETTLES = NINE + timedelta(days=20)
HERE, THERE = UUID(int=1), UUID(int=2)
HELD = ClassSessionTimes(HERE, NINE, ELEVEN, SETTLES)


def stay(begins: int, ends: int, session_id: UUID = THERE) -> Stay:
    """Minutes after nine."""
    return Stay(session_id, NINE + timedelta(minutes=begins), NINE + timedelta(minutes=ends))


@pytest.mark.parametrize(
    ("times", "others", "now", "expected"),
    [
        ((0, 120), [], ELEVEN, None),
        ((0, 20), [stay(-60, 0), stay(20, 200)], ELEVEN, None),
        ((0, 120), [], ELEVEN - timedelta(milliseconds=1), NotAttended.NOT_OVER_YET),
        ((0, 120), [], SETTLES - timedelta(milliseconds=1), None),
        ((0, 120), [], SETTLES, NotAttended.AFTER_SETTLEMENT),
        ((60, 60), [], ELEVEN, NotAttended.NO_TIME),
        ((60, 59), [], ELEVEN, NotAttended.NO_TIME),
        ((-1, 60), [], ELEVEN, NotAttended.OUTSIDE_SESSION),
        ((60, 121), [], ELEVEN, NotAttended.OUTSIDE_SESSION),
        ((0, 120), [stay(119, 180)], ELEVEN, NotAttended.OVERLAPS),
        ((0, 120), [stay(-10, 1)], ELEVEN, NotAttended.OVERLAPS),
        ((0, 120), [stay(30, 40)], ELEVEN, NotAttended.OVERLAPS),
        ((0, 20), [stay(60, 120, HERE)], ELEVEN, NotAttended.ALREADY_ENTERED),
    ],
)
def test_attendance(times: tuple[int, int], others: list[Stay], now: datetime, expected: NotAttended | None) -> None:
    here = stay(*times, session_id=HERE)
    assert attendance_refusal(HELD, here, others, active=True, enrolled=NINE, now=now) is expected


def test_a_withdrawn_trainee_attends_nothing() -> None:
    here = stay(0, 1, HERE)
    assert attendance_refusal(HELD, here, [], active=False, enrolled=NINE, now=ELEVEN) is NotAttended.NOT_ACTIVE


@pytest.mark.parametrize(("minutes", "expected"), [(0, None), (1, NotAttended.BEFORE_ENROLMENT)])
def test_nobody_attends_before_she_is_enrolled(minutes: int, expected: NotAttended | None) -> None:
    enrolled = NINE + timedelta(minutes=minutes)
    found = attendance_refusal(HELD, stay(0, 60, HERE), [], active=True, enrolled=enrolled, now=ELEVEN)
    assert found is expected


TWENTIETH, THIRTIETH = date(2026, 11, 20), date(2026, 11, 30)


@pytest.mark.parametrize(
    ("began", "ended", "days", "expected"),
    [
        (NINE, ELEVEN, (TWENTIETH, TWENTIETH), None),
        (NINE, NINE, (TWENTIETH, TWENTIETH), BadClassSession.ENDS_BEFORE_START),
        (NINE, NINE + timedelta(days=1), (TWENTIETH, date(2026, 11, 21)), None),
        (
            NINE,
            NINE + timedelta(days=1, milliseconds=1),
            (TWENTIETH, date(2026, 11, 21)),
            BadClassSession.LONGER_THAN_A_DAY,
        ),
        (NINE, ELEVEN, (date(2026, 11, 19), TWENTIETH), None),
        (NINE, ELEVEN, (date(2026, 11, 18), TWENTIETH), BadClassSession.OUTSIDE_COHORT),
        (NINE, ELEVEN, (THIRTIETH, THIRTIETH), None),
        (NINE, NINE + timedelta(days=2), (TWENTIETH, date(2026, 11, 22)), BadClassSession.LONGER_THAN_A_DAY),
        (NINE, ELEVEN, (date(2026, 11, 18), date(2026, 11, 18)), BadClassSession.OUTSIDE_COHORT),
        (NINE, ELEVEN, (THIRTIETH, date(2026, 12, 1)), BadClassSession.OUTSIDE_COHORT),
        (NINE - timedelta(milliseconds=1), ELEVEN, (TWENTIETH, TWENTIETH), BadClassSession.BEFORE_OPENING),
    ],
)
def test_sessions(began: datetime, ended: datetime, days: tuple[date, date], expected: BadClassSession | None) -> None:
    found = class_session_refusal(began, ended, opened=NINE, days=days, starts_on=date(2026, 11, 19), ends_on=THIRTIETH)
    assert found is expected


def test_every_state_of_an_attendance_says_what_may_follow() -> None:
    assert set(ATTENDANCE_MOVES) == set(AttendanceState)
    assert ATTENDANCE_MOVES[AttendanceState.REVOKED] == frozenset()
    assert all(AttendanceState.REVOKED in after for state, after in ATTENDANCE_MOVES.items() if after)
