"""Study of film that the server had not handed out to the sitting is held and marked until the film is played."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support.trace_stories import HOUR, MINUTE, NINE, PLAN, Story

from xueji.hours.rules import CreditedSegment, Explanation, MalformedLeaf, Statement, evidence, explain

ASKS = replace(PLAN, film_handed_out=1)


def story(**terms: Any) -> Story:
    return Story(**{"rules": 2, "plan": ASKS, **terms})


def watched(told: Story, first: int, last: int, *handed_out: tuple[int, int], sitting: str = "a", **more: Any) -> None:
    """Minutes of the film, and which the sitting was handed since the leaf before."""
    leaf = told.watched(first * MINUTE, last * MINUTE, sitting=sitting, **more)
    if handed_out:
        leaf["values"]["handed_out"] = [[begins * MINUTE, ends * MINUTE, told.now] for begins, ends in handed_out]


def minutes(statement: Statement) -> tuple[int, int, int]:
    """What counts, what is held, and what of that was not handed out."""
    line = statement.lessons[0]
    assert line.unplayed_ms == statement.online.unplayed_ms
    return line.counted_ms // MINUTE, line.held_ms // MINUTE, line.unplayed_ms // MINUTE


def confirmed(told: Story) -> tuple[int, int, int]:
    told.check("match")
    return minutes(told.statement())


def test_what_was_not_handed_out_is_held_with_its_server_time_and_each_report_of_it_is_marked() -> None:
    told = story()
    told.leaf("sitting.open", sitting="a", lesson="lesson", method="face", from_page=True)
    watched(told, 0, 6, (0, 2), (4, 5))
    watched(told, 6, 7)
    found = evidence(told.leaves)
    assert found.unplayed == (
        CreditedSegment(2, "a", "lesson", 2 * MINUTE, 4 * MINUTE, NINE + 2 * MINUTE),
        CreditedSegment(2, "a", "lesson", 5 * MINUTE, 6 * MINUTE, NINE + 5 * MINUTE),
        CreditedSegment(3, "a", "lesson", 6 * MINUTE, 7 * MINUTE, NINE + 6 * MINUTE),
    )  # fmt: skip
    assert found.marks == {"not_handed_out": 2}
    assert confirmed(told) == (3, 4, 4)
    assert told.statement().lessons[0].make_up == ((2 * MINUTE, 4 * MINUTE), (5 * MINUTE, 7 * MINUTE))


def test_what_was_handed_out_stays_so_for_the_sitting_and_for_no_other() -> None:
    told = story()
    watched(told, 0, 2, (0, 2), (3, 6))
    watched(told, 2, 5, (2, 3))
    assert confirmed(told) == (5, 0, 0)
    assert evidence(told.leaves).marks == {}
    watched(told, 5, 6, sitting="b")
    watched(told, 6, 7, (6, 7), sitting="b")
    assert confirmed(told) == (6, 1, 1)


def test_a_report_that_earns_nothing_may_still_say_what_was_handed_out() -> None:
    told = story()
    watched(told, 0, 1, (0, 4))
    told.leaves[-1]["values"] |= {"credited": [], "furthest_ms": 0}
    watched(told, 0, 4)
    assert confirmed(told) == (4, 0, 0)


def test_it_counts_once_it_is_played_and_until_then_the_account_says_so() -> None:
    told = story()
    watched(told, 0, 3)
    assert confirmed(told) == (0, 3, 3)
    assert Explanation("unplayed", 3 * MINUTE) in explain(told.statement())
    watched(told, 0, 2, (0, 2))
    assert confirmed(told) == (2, 1, 1)


def test_what_is_held_for_another_reason_is_not_said_to_be_unplayed() -> None:
    told = story()
    watched(told, 0, 3, (0, 3))
    watched(told, 3, 4)
    told.check("mismatch")
    assert minutes(told.statement()) == (0, 4, 1)


def test_staff_who_vouch_for_her_do_not_vouch_for_the_film() -> None:
    told = story(plan=replace(ASKS, round_ms=HOUR, room_code=0))
    told.leaf("sitting.open", sitting="a", lesson="lesson", method="supervised")
    told.leaf("checkin.confirm", checkin="room", kind="open", at_ms=told.now, until_ms=told.now + HOUR)
    watched(told, 0, 4, (0, 3))
    told.leaf("checkin.confirm", checkin="room", kind="round", at_ms=told.now, until_ms=told.now + HOUR)
    assert minutes(told.statement()) == (3, 1, 1)


@pytest.mark.parametrize("terms", [{"rules": 1}, {"plan": replace(PLAN, film_handed_out=0)}])
def test_nobody_is_asked_where_plan_or_edition_do_not_ask(terms: dict[str, Any]) -> None:
    told = story(**terms)
    watched(told, 0, 3, (7, 9))
    assert confirmed(told) == (3, 0, 0)
    found = evidence(told.leaves)
    assert (found.unplayed, found.marks) == ((), {})


def test_film_of_a_lesson_that_the_syllabus_does_not_have_is_no_lesson_s_to_make_up() -> None:
    told = story()
    watched(told, 0, 3, lesson="other")
    watched(told, 0, 1, (0, 1))
    assert confirmed(told) == (1, 0, 0)


@pytest.mark.parametrize(
    ("handed_out", "problem"),
    [
        ("all", "must be a list of parts"),
        ([[0, 1]], "must be a list of parts"),
        ([7], "must be a list of parts"),
        ([[0, 1, 5, 6]], "must be a list of parts"),
        ([[5, 5, 1]], "must be an interval"),
    ],
)
def test_parts_that_are_none_are_refused_by_name(handed_out: object, problem: str) -> None:
    told = story()
    watched(told, 0, 1)
    told.leaves[-1]["values"]["handed_out"] = handed_out
    with pytest.raises(MalformedLeaf) as caught:
        evidence(told.leaves)
    assert (caught.value.n, caught.value.field, caught.value.problem) == (1, "handed_out", problem)


@pytest.mark.parametrize(
    ("values", "marks"), [({"from_page": False}, {"no_page": 2}), ({"from_page": True}, {}), ({}, {})]
)
def test_a_sitting_that_no_page_opened_is_marked(values: dict[str, Any], marks: dict[str, int]) -> None:
    told = story()
    for sitting in "ab":
        told.leaf("sitting.open", sitting=sitting, lesson="lesson", method="face", **values)
    assert evidence(told.leaves).marks == marks
