"""What the account itself asks since the second edition of its rules: the law in the ledger, not only at the door."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.trace_stories import BOOK, HOUR, MINUTE, NINE, PLAN, Story

from xueji.hours.rules import MalformedLeaf, Statement, assess, evidence, explain
from xueji.hours.rules.reading import TERMS
from xueji.rulebook.intervals import length, union
from xueji.rulebook.rules import USED_BY_THE_ACCOUNT, InForce, Situation
from xueji.rulebook.shanghai import DAY_MS

CLASS_HOUR = 45 * MINUTE
NEW: dict[str, Any] = {
    "rules": 2,
    "subject": None,
    # So seldom that they play no part here.
    "plan": replace(PLAN, checks_max_gap_ms=6 * HOUR),
}


def lessons(ms: int) -> list[dict[str, Any]]:
    return [{"lesson": "lesson", "part": "theory", "duration_ms": ms}]


def refused(statement: Statement) -> dict[str, int]:
    return {item.reason: item.ms for item in statement.online.refused}


def missing(statement: Statement) -> dict[str, int]:
    return {item.code: item.ms for item in statement.missing}


def refresher(**terms: Any) -> Story:
    """Sixteen class hours, of which twelve were filed to be online; the lessons last all sixteen."""
    hours = {"total_ms": 16, "theory_ms": 16, "practical_ms": 0, "online_ms": 12, "in_person_ms": 4}
    return Story(
        **{
            "category": "safety_manager", "training": "refresher", "lessons": lessons(16 * CLASS_HOUR),
            "plan": PLAN, **{name: n * CLASS_HOUR for name, n in hours.items()}, **NEW, **terms,
        }
    )  # fmt: skip


def study_all(story: Story, ms: int) -> None:
    """Two hours a day, so that no day is over its maximum."""
    at = 0
    while at < ms:
        story.watched(at, min(at + 2 * HOUR, ms))
        at += 2 * HOUR
        story.check("match")
        story.now += DAY_MS


# ---- what was filed limits, and must be reached


def test_no_more_counts_online_than_was_filed_and_nobody_is_complete_who_was_never_in_a_room() -> None:
    story = refresher()
    study_all(story, 16 * CLASS_HOUR)
    statement = story.statement()
    assert statement.online.counted_ms == 12 * CLASS_HOUR
    assert refused(statement) == {"over_cap": 4 * CLASS_HOUR}
    assert (statement.cap.limit_ms, statement.cap.filed_ms) == (12 * CLASS_HOUR, 12 * CLASS_HOUR)
    assert not statement.complete
    assert missing(statement)["in_person_short"] == 4 * CLASS_HOUR
    assert missing(statement)["theory_in_person_short"] == 4 * CLASS_HOUR
    story.attended(4 * CLASS_HOUR, part="theory")
    assert story.statement().complete


def test_a_share_below_forty_percent_limits_when_less_was_filed() -> None:
    story = Story(total_ms=100 * MINUTE, theory_ms=60 * MINUTE, online_ms=10 * MINUTE, in_person_ms=90 * MINUTE, **NEW)
    story.watched(0, 40 * MINUTE)
    story.check("match")
    assert story.statement().online.counted_ms == 10 * MINUTE


def test_practice_in_a_room_does_not_stand_for_theory_that_was_filed_there() -> None:
    story = refresher(practical_ms=2 * CLASS_HOUR, theory_ms=14 * CLASS_HOUR)
    study_all(story, 12 * CLASS_HOUR)
    story.attended(4 * CLASS_HOUR, part="practical")
    assert missing(story.statement()) == {"theory_in_person_short": 2 * CLASS_HOUR, "theory_short": 2 * CLASS_HOUR}


def test_enrolments_of_the_first_edition_are_judged_as_they_were() -> None:
    story = refresher()
    for term in ("rules", "subject"):
        del story.leaves[0]["values"][term]
    study_all(story, 16 * CLASS_HOUR)
    statement = story.statement()
    assert statement.complete
    assert statement.online.counted_ms == 16 * CLASS_HOUR
    told = statement.to_dict()
    assert set(told) == {
        "enrolment", "rulebook", "as_of_ms", "leaves", "settled", "class_hour_ms", "online", "lessons", "cap",
        "in_person", "totals", "syllabus", "online_of_syllabus", "online_of_delivered", "statutory", "complete",
        "missing", "flags", "marks",
    }  # fmt: skip
    assert set(told["cap"]) == {
        "applies", "percent", "document", "article", "limit_ms", "used_ms", "over_ms", "note",
    }  # fmt: skip
    assert set(told["in_person"]) == {"theory_ms", "practical_ms"}
    assert set(told["statutory"]) == {"total_ms", "per_year", "met", "document", "article", "questions"}


def test_a_statement_of_the_second_edition_survives_json() -> None:
    story = refresher()
    story.watched(0, MINUTE)
    story.attended(HOUR, part="theory", began_ms=NINE)
    story.leaf(
        "flag.clear", code="in_person_while_online", ids=["session-2"], ms=MINUTE, by="regulator", proposed_by=""
    )
    statement = story.statement()
    assert statement.in_person.refused
    assert Statement.from_dict(json.loads(json.dumps(statement.to_dict()))) == statement


# ---- the terms


@pytest.mark.parametrize("term", sorted(TERMS - {"rules"}))
def test_a_term_left_out_of_the_opening_is_no_term(term: str) -> None:
    story = Story(**NEW)
    del story.leaves[0]["values"][term]
    with pytest.raises(MalformedLeaf) as error:
        story.statement()
    assert error.value.field == term


def welder(**terms: Any) -> Story:
    hours = {"total_ms": 108, "theory_ms": 60, "practical_ms": 48}
    return Story(jurisdiction="220102", **{name: n * CLASS_HOUR for name, n in hours.items()}, **terms)


def test_the_least_hours_of_each_part_stand_beside_the_total() -> None:
    statement = welder(rules=2, subject="welding").statement()
    assert (statement.statutory.total_ms, statement.statutory.met) == (108 * CLASS_HOUR, True)
    assert (statement.statutory.theory_ms, statement.statutory.practical_ms) == (68 * CLASS_HOUR, 40 * CLASS_HOUR)
    codes = [item.code for item in explain(statement)]
    assert "note.below_statutory_theory" in codes
    assert "note.below_statutory_practical" not in codes


def test_a_subject_that_the_first_opening_left_out_is_put_right_by_a_later_leaf() -> None:
    story = welder()
    assert story.statement().statutory.total_ms is None
    story.leaf("enrolment.correct", subject="welding")
    statement = story.statement()
    assert statement.statutory.total_ms == 108 * CLASS_HOUR
    assert statement.statutory.theory_ms == 68 * CLASS_HOUR


@pytest.mark.parametrize("terms", [{"subject": "welding"}, {"rules": 2, "subject": None}], ids=["known", "said"])
def test_a_subject_that_the_opening_says_is_never_replaced(terms: dict[str, Any]) -> None:
    story = welder(**terms)
    story.leaf("enrolment.correct", subject="scaffolding")
    with pytest.raises(MalformedLeaf):
        story.statement()


def test_whatever_is_open_about_a_rule_the_account_rests_on_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    find = InForce.ruling

    def spying(self: InForce, key: str, situation: Situation | None = None) -> Any:
        asked.add(key)
        return find(self, key, situation)

    monkeypatch.setattr(InForce, "ruling", spying)
    for category in ("principal", "other"):
        statement = Story(**NEW, category=category).statement()
    assert asked <= set(USED_BY_THE_ACCOUNT)
    expected = {question.key for question in BOOK.open_questions if question.about in USED_BY_THE_ACCOUNT}
    assert {"total_hours_meaning", "online_training_in_aq8011_2023"} <= set(statement.statutory.questions) <= expected


def test_one_film_counts_once_under_whatever_titles_it_is_shown() -> None:
    shown = [
        {"lesson": name, "part": "theory", "duration_ms": 10 * MINUTE, "film": film}
        for name, film in (("a", "1" * 64), ("b", "2" * 64), ("c", "1" * 64), ("d", ""), ("e", ""))
    ]
    story = Story(lessons=shown, **NEW)
    for name in "abcde":
        story.watched(0, 10 * MINUTE, lesson=name)
    story.check("match")
    statement = story.statement()
    assert [line.counted_ms for line in statement.lessons] == [10 * MINUTE, 10 * MINUTE, 0, 10 * MINUTE, 10 * MINUTE]
    assert refused(statement) == {"already_counted": 10 * MINUTE}


def test_a_high_risk_industry_limits_whatever_the_opening_says_of_the_risk() -> None:
    terms = {
        "total_ms": 10 * HOUR,
        "theory_ms": 10 * HOUR,
        "practical_ms": 0,
        "online_ms": 9 * HOUR,
        "in_person_ms": HOUR,
    }
    story = Story(high_risk=False, category="principal", **{**NEW, "industry": "metal_smelting"}, **terms)
    assert story.statement().cap.limit_ms == 4 * HOUR
    told = Story(high_risk=False, category="principal", **NEW, **terms)
    assert told.statement().cap.limit_ms == 9 * HOUR


# ---- what cannot be does not count


def flags(story: Story) -> dict[str, int]:
    return {flag.code: flag.ms for flag in story.statement().flags}


def test_of_two_rooms_at_once_the_later_entry_gives_way() -> None:
    story = Story(**NEW)
    story.attended(3 * HOUR, began_ms=NINE, session="a")
    story.attended(3 * HOUR, began_ms=NINE + HOUR, session="b", part="theory")
    statement = story.statement()
    assert flags(story) == {"two_sessions_at_once": 2 * HOUR}
    assert (statement.in_person.practical_ms, statement.in_person.theory_ms) == (3 * HOUR, HOUR)
    assert [(item.reason, item.ms) for item in statement.in_person.refused] == [("impossible", 2 * HOUR)]


def test_attendance_entered_after_study_does_not_take_the_study_away() -> None:
    story = Story(**NEW)
    story.watched(0, HOUR)
    story.check("match")
    story.attended(3 * HOUR, began_ms=NINE - HOUR)
    statement = story.statement()
    assert statement.online.counted_ms == HOUR
    assert statement.in_person.practical_ms == 2 * HOUR
    assert flags(story) == {"in_person_while_online": HOUR}


def test_study_handed_in_after_attendance_gives_way_to_it() -> None:
    story = Story(**NEW)
    story.attended(HOUR, began_ms=NINE)
    story.watched(0, 90 * MINUTE, NINE)
    story.now = NINE + 2 * HOUR
    story.check("match")
    statement = story.statement()
    assert statement.online.counted_ms == 30 * MINUTE
    assert refused(statement) == {"impossible": HOUR}
    assert statement.in_person.practical_ms == HOUR


def test_whoever_came_late_to_a_session_may_have_studied_before() -> None:
    story = Story(**NEW)
    story.watched(0, HOUR)
    story.check("match")
    story.leaf(
        "attendance", session="a", part="practical", began=NINE, ended=NINE + 3 * HOUR, planned=NINE - 1,
        ms=2 * HOUR, method="list",
    )  # fmt: skip
    assert story.statement().in_person.practical_ms == 2 * HOUR


def test_no_more_counts_in_a_day_than_its_maximum() -> None:
    story = Story(lessons=lessons(24 * HOUR), total_ms=100 * HOUR, theory_ms=60 * HOUR, online_ms=30 * HOUR, **NEW)
    story.watched(0, PLAN.daily_max_ms + HOUR)
    story.check("match")
    statement = story.statement()
    assert statement.online.counted_ms == PLAN.daily_max_ms
    assert refused(statement) == {"daily_maximum": HOUR}
    assert flags(story) == {"over_daily_maximum": HOUR}
    story.now += DAY_MS
    story.watched(PLAN.daily_max_ms, PLAN.daily_max_ms + HOUR)
    story.check("match")
    assert story.statement().online.counted_ms == PLAN.daily_max_ms + HOUR


def test_server_time_that_has_not_come_yet_does_not_count() -> None:
    story = Story(**NEW)
    leaf = story.watched(0, 10_000)
    leaf["values"]["server"] = [NINE + 4_000, NINE + 14_000]
    story.check("match")
    assert flags(story) == {"ahead_of_clock": 4_000}
    assert story.statement().online.counted_ms == 6_000
    assert refused(story.statement()) == {"impossible": 4_000}


@given(
    st.lists(st.tuples(st.integers(0, 30 * HOUR), st.integers(1, 3 * HOUR), st.integers(0, 2)), max_size=8),
    st.lists(st.tuples(st.integers(0, 30 * HOUR), st.integers(1, 20 * HOUR), st.integers(1, 20 * HOUR)), max_size=6),
)
def test_whatever_the_trace_says_everything_that_counts_fits_into_the_time_that_passed(
    study: list[tuple[int, int, int]], rooms: list[tuple[int, int, int]]
) -> None:
    story = Story(lessons=lessons(200 * HOUR), total_ms=500 * HOUR, theory_ms=400 * HOUR, online_ms=200 * HOUR, **NEW)
    at, spans = 0, []
    for begins, ms, late in study:
        story.watched(at, at + ms, NINE + begins)
        at += ms
        spans.append((NINE + begins, NINE + begins + ms))
        if late:
            story.attended(ms * late, began_ms=NINE + begins)
            spans.append((NINE + begins, NINE + begins + ms * late))
    for begins, lasts, ms in rooms:
        story.leaf(
            "attendance", session=story.new_id("room"), part="practical", began=NINE + begins,
            ended=NINE + begins + lasts, planned=NINE + begins - 1, ms=min(ms, lasts), method="list",
        )  # fmt: skip
        spans.append((NINE + begins, NINE + begins + lasts))
    story.now = NINE + 60 * HOUR
    story.check("match")
    statement = story.statement()
    assert statement.totals.delivered_ms <= length(union(spans))
    entered = sum(leaf["values"]["ms"] for leaf in story.leaves if leaf["event"] == "attendance")
    in_person = statement.in_person
    struck = sum(item.ms for item in in_person.refused)
    assert in_person.theory_ms + in_person.practical_ms + struck == entered
    assert bool(statement.flags) >= bool(struck)


# ---- the way out of a flag


def collided() -> Story:
    story = Story(**NEW)
    story.attended(3 * HOUR, began_ms=NINE, session="a")
    story.attended(3 * HOUR, began_ms=NINE + HOUR, session="b")
    return story


def clear(story: Story, *, by: str = "regulator", proposed_by: str = "", ms: int = 2 * HOUR) -> None:
    story.leaf(
        "flag.clear", code="two_sessions_at_once", ids=["a", "b"], ms=ms, by=by, proposed_by=proposed_by, reason="00"
    )


def test_a_person_may_clear_a_flag_and_take_it_back_and_nothing_more_counts_because_of_it() -> None:
    story = collided()
    before = story.statement().totals
    story.leaf("flag.restore", code="two_sessions_at_once", reason="00")
    clear(story)
    statement = story.statement()
    assert statement.flags == ()
    clearing = ("two_sessions_at_once", "regulator", story.leaves[-1]["n"])
    assert [(each.code, each.by, each.n) for each in statement.cleared] == [clearing]
    assert "impossible_sums" not in missing(statement)
    assert statement.totals == before
    assert "cleared.two_sessions_at_once" in [item.code for item in explain(statement)]
    story.leaf("flag.restore", code="two_sessions_at_once", reason="00")
    assert flags(story) == {"two_sessions_at_once": 2 * HOUR}


def test_what_grows_after_it_was_cleared_must_be_looked_into_anew() -> None:
    story = collided()
    clear(story)
    story.attended(HOUR, began_ms=NINE, session="c")
    assert flags(story) == {"two_sessions_at_once": 3 * HOUR}


def test_one_member_of_the_institution_alone_clears_nothing() -> None:
    story = collided()
    clear(story, by="institution", proposed_by="trainee")
    assert flags(story) == {"two_sessions_at_once": 2 * HOUR}
    clear(story, by="institution", proposed_by="a colleague")
    assert flags(story) == {}


def test_the_order_of_the_leaves_still_does_not_matter() -> None:
    story = collided()
    story.watched(0, HOUR)
    story.check("match")
    clear(story)
    turned = list(reversed(story.leaves))
    assert assess(BOOK, evidence(turned), story.now) == story.statement()
