"""The account at its bounds: where one room, one day, one window or one run ends and the next begins."""

from __future__ import annotations

from typing import Any

import pytest
from support.trace_stories import HOUR, MINUTE, NINE, OPENS, PLAN, Story

from xueji.hours.rules import AttendanceFacts, Clearance, Flag, FlagCode, MalformedLeaf, evidence
from xueji.hours.rules.impossible import (
    AttendanceElsewhere,
    DailyRoom,
    DaySums,
    Suspicions,
    look_at_days,
    look_at_sessions,
    sort_out,
)
from xueji.hours.rules.records import CheckStanding, ConfirmedPresence, DecidedCheck
from xueji.hours.rules.statement import AttendanceLine, Cleared
from xueji.hours.rules.worth import Status, ahead, held_spans, unseen
from xueji.rulebook.shanghai import DAY_MS, date_of, day_of

LOST, HELD, CONFIRMED, PROVISIONAL = Status.LOST, Status.HELD, Status.CONFIRMED, Status.PROVISIONAL


def second() -> Story:
    return Story(rules=2, subject=None)


def entered(told: Story, session: str = "room", **changes: Any) -> None:
    values = {
        "session": session, "part": "practical", "began": NINE, "ended": NINE + HOUR, "from": NINE, "to": NINE + HOUR,
        "planned": NINE - DAY_MS, "method": "roster",
    }  # fmt: skip
    told.now = max(told.now, NINE + 4 * HOUR)
    told.leaf("attendance", **{**values, **changes})["who"] = "staff"


def between(begins: int, ends: int) -> dict[str, Any]:
    """`from` is a word of Python's, so it cannot be written as an argument."""
    return {"from": begins, "to": ends}


# ---- attendance


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"ended": NINE - 1}, "ended", "is before it began"),
        ({"from": NINE + 5, "to": NINE + 4}, "to", "is before she came"),
    ],
)
def test_an_attendance_that_ends_before_it_begins_is_no_evidence(
    changes: dict[str, Any], field: str, problem: str
) -> None:
    told = second()
    entered(told, **changes)
    with pytest.raises(MalformedLeaf) as caught:
        evidence(told.leaves)
    assert (caught.value.field, caught.value.problem) == (field, problem)


@pytest.mark.parametrize(
    ("came", "left", "inside"),
    [
        (NINE, NINE, (NINE, NINE)),
        (NINE - 20, NINE + 5, (NINE, NINE + 5)),
        (NINE - 20, NINE - 10, (NINE, NINE)),
        (NINE + HOUR + 10, NINE + HOUR + 20, (NINE + HOUR + 10, NINE + HOUR + 10)),
        (NINE - 1, NINE + HOUR + 1, (NINE, NINE + HOUR)),
    ],
)
def test_of_an_attendance_only_what_lies_in_its_session_is_taken(came: int, left: int, inside: tuple[int, int]) -> None:
    told = second()
    entered(told, **between(came, left))
    (only,) = evidence(told.leaves).attendance
    assert (only.from_ms, only.to_ms) == inside and only.ms >= 0


def test_a_session_of_no_length_may_stand_and_one_never_entered_may_be_taken_back() -> None:
    told = second()
    entered(told, ended=NINE, **between(NINE, NINE))
    told.leaf("attendance.revoke", session="another", reason="c" * 64)
    assert len(evidence(told.leaves).attendance) == 1


def test_the_line_of_an_attendance_says_all_that_is_known_of_it() -> None:
    told = second()
    entered(told, overlap=[[NINE, NINE + 1]])
    entered(told, "late", began=OPENS, ended=OPENS + HOUR, planned=None, **{"from": OPENS, "to": OPENS + HOUR})
    held, refused = sorted(told.statement().attendance, key=lambda line: line.session, reverse=True)
    assert held == AttendanceLine(
        "room", "practical", NINE, NINE + HOUR, NINE + 4 * HOUR, NINE - DAY_MS, 0, "held", ("overlap",), False, "silent"
    )
    assert (refused.session, refused.counted_ms, refused.standing, refused.doubts) == (
        "late", 0, "refused", ("not_planned",),
    )  # fmt: skip
    (flag,) = told.statement().flags
    assert flag == Flag("not_planned", ("late", "n:2"), HOUR)
    counted = second()
    entered(counted, to=NINE + 5 * MINUTE)
    (line,) = counted.statement().attendance
    assert (line.counted_ms, line.standing, line.settled) == (5 * MINUTE, "counted", False)


def test_a_second_person_may_stand_for_an_entry_without_a_reason() -> None:
    told = second()
    entered(told, planned=None)
    told.leaf("attendance.settle", session="room", outcome="accept", role="institution")["who"] = "colleague"
    (line,) = told.statement().attendance
    assert (line.standing, line.settled) == ("counted", True)
    told.leaf("attendance.deny", session="room")
    (line,) = told.statement().attendance
    assert line.settled is False


# ---- check-ins


def checked_in(told: Story, name: str, *, coded: bool = True) -> None:
    told.leaf("checkin.confirm", checkin=name, kind="open", at_ms=told.now, until_ms=told.now + 4 * HOUR)
    if coded:
        told.leaf("checkin.code", checkin=name)


def test_each_look_of_staff_is_a_good_check_and_vouches_until_the_next() -> None:
    told = Story(rules=2, subject=None, plan=PLAN)
    checked_in(told, "false")
    told.leaf("checkin.revoke", checkin="false", reason="c" * 64)
    checked_in(told, "here")
    told.leaf("checkin.end", checkin="nobody", why="absent", at_ms=told.now)
    told.now += PLAN.round_ms
    until = NINE + 2 * HOUR
    told.leaf("checkin.confirm", checkin="here", kind="round", at_ms=told.now, until_ms=until)
    told.now += PLAN.round_ms + 1
    told.leaf("checkin.confirm", checkin="here", kind="round", at_ms=told.now, until_ms=until)
    found = evidence(told.leaves)
    round_ms = PLAN.round_ms
    assert found.presences == (
        ConfirmedPresence("here", NINE, NINE + 2 * round_ms),
        ConfirmedPresence("here", NINE + 2 * round_ms + 1, until),
    )
    looks = [NINE, NINE + round_ms, NINE + 2 * round_ms + 1]
    assert [each.at_ms for each in found.checks] == looks
    assert found.checks[0] == DecidedCheck(4, "here", "supervised", NINE, "match", CheckStanding.GOOD)


# ---- impossible sums


def test_suspicions_of_one_kind_add_up() -> None:
    found = Suspicions(())
    found.add(FlagCode.CLOCK_BACK, 3, "n:1")
    found.add(FlagCode.CLOCK_BACK, 4, "n:2")
    assert found.flags() == (Flag("clock_back", ("n:1", "n:2"), 7),)


@pytest.mark.parametrize(("ms", "ids", "stands"), [(7, ("a",), False), (8, ("a",), True), (7, ("a", "b"), True)])
def test_a_clearance_covers_the_sum_as_it_stood_then(ms: int, ids: tuple[str, ...], *, stands: bool) -> None:
    flag = Flag("clock_back", ids, ms)
    standing, cleared = sort_out([flag], [Clearance(9, "clock_back", ("a",), 7, "regulator")])
    assert standing == ((flag,) if stands else ())
    assert cleared == (() if stands else (Cleared("clock_back", ids, ms, 9, "regulator"),))


def room(name: str, first: int, last: int, n: int = 1) -> AttendanceFacts:
    return AttendanceFacts(n, name, "practical", first, last, first, last)


@pytest.mark.parametrize(("online_ms", "over_ms"), [(19 * HOUR, 0), (19 * HOUR + 1, 1)])
def test_a_day_has_twenty_four_hours_in_rooms_and_online_together(online_ms: int, over_ms: int) -> None:
    online, found = DaySums(), Suspicions(())
    online.add(OPENS, OPENS + online_ms)
    look_at_days(found, online, DAY_MS, [room("a", OPENS + 19 * HOUR, OPENS + DAY_MS)])
    day = date_of(day_of(OPENS)).isoformat()
    assert found.flags() == ((Flag("day_over_24_hours", (day,), over_ms),) if over_ms else ())


def test_only_the_rooms_that_overlap_are_named() -> None:
    found = Suspicions(())
    rooms = [room("a", 0, 10), room("b", 10, 20), room("c", 15, 25), room("d", 30, 40), room("e", 35, 50)]
    look_at_sessions(found, rooms, [])
    assert found.flags() == (Flag("two_sessions_at_once", ("b", "c", "d", "e"), 10),)
    online = Suspicions(())
    look_at_sessions(online, rooms[:2], [(10, 15)])
    assert online.flags() == (Flag("in_person_while_online", ("b",), 5),)
    online = Suspicions(())
    look_at_sessions(online, rooms[:2], [(5, 10)])
    assert online.flags() == (Flag("in_person_while_online", ("a",), 5),)


def test_rooms_that_were_over_before_take_nothing() -> None:
    elsewhere = AttendanceElsewhere([room(name, at, at + 5) for name, at in (("a", 0), ("b", 5), ("c", 10), ("d", 40))])
    assert elsewhere.free(9, 20, 45) == [(20, 40)]
    assert elsewhere.free(9, 45, 50) == [(45, 50)]


def test_what_a_day_has_room_for_is_filled_once() -> None:
    daily = DailyRoom(10)
    assert daily.fit([(OPENS, OPENS + 4)]) == [(OPENS, OPENS + 4)]
    assert daily.fit([(OPENS + 20, OPENS + 40)]) == [(OPENS + 20, OPENS + 26)]
    assert daily.fit([(OPENS + 50, OPENS + 60)]) == []
    assert daily.fit([(OPENS + DAY_MS - 5, OPENS + DAY_MS + 20)]) == [(OPENS + DAY_MS, OPENS + DAY_MS + 10)]


# ---- what time is worth


def test_waits_hold_time_across_the_checks_between_them() -> None:
    cut = [(0, 10, CONFIRMED), (10, 20, PROVISIONAL), (20, 30, LOST)]
    assert held_spans(cut, [(5, 15), (25, 28)]) == [
        (0, 5, CONFIRMED), (5, 15, HELD), (15, 20, PROVISIONAL), (20, 30, LOST),
    ]  # fmt: skip
    assert held_spans([(0, 100, CONFIRMED)], [(1, 2), (3, 4), (5, 6)]) == [
        (0, 1, CONFIRMED), (1, 2, HELD), (2, 3, CONFIRMED), (3, 4, HELD), (4, 5, CONFIRMED), (5, 6, HELD),
        (6, 100, CONFIRMED),
    ]  # fmt: skip


MOST = PLAN.checks_max_gap_ms + PLAN.offline_ms + PLAN.answer_ms


def test_a_run_without_a_sign_of_her_is_as_long_as_what_was_studied() -> None:
    told = second()
    face = told.sitting()
    assert ahead(evidence(told.leaves), "face", NINE).unseen_after_ms == MOST
    told.watched(0, 5 * MINUTE, sitting=face)
    assert ahead(evidence(told.leaves), "face", told.now).unseen_after_ms == MOST - 5 * MINUTE
    told.watched(5 * MINUTE, 5 * MINUTE + MOST, sitting=face)
    found = evidence(told.leaves)
    assert unseen(found) == [(NINE + MOST, NINE + MOST + 5 * MINUTE)]
    assert ahead(found, "face", told.now).unseen_after_ms == 0
    told.check()
    assert ahead(evidence(told.leaves), "face", told.now).unseen_after_ms == MOST


def test_leaves_that_came_late_and_sittings_of_staff_change_no_run() -> None:
    told = second()
    room_, face = told.sitting(method="supervised"), told.sitting()
    told.watched(0, 10 * MINUTE, NINE, sitting=room_)
    told.watched(20 * MINUTE, 20 * MINUTE + MOST, NINE + HOUR, sitting=face)
    told.watched(10 * MINUTE, 15 * MINUTE, NINE + 30 * MINUTE, sitting=face)
    last = NINE + HOUR + MOST
    assert unseen(evidence(told.leaves)) == [(last - 5 * MINUTE, last)]


def test_a_check_in_the_midst_of_study_ends_the_run_there() -> None:
    told = second()
    face = told.sitting()
    told.now = NINE + 10 * MINUTE
    told.check()
    told.now = NINE + 11 * MINUTE
    told.check()
    told.watched(0, 11 * MINUTE + MOST + 7, NINE, sitting=face)
    assert unseen(evidence(told.leaves)) == [(NINE + 11 * MINUTE + MOST, NINE + 11 * MINUTE + MOST + 7)]


def test_what_lies_behind_is_not_ahead() -> None:
    told = second()
    told.now = NINE + MINUTE
    told.check()
    found = evidence(told.leaves)
    whole = ahead(found, "face", NINE).spans
    assert [status for _start, _end, status in whole] == [CONFIRMED, PROVISIONAL]
    assert ahead(found, "face", NINE + MINUTE).spans == whole[1:]
    assert ahead(found, "face", NINE + MINUTE - 1).spans == whole
    by_staff = ahead(found, "supervised", NINE)
    assert [status for _start, _end, status in by_staff.spans] == [HELD], "nobody vouched for any of it"
    assert by_staff.unseen_after_ms is None
    assert ahead(evidence(Story().leaves), "face", NINE).unseen_after_ms is None
