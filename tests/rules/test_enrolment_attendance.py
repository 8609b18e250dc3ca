"""Attendance and pasted tables, judged by themselves."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from xueji.enrolment.rules import (
    BadLine,
    BadSession,
    NotAttended,
    PastedPerson,
    Stay,
    attendance_refusal,
    pasted_people,
    session_refusal,
)

NINE = datetime(2026, 11, 20, 1, tzinfo=UTC)
ELEVEN = NINE + timedelta(hours=2)
HERE, THERE = UUID(int=1), UUID(int=2)
STAY = Stay(HERE, NINE, ELEVEN)
TWO_HOURS = 7_200_000


def stay(begins: int, ends: int, session_id: UUID = THERE) -> Stay:
    """Minutes after nine."""
    return Stay(session_id, NINE + timedelta(minutes=begins), NINE + timedelta(minutes=ends))


@pytest.mark.parametrize(
    ("ms", "others", "now", "expected"),
    [
        (TWO_HOURS, [], ELEVEN, None),
        (1, [stay(-60, 0), stay(120, 200)], ELEVEN, None),
        (TWO_HOURS, [], ELEVEN - timedelta(milliseconds=1), NotAttended.NOT_OVER_YET),
        (0, [], ELEVEN, NotAttended.NO_TIME),
        (-1, [], ELEVEN, NotAttended.NO_TIME),
        (TWO_HOURS + 1, [], ELEVEN, NotAttended.LONGER_THAN_SESSION),
        (1, [stay(119, 180)], ELEVEN, NotAttended.OVERLAPS),
        (1, [stay(-10, 1)], ELEVEN, NotAttended.OVERLAPS),
        (1, [stay(30, 40)], ELEVEN, NotAttended.OVERLAPS),
        (1, [stay(0, 120, HERE)], ELEVEN, NotAttended.ALREADY_ENTERED),
    ],
)
def test_attendance(ms: int, others: list[Stay], now: datetime, expected: NotAttended | None) -> None:
    assert attendance_refusal(STAY, ms, others, active=True, now=now) is expected


def test_a_withdrawn_trainee_attends_nothing() -> None:
    assert attendance_refusal(STAY, 1, [], active=False, now=ELEVEN) is NotAttended.NOT_ACTIVE


@pytest.mark.parametrize(
    ("began", "ended", "days", "expected"),
    [
        (NINE, ELEVEN, (date(2026, 11, 20), date(2026, 11, 20)), None),
        (NINE, NINE, (date(2026, 11, 20), date(2026, 11, 20)), BadSession.ENDS_BEFORE_START),
        (NINE, NINE + timedelta(days=2), (date(2026, 11, 20), date(2026, 11, 22)), BadSession.LONGER_THAN_A_DAY),
        (NINE, ELEVEN, (date(2026, 11, 18), date(2026, 11, 18)), BadSession.OUTSIDE_COHORT),
        (NINE, ELEVEN, (date(2026, 11, 30), date(2026, 12, 1)), BadSession.OUTSIDE_COHORT),
    ],
)
def test_sessions(began: datetime, ended: datetime, days: tuple[date, date], expected: BadSession | None) -> None:
    found = session_refusal(began, ended, days=days, starts_on=date(2026, 11, 19), ends_on=date(2026, 11, 30))
    assert found is expected


@pytest.mark.parametrize(
    "text",
    [
        "620102199001010014\t王小明",
        "王小明\t620102199001010014",
        "620102199001010014,王小明",
        "王小明，620102199001010014",
        "620102199001010014  王小明",
        "身份证号\t姓名\n\n620102199001010014\t王小明\n",
    ],
)
def test_a_table_is_read_however_it_is_pasted(text: str) -> None:
    people, bad = pasted_people(text)
    assert [(person.id_number, person.name, person.account) for person in people] == [
        ("620102199001010014", "王小明", "")
    ]
    assert bad == []


def test_a_third_column_is_the_account() -> None:
    people, _bad = pasted_people("王小明\t13800000000\t62010219900101001x")
    assert people == [PastedPerson(1, "62010219900101001X", "王小明", "13800000000")]


def test_bad_lines_are_named_by_their_number_in_the_paste() -> None:
    people, bad = pasted_people("\n王小明\n620102199001010014 李四\n620102199001010014 李四\n1 2 3 4\n=HYPERLINK(1)")
    assert [person.line for person in people] == [3]
    assert bad == [
        (2, BadLine.NOT_A_PERSON),
        (4, BadLine.TWICE),
        (5, BadLine.NOT_A_PERSON),
        (6, BadLine.NOT_A_PERSON),
    ]
