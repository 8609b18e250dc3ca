"""What staff say of a room, and what bounds it: attendance, its terms, its doubts; check-ins, rounds and the code."""

from dataclasses import replace
from typing import Any

import pytest
from support.trace_stories import HOUR, MINUTE, NINE, OPENS, PLAN, SETTLED, Story

from xueji.hours.rules import AttendanceLine, Statement
from xueji.rulebook.attendance import one_person_until_ms
from xueji.rulebook.shanghai import DAY_MS

STAFF, COLLEAGUE = "staff", "colleague"


def story(**terms: Any) -> Story:
    """Of the second edition of the rules, enrolled as the day began."""
    return Story(**{"rules": 2, "subject": None, "plan": replace(PLAN, room_code=1), **terms})


def say(told: Story, event: str, at_ms: int | None = None, /, who: str = STAFF, **values: Any) -> None:
    told.leaf(event, at_ms, **values)["who"] = who


def attended(told: Story, at_ms: int = NINE + 4 * HOUR, session: str = "room", **changes: Any) -> None:
    """An hour in the practical session of three hours that begins at nine; planned the day before."""
    values: dict[str, Any] = {
        "session": session,
        "part": "practical",
        "began": NINE,
        "ended": NINE + 3 * HOUR,
        "from": NINE + HOUR,
        "to": NINE + 2 * HOUR,
        "planned": NINE - DAY_MS,
        "method": "roster",
    }
    told.now = at_ms
    values |= changes
    say(told, "attendance", **{name: value for name, value in values.items() if value is not None})


def between(begins: int | None, ends: int | None) -> dict[str, Any]:
    """`from` is a word of Python's, so it cannot be written as an argument."""
    return {"from": begins, "to": ends}


def line(told: Story) -> AttendanceLine:
    (only,) = told.statement().attendance
    return only


def counts(told: Story) -> tuple[int, list[str]]:
    """Minutes that count, and the flags."""
    statement = told.statement()
    return statement.in_person.practical_ms // MINUTE, [flag.code for flag in statement.flags]


# ---- an interval


def test_attendance_is_from_and_to_inside_its_session() -> None:
    told = story()
    attended(told)
    assert counts(told) == (60, [])
    assert (line(told).from_ms, line(told).to_ms, line(told).word) == (NINE + HOUR, NINE + 2 * HOUR, "silent")


def test_leaving_early_and_studying_at_home_is_no_contradiction() -> None:
    told = story()
    attended(told, to=NINE + HOUR + 20 * MINUTE)
    told.now = NINE + 2 * HOUR
    told.watched(0, 30 * MINUTE)
    told.leaves.sort(key=lambda leaf: (leaf["at"], leaf["n"]))
    for n, leaf in enumerate(told.leaves):
        leaf["n"] = n
    assert [flag.code for flag in told.statement().flags] == []
    assert counts(told)[0] == 20


def test_what_lies_outside_the_session_is_cut_and_flagged() -> None:
    told = story()
    attended(told, **between(NINE - MINUTE, NINE + 3 * HOUR + MINUTE))
    assert counts(told) == (180, ["longer_than_session"])


def test_a_leaf_of_the_first_releases_says_only_how_long() -> None:
    told = Story()
    attended(told, ms=20 * MINUTE, planned=None, **between(None, None))
    statement = told.statement()
    assert statement.in_person.practical_ms == 20 * MINUTE
    assert statement.attendance == ()
    assert "attendance" not in statement.to_dict()


# ---- bounds


def test_nothing_counts_from_before_she_was_enrolled() -> None:
    told = story()
    attended(told, began=OPENS - 3 * HOUR, planned=OPENS - DAY_MS, **between(OPENS - 1, OPENS + HOUR))
    assert counts(told) == (0, ["before_beginning"])
    told = story()
    attended(told, began=OPENS - 3 * HOUR, planned=OPENS - DAY_MS, **between(OPENS, OPENS + HOUR))
    assert counts(told) == (60, [])


LATE = OPENS + 4 * DAY_MS
"""The fourth day begins: three whole days after that of the session have passed."""


def test_entered_late_it_takes_two() -> None:
    told = story()
    attended(told, LATE - 1)
    assert counts(told) == (60, [])
    told = story()
    attended(told, LATE)
    assert counts(told) == (0, ["late_entry"])
    told = story()
    attended(told, LATE, reason="c" * 64)
    assert counts(told) == (0, []), "it waits"
    assert line(told).standing == "held"
    say(told, "attendance.settle", session="room", outcome="accept", role="institution", reason="d" * 64)
    assert counts(told) == (0, []), "whoever entered it is no second person"
    say(told, "attendance.settle", None, COLLEAGUE, session="room", outcome="accept", role="institution")
    assert counts(told) == (60, [])
    assert (line(told).doubts, line(told).settled) == (("late_entry",), True)


@pytest.mark.parametrize("planned", [None, NINE])
def test_a_session_planned_when_it_had_begun_takes_two(planned: int | None) -> None:
    told = story()
    attended(told, planned=planned)
    assert counts(told) == (0, ["not_planned"])
    told = story()
    attended(told, planned=planned, reason="c" * 64)
    say(told, "attendance.settle", None, COLLEAGUE, session="room", outcome="reject", role="institution")
    assert told.statement().attendance == ()


def test_nothing_is_entered_after_the_settlement_not_even_by_two() -> None:
    told = story()
    attended(told, SETTLED, reason="c" * 64)
    say(told, "attendance.settle", None, COLLEAGUE, session="room", outcome="accept", role="regulator")
    assert counts(told) == (0, ["late_entry"])


# ---- her own word


def test_silence_and_a_yes_change_nothing_and_are_shown() -> None:
    told = story()
    attended(told)
    say(told, "attendance.confirm", None, "trainee", session="room")
    assert (counts(told), line(told).word) == ((60, []), "confirmed")
    told = story()
    attended(told)
    say(told, "attendance.sign", session="room")
    assert (counts(told), line(told).word) == ((60, []), "signed")


def test_a_denial_in_time_holds_and_flags_until_somebody_else_settles_it() -> None:
    told = story()
    attended(told)
    told.now += PLAN.deny_days * DAY_MS - 1
    say(told, "attendance.deny", None, "trainee", session="room")
    assert counts(told) == (0, ["attendance_denied"])
    assert line(told).standing == "held"
    say(told, "attendance.sign", session="room")
    assert line(told).word == "denied", "paper outweighs no denial"
    say(told, "attendance.settle", None, COLLEAGUE, session="room", outcome="accept", role="institution")
    assert counts(told) == (60, [])
    told = story()
    attended(told)
    say(told, "attendance.deny", None, "trainee", session="room")
    say(told, "attendance.settle", None, COLLEAGUE, session="room", outcome="accept", role="institution")
    say(told, "attendance.deny", None, "trainee", session="room")
    assert counts(told) == (0, ["attendance_denied"]), "what was settled before does not answer what she says now"
    say(told, "attendance.confirm", None, "trainee", session="room")
    assert counts(told) == (60, [])


def test_a_denial_too_late_is_shown_and_changes_nothing() -> None:
    told = story()
    attended(told)
    told.now += PLAN.deny_days * DAY_MS
    say(told, "attendance.deny", None, "trainee", session="room")
    assert counts(told) == (60, [])
    assert line(told).word == "denied"


def test_who_was_recorded_elsewhere_waits_for_the_regulator() -> None:
    told = story()
    attended(told, overlap=[[NINE + HOUR, NINE + 2 * HOUR]])
    assert counts(told) == (0, [])
    say(told, "attendance.settle", None, COLLEAGUE, session="room", outcome="accept", role="institution")
    assert counts(told) == (0, []), "two of the institution are not enough"
    say(told, "attendance.settle", None, "regulator", session="room", outcome="accept", role="regulator")
    assert counts(told) == (60, [])


def test_revoked_and_entered_anew_the_new_one_counts() -> None:
    told = story()
    attended(told)
    say(told, "attendance.revoke", session="room", reason="c" * 64)
    attended(told, to=NINE + HOUR + MINUTE)
    assert counts(told) == (1, [])


def test_a_plan_from_before_knows_no_terms() -> None:
    told = story(plan=replace(PLAN, attendance_days=366, deny_days=0))
    attended(told, SETTLED - 1)
    say(told, "attendance.deny", None, "trainee", session="room")
    assert counts(told) == (60, [])


# ---- the route without a camera


def check_in(told: Story, name: str = "here", *, coded: bool = True, hours: int = 4) -> None:
    until = told.now + hours * HOUR
    say(told, "checkin.confirm", checkin=name, kind="open", at_ms=told.now, until_ms=until)
    if coded:
        say(told, "checkin.code", None, "trainee", checkin=name)


def round_(told: Story, name: str = "here", until: int = NINE + 4 * HOUR) -> None:
    say(told, "checkin.confirm", checkin=name, kind="round", at_ms=told.now, until_ms=until)


def online(statement: Statement) -> dict[str, int]:
    figures = statement.online
    named = {"counted": figures.counted_ms, "provisional": figures.provisional_ms, "held": figures.held_ms}
    return {name: ms // MINUTE for name, ms in named.items() if ms}


def test_rounds_in_time_confirm_and_what_follows_a_missed_one_is_held() -> None:
    told = story()
    check_in(told)
    room = told.sitting(method="supervised")
    told.watched(0, 45 * MINUTE, sitting=room)
    round_(told)
    assert online(told.statement()) == {"counted": 45}
    told.watched(45 * MINUTE, 105 * MINUTE, sitting=room)
    round_(told)
    assert online(told.statement()) == {"counted": 90, "held": 15}
    told.watched(105 * MINUTE, 115 * MINUTE, sitting=room)
    assert online(told.statement()) == {"counted": 90, "held": 15, "provisional": 10}
    told.now += HOUR
    told.watched(115 * MINUTE, 116 * MINUTE, sitting=room)
    assert online(told.statement()) == {"counted": 90, "held": 16, "provisional": 10}


def test_in_the_first_edition_no_rounds_were_asked() -> None:
    told = Story()
    check_in(told, coded=False)
    room = told.sitting(method="supervised")
    told.watched(0, 2 * HOUR, sitting=room)
    round_(told)
    assert online(told.statement()) == {"counted": 120}


def test_a_check_in_vouches_for_nothing_before_the_code_is_typed() -> None:
    told = story()
    check_in(told, coded=False)
    room = told.sitting(method="supervised")
    told.watched(0, 10 * MINUTE, sitting=room)
    round_(told)
    assert online(told.statement()) == {"held": 10}
    say(told, "checkin.code", None, "trainee", checkin="here")
    assert online(told.statement()) == {"counted": 10}


def test_a_round_that_did_not_find_her_ends_it_where_she_was_last_seen() -> None:
    told = story()
    check_in(told)
    room = told.sitting(method="supervised")
    told.watched(0, 10 * MINUTE, sitting=room)
    round_(told)
    told.watched(10 * MINUTE, 20 * MINUTE, sitting=room)
    say(told, "checkin.end", checkin="here", why="absent", at_ms=told.now)
    assert online(told.statement()) == {"counted": 10, "held": 10}


def test_checked_in_elsewhere_the_old_window_ends_there() -> None:
    told = story()
    check_in(told)
    room = told.sitting(method="supervised")
    told.watched(0, 10 * MINUTE, sitting=room)
    say(told, "checkin.end", checkin="here", why="elsewhere", at_ms=told.now)
    told.watched(10 * MINUTE, 12 * MINUTE, sitting=room)
    assert online(told.statement()) == {"provisional": 10, "held": 2}


def test_a_false_check_in_is_struck_and_somebody_else_can_restore_it() -> None:
    told = story()
    check_in(told)
    room = told.sitting(method="supervised")
    told.watched(0, 10 * MINUTE, sitting=room)
    round_(told)
    say(told, "checkin.revoke", None, COLLEAGUE, checkin="here")
    assert online(told.statement()) == {"held": 10}
    say(told, "checkin.restore", None, COLLEAGUE, checkin="here")
    assert online(told.statement()) == {"held": 10}, "not by whoever struck it"
    say(told, "checkin.restore", None, "regulator", checkin="here")
    assert online(told.statement()) == {"counted": 10}


def test_the_statement_says_that_she_was_let_out() -> None:
    told = story()
    assert told.statement().withdrawn is False
    say(told, "enrolment.withdraw", reason="c" * 64)
    assert told.statement().withdrawn is True
    first = Story()
    say(first, "enrolment.withdraw", reason="c" * 64)
    assert "withdrawn" not in first.statement().to_dict()


@pytest.mark.parametrize(("past_ms", "days"), [(0, 3), (1, 4)])
def test_a_session_that_ends_at_midnight_ends_on_the_day_before(past_ms: int, days: int) -> None:
    ended = OPENS + DAY_MS + past_ms
    assert one_person_until_ms(replace(PLAN, attendance_days=3), ended) == OPENS + (1 + days) * DAY_MS
