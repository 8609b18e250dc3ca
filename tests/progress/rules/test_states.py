"""What a sitting owes beside what it earned: checks that fall due, signs of the person, and reports within bounds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support.trace_stories import CLOSES, HOUR, MINUTE, NINE, OPENS, PLAN

from xueji.progress.leaves import beat_leaf
from xueji.progress.rules import (
    FASTEST_RATE,
    LATEST_POSITION_MS,
    MOST_AT_ONCE,
    MOST_MAKE_UP,
    InvalidBeat,
    PlayedSpan,
    SittingState,
    SittingTerms,
    asks_presence,
    check_asked,
    check_beat,
    check_overdue,
    complete,
    credit,
    most_reports,
    overdue_check_asked,
    owe_check,
    person_seen,
    refuse_all,
    reports_owed,
)
from xueji.rulebook.shanghai import day_begins_ms, day_of
from xueji.rulebook.vocabulary import Reason

TERMS = SittingTerms(duration_ms=30 * MINUTE, plan=PLAN, schedule=(), opens_ms=OPENS, closes_ms=CLOSES)
LONGEST, LEAST = PLAN.checks_max_gap_ms, PLAN.checks_min_gap_ms


def sitting(**values: Any) -> SittingState:
    return SittingState(
        **{"terms": TERMS, "furthest_ms": 0, "used_until_ms": NINE, "last_interaction_ms": NINE, **values}
    )


# ---- checks outside the schedule


@pytest.mark.parametrize(("since_ms", "overdue"), [(0, False), (LONGEST - 1, False), (LONGEST, True)])
def test_a_check_is_due_when_the_run_reaches_the_longest_gap(since_ms: int, *, overdue: bool) -> None:
    assert check_overdue(sitting(since_check_ms=since_ms)) is overdue


@pytest.mark.parametrize(("since_ms", "then_ms"), [(0, LONGEST), (LONGEST + 7, LONGEST + 7)])
def test_after_a_check_that_failed_the_next_study_is_asked_for_one(since_ms: int, then_ms: int) -> None:
    owing = owe_check(sitting(since_check_ms=since_ms, study_ms=5))
    assert owing == sitting(since_check_ms=then_ms, study_ms=5)
    assert check_overdue(owing)


def test_what_was_drawn_too_soon_after_a_check_is_passed_over() -> None:
    terms = replace(TERMS, schedule=(100, 100 + LEAST - 1, 100 + LEAST, 100 + LEAST + 1))
    before = sitting(terms=terms, study_ms=100, since_check_ms=LONGEST)
    assert overdue_check_asked(before) == replace(before, next_check=2, since_check_ms=0)
    behind = replace(before, next_check=3)
    assert overdue_check_asked(behind) == replace(behind, since_check_ms=0), "no check comes again"
    alone = replace(before, terms=replace(TERMS, schedule=(100,)))
    assert overdue_check_asked(alone).next_check == 1


def test_a_check_of_the_schedule_is_asked_once() -> None:
    state = sitting(terms=replace(TERMS, schedule=(100, 200)), study_ms=230, next_check=0)
    assert check_asked(state, 1) == replace(state, next_check=2, since_check_ms=30)


# ---- what is left


@pytest.mark.parametrize(
    ("furthest_ms", "make_up", "only_make_up", "done"),
    [
        (30 * MINUTE, (), False, True),
        (30 * MINUTE - 1, (), False, False),
        (30 * MINUTE, ((0, 1),), False, False),
        (0, (), True, True),
        (5, ((0, 1),), True, False),
    ],
)
def test_a_lesson_is_complete_when_nothing_is_left_to_earn(
    furthest_ms: int, make_up: tuple[tuple[int, int], ...], only_make_up: bool, *, done: bool
) -> None:
    terms = replace(TERMS, only_make_up=only_make_up)
    assert complete(sitting(terms=terms, furthest_ms=furthest_ms, make_up=make_up)) is done


def test_once_the_days_are_over_only_what_is_to_be_made_up_earns() -> None:
    terms = replace(TERMS, only_make_up=True)
    state = sitting(terms=terms, furthest_ms=10_000, make_up=((2_000, 6_000),))
    (result,), after = credit(state, [PlayedSpan(1, "b", 0, 14_000)], NINE + 14_000)
    assert result.credited == ((2_000, 6_000),)
    assert [tuple(piece) for piece in result.refused] == [
        (0, 2_000, Reason.ALREADY_COUNTED),
        (6_000, 10_000, Reason.ALREADY_COUNTED),
        (10_000, 14_000, Reason.OUTSIDE_DATES),
    ]
    assert after.furthest_ms == 10_000
    (new,), _after = credit(state, [PlayedSpan(2, "c", 10_000, 14_000)], NINE + 14_000)
    assert [tuple(piece) for piece in new.refused] == [(10_000, 14_000, Reason.OUTSIDE_DATES)]


# ---- signs of the person


def test_who_was_asked_already_is_not_asked_again() -> None:
    idle = NINE + PLAN.idle_ms
    assert asks_presence(sitting(), idle)
    assert not asks_presence(sitting(question_by_ms=idle + 1), idle)


def test_a_sign_that_arrives_late_takes_nothing_back() -> None:
    state = sitting(last_interaction_ms=NINE + MINUTE)
    assert person_seen(state, NINE) == state
    assert person_seen(state, NINE + HOUR) == replace(state, last_interaction_ms=NINE + HOUR)


@pytest.mark.parametrize(("after_ms", "used_until_ms"), [(0, NINE - MINUTE), (1, NINE + 1)])
def test_the_time_of_a_question_left_open_too_long_is_spent(after_ms: int, used_until_ms: int) -> None:
    asked = sitting(question_by_ms=NINE, used_until_ms=NINE - MINUTE)
    assert person_seen(asked, NINE + after_ms).used_until_ms == used_until_ms
    further = replace(asked, used_until_ms=NINE + HOUR)
    assert person_seen(further, NINE + 1).used_until_ms == NINE + HOUR


# ---- reports within bounds


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"seq": (1 << 53) - 1}, None),
        ({"seq": 1 << 53}, "seq is out of range"),
        ({"from_ms": LATEST_POSITION_MS, "to_ms": LATEST_POSITION_MS + 1}, None),
        ({"from_ms": LATEST_POSITION_MS + 1, "to_ms": LATEST_POSITION_MS + 2}, "from_ms is out of range"),
        ({"rate": FASTEST_RATE}, None),
        ({"rate": FASTEST_RATE + 1}, "rate is out of range"),
        ({"rate": 1}, None),
        ({"rate": 0}, "rate is out of range"),
        ({"rate": 0, "state": "paused"}, None),
        ({"rate": "1"}, "rate must be a whole number"),
        ({"to_ms": 10_000.0}, "to_ms must be a whole number"),
        ({"to_ms": 0}, "to_ms must be after from_ms"),
        ({"to_ms": 0, "state": "paused"}, None),
        ({"to_ms": HOUR + 1}, "a beat covers at most an hour"),
        ({"state": "dreaming"}, "state 'dreaming' is unknown"),
    ],
)
def test_a_report_is_refused_with_what_is_wrong_about_it(values: dict[str, Any], said: str | None) -> None:
    beat = PlayedSpan(**{"seq": 1, "beat": "b", "from_ms": 0, "to_ms": 10_000, **values})
    if said is None:
        check_beat(beat)
        return
    with pytest.raises(InvalidBeat, match=f"^{said}$"):
        check_beat(beat)


def test_one_more_report_is_allowed_with_each_second() -> None:
    assert most_reports(NINE, NINE + 999) == MOST_AT_ONCE
    assert most_reports(NINE, NINE + 1_000) == MOST_AT_ONCE + 1
    assert reports_owed(NINE, 10, NINE + 999) == 10
    assert reports_owed(NINE, 10, NINE + 9_999) == 1
    assert reports_owed(NINE, 10, NINE + 10_000) == 0


# ---- what is said of each report


def test_each_result_is_of_its_report() -> None:
    beats = [PlayedSpan(7, "a", 0, 4_000), PlayedSpan(8, "b", 2_000, 6_000), PlayedSpan(9, "c", 6_000, 6_000, "paused")]
    results, after = credit(sitting(), beats, NINE + 8_000)
    assert [(each.seq, each.beat, each.credited, each.server, each.furthest_ms) for each in results] == [
        (7, "a", ((0, 4_000),), (NINE, NINE + 4_000), 4_000),
        (8, "b", ((4_000, 6_000),), (NINE + 4_000, NINE + 6_000), 6_000),
        (9, "c", (), None, 6_000),
    ]
    assert [each.credited_ms for each in results] == [4_000, 2_000, 0]
    assert (after.furthest_ms, after.used_until_ms, after.study_ms, after.since_check_ms) == (
        6_000, NINE + 6_000, 6_000, 6_000,
    )  # fmt: skip


def test_reports_that_follow_on_share_the_time_one_after_the_other() -> None:
    beats = [PlayedSpan(1, "a", 0, 4_000), PlayedSpan(2, "b", 4_000, 6_000), PlayedSpan(3, "c", 6_000, 9_000)]
    results, _after = credit(sitting(), beats, NINE + 9_000)
    assert [each.server for each in results] == [
        (NINE, NINE + 4_000), (NINE + 4_000, NINE + 6_000), (NINE + 6_000, NINE + 9_000),
    ]  # fmt: skip


def test_a_request_begins_no_earlier_than_its_media_and_the_slack_are_long() -> None:
    now = NINE + HOUR
    beats = [PlayedSpan(1, "a", 20_000, 30_000), PlayedSpan(2, "b", 30_000, 39_000, "paused")]
    (first, _paused), after = credit(sitting(furthest_ms=20_000), beats, now)
    assert first.server == (now - 10_000 - PLAN.slack_ms, now - PLAN.slack_ms)
    assert after.used_until_ms == now - PLAN.slack_ms


def test_where_a_report_lies_wholly_beyond_the_end_nothing_else_is_said() -> None:
    (result,), _after = credit(sitting(), [PlayedSpan(1, "a", 30 * MINUTE, 30 * MINUTE + 6_000)], NINE + 6_000)
    assert [tuple(piece) for piece in result.refused] == [(30 * MINUTE, 30 * MINUTE + 6_000, Reason.BEYOND_END)]


def test_what_ends_at_the_frontier_is_nothing_new() -> None:
    state = sitting(terms=replace(TERMS, only_make_up=True), furthest_ms=10_000)
    (result,), _after = credit(state, [PlayedSpan(1, "a", 4_000, 10_000)], NINE + 6_000)
    assert [tuple(piece) for piece in result.refused] == [(4_000, 10_000, Reason.ALREADY_COUNTED)]


MIDNIGHT = day_begins_ms(day_of(NINE) + 1)


@pytest.mark.parametrize(("past_ms", "day", "used_ms"), [(0, 0, 5 + 10_000), (1, 1, 1), (10_000, 1, 10_000)])
def test_a_day_ends_with_its_last_millisecond(past_ms: int, day: int, used_ms: int) -> None:
    now = MIDNIGHT + past_ms
    state = sitting(used_until_ms=now - 10_000, day=day_of(NINE), day_used_ms=5)
    _results, after = credit(state, [PlayedSpan(1, "a", 0, 10_000)], now)
    assert (after.day, after.day_used_ms) == (day_of(NINE) + day, used_ms)


# ---- crumbs


def crumbs(count: int) -> tuple[tuple[int, int], ...]:
    return tuple((each * 1_000, each * 1_000 + 500) for each in range(count))


def test_as_many_pieces_as_there_may_be_are_not_too_many() -> None:
    state = sitting(furthest_ms=20 * MINUTE, make_up=crumbs(MOST_MAKE_UP - 1))
    (result,), after = credit(state, [PlayedSpan(1, "a", 100, 200)], NINE + 100)
    assert result.credited == ((100, 200),) and len(after.make_up) == MOST_MAKE_UP
    (result,), again = credit(after, [PlayedSpan(2, "b", 300, 400)], NINE + 1_000)
    assert [tuple(piece) for piece in result.refused] == [(300, 400, Reason.TOO_MANY_PIECES)]
    assert again.make_up == after.make_up


def test_beside_crumbs_that_do_not_count_every_other_bound_holds() -> None:
    state = sitting(furthest_ms=20 * MINUTE, make_up=crumbs(MOST_MAKE_UP))
    beats = [
        PlayedSpan(1, "a", 400, 600),
        PlayedSpan(2, "b", 100, 200),
        PlayedSpan(3, "c", 20 * MINUTE, 20 * MINUTE + 5_000),
    ]
    results, _after = credit(state, beats, NINE + 6_000, vouched_until_ms=NINE + 2_000)
    assert [[tuple(piece) for piece in each.refused] for each in results] == [
        [(400, 500, Reason.TOO_MANY_PIECES), (500, 600, Reason.ALREADY_COUNTED)],
        [(100, 200, Reason.TOO_MANY_PIECES)],
        [(20 * MINUTE + 2_000, 20 * MINUTE + 5_000, Reason.NOT_SUPERVISED)],
    ]


def test_what_credit_does_not_touch_stays() -> None:
    before = sitting(
        next_check=3, question_by_ms=NINE + HOUR, last_interaction_ms=NINE - 5, study_ms=50, since_check_ms=20
    )
    _results, after = credit(before, [PlayedSpan(1, "b", 0, 1_000)], NINE + 1_000)
    assert (after.next_check, after.question_by_ms, after.last_interaction_ms) == (3, NINE + HOUR, NINE - 5)
    assert (after.study_ms, after.since_check_ms, after.terms) == (1_050, 1_020, TERMS)


def test_refused_together_each_keeps_its_name_and_its_stretch() -> None:
    state = sitting(furthest_ms=77)
    results, after = refuse_all(
        state, [PlayedSpan(4, "a", 0, 1), PlayedSpan(5, "b", 9, 9, "paused")], Reason.LEASE_LOST
    )
    assert after is state
    assert [(each.seq, each.beat, each.credited, each.server, each.furthest_ms) for each in results] == [
        (4, "a", (), None, 77), (5, "b", (), None, 77),
    ]  # fmt: skip
    assert [[tuple(piece) for piece in each.refused] for each in results] == [[(0, 1, Reason.LEASE_LOST)], []]


def test_the_leaf_says_all_of_a_report_and_what_it_earned() -> None:
    beat = PlayedSpan(7, "b", 0, 10_000)
    (result,), _after = credit(sitting(), [beat], NINE + 4_000)
    assert beat_leaf("s", "l", beat, result).values() == {
        "sitting": "s", "lesson": "l", "seq": 7, "beat": "b", "from_ms": 0, "to_ms": 10_000, "state": "playing",
        "rate": 1_000, "credited": [[0, 4_000]],
        "refused": [{"from_ms": 4_000, "to_ms": 10_000, "reason": "faster_than_clock"}],
        "furthest_ms": 4_000, "server": [NINE, NINE + 4_000],
    }  # fmt: skip
    still = PlayedSpan(8, "c", 5, 5, "hidden", 0)
    (result,), _after = credit(sitting(), [still], NINE)
    assert "server" not in beat_leaf("s", "l", still, result).values()


# ---- the window that staff vouch for


@pytest.mark.parametrize(
    ("vouched_ms", "question_ms", "reasons"),
    [
        (None, None, {}),
        (4_000, None, {Reason.NOT_SUPERVISED: 6_000}),
        (10_000, None, {}),
        (4_000, 2_000, {Reason.NOT_SUPERVISED: 6_000, Reason.IDLE: 2_000}),
        (4_000, 9_000, {Reason.NOT_SUPERVISED: 6_000}),
        (None, 3_000, {Reason.IDLE: 7_000}),
        (-1_000, None, {Reason.NOT_SUPERVISED: 10_000}),
    ],
)
def test_study_earns_until_the_window_or_the_question_ends(
    vouched_ms: int | None, question_ms: int | None, reasons: dict[Reason, int]
) -> None:
    state = sitting(question_by_ms=None if question_ms is None else NINE + question_ms)
    (result,), _after = credit(
        state, [PlayedSpan(1, "b", 0, 10_000)], NINE + 10_000,
        vouched_until_ms=None if vouched_ms is None else NINE + vouched_ms,
    )  # fmt: skip
    found: dict[Reason, int] = {}
    for first, last, reason in result.refused:
        found[reason] = found.get(reason, 0) + last - first
    assert found == reasons
    assert result.credited_ms == 10_000 - sum(reasons.values())
