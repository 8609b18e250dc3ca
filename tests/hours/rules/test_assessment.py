"""From a chain of leaves to class hours: examples for each rule, and properties that hold for any evidence."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.trace_stories import BOOK, CLOSES, HOUR, LAST_DAY, MINUTE, NINE, PLAN, SETTLED, Story, Study

from xueji.hours.rules import (
    CheckStanding,
    FlagCode,
    Statement,
    WrongRulebook,
    assess,
    evidence,
    explain,
)
from xueji.hours.rules.records import DecidedCheck
from xueji.hours.rules.worth import spans
from xueji.rulebook.intervals import length, union
from xueji.rulebook.shanghai import DAY_MS, day_begins_ms, day_of


def sums(statement: Statement) -> dict[str, int]:
    """The online figures that are not nothing."""
    online = statement.online
    figures = {"counted": online.counted_ms, "provisional": online.provisional_ms, "held": online.held_ms}
    return {name: ms for name, ms in figures.items() if ms} | {item.reason: item.ms for item in online.refused}


# ---- time between checks


def test_time_between_the_beginning_and_a_good_check_counts() -> None:
    story = Story()
    story.watched(0, 10 * MINUTE)
    assert sums(story.statement()) == {"provisional": 10 * MINUTE}
    story.check("match")
    assert sums(story.statement()) == {"counted": 10 * MINUTE}
    story.watched(10 * MINUTE, 12 * MINUTE)
    assert sums(story.statement()) == {"counted": 10 * MINUTE, "provisional": 2 * MINUTE}


@pytest.mark.parametrize(
    "outcome", ["mismatch", "unclear", "no_face", "several_faces", "no_camera", "refused", "missed"]
)
def test_a_failed_check_holds_the_time_on_both_sides(outcome: str) -> None:
    story = Story()
    story.watched(0, 5 * MINUTE)
    story.check("match")
    story.watched(5 * MINUTE, 10 * MINUTE)
    story.check(outcome)
    story.now += PLAN.answer_ms
    story.watched(10 * MINUTE, 15 * MINUTE)
    story.check("match")
    story.watched(15 * MINUTE, 17 * MINUTE)
    statement = story.statement()
    assert sums(statement) == {"counted": 5 * MINUTE, "held": 10 * MINUTE, "provisional": 2 * MINUTE}
    assert statement.lessons[0].make_up == ((5 * MINUTE, 15 * MINUTE),)


def test_time_after_a_failed_check_is_held_before_the_next_one_comes() -> None:
    story = Story()
    story.check("mismatch")
    story.watched(0, 5 * MINUTE)
    assert sums(story.statement()) == {"held": 5 * MINUTE}


@pytest.mark.parametrize("outcome", ["service_down", None], ids=["engine down", "undecided"])
def test_a_check_without_a_verdict_bounds_nothing(outcome: str | None) -> None:
    story = Story()
    story.watched(0, 5 * MINUTE)
    story.check(outcome)
    story.watched(5 * MINUTE, 10 * MINUTE)
    assert sums(story.statement()) == {"provisional": 10 * MINUTE}
    story.check("match")
    assert sums(story.statement()) == {"counted": 10 * MINUTE}


def test_pictures_judged_again_after_the_engine_was_down_count_from_when_they_were_taken() -> None:
    story = Story()
    story.watched(0, 5 * MINUTE)
    check = story.check("service_down")
    story.watched(5 * MINUTE, 10 * MINUTE)
    story.verdict(check, "match")
    assert sums(story.statement()) == {"counted": 5 * MINUTE, "provisional": 5 * MINUTE}


@pytest.mark.parametrize("kind", ["closing", "voluntary"])
def test_an_offer_not_taken_is_neutral_but_an_impostor_is_not(kind: str) -> None:
    story = Story()
    story.watched(0, 5 * MINUTE)
    story.check("missed", kind=kind)
    assert sums(story.statement()) == {"provisional": 5 * MINUTE}
    story.check("mismatch", kind=kind)
    assert sums(story.statement()) == {"held": 5 * MINUTE}


def test_only_the_final_verdict_of_several_attempts_counts() -> None:
    story = Story()
    story.watched(0, 5 * MINUTE)
    check = story.check(None)
    story.leaf("check.answer", check=check, attempt=1)
    story.verdict(check, "unclear", final=False)
    assert evidence(story.leaves).undecided == (check,)
    story.check("match", check=check)
    assert sums(story.statement()) == {"counted": 5 * MINUTE}
    assert evidence(story.leaves).undecided == ()


def moments(story: Story) -> list[int]:
    """The instants the decided checks speak of, from nine o'clock on."""
    return [check.at_ms - NINE for check in evidence(story.leaves).checks]


def test_a_check_speaks_of_the_instant_its_pictures_came() -> None:
    story = Story()
    check = story.check(None)
    story.now += 20_000
    story.leaf("check.answer", check=check, attempt=1)
    story.now += MINUTE
    story.verdict(check, "match")
    assert moments(story) == [20_000]


def test_a_missed_check_speaks_of_the_end_of_its_window_however_late_it_was_noticed() -> None:
    story = Story()
    check = story.check(None)
    story.leaf("check.retold", check=check, answer_by_ms=NINE + 3 * MINUTE)
    story.now += HOUR
    story.verdict(check, "missed")
    assert moments(story) == [3 * MINUTE]


def test_a_second_attempt_missed_speaks_of_its_own_window() -> None:
    story = Story()
    check = story.check(None)
    story.leaf("check.answer", check=check, attempt=1)
    story.verdict(check, "unclear", final=False)
    story.now += 2 * MINUTE
    story.check(None, check=check)
    story.now += HOUR
    story.verdict(check, "missed")
    assert moments(story) == [2 * MINUTE + PLAN.answer_ms]


def test_a_check_declined_speaks_of_the_moment_it_was_declined() -> None:
    story = Story()
    check = story.check(None)
    story.now += 5_000
    story.verdict(check, "refused")
    assert moments(story) == [5_000]


def test_a_person_may_accept_a_failed_check_or_reject_it() -> None:
    story = Story()
    story.watched(0, 5 * MINUTE)
    check = story.check("mismatch")
    story.review(check, "accept")
    assert sums(story.statement()) == {"counted": 5 * MINUTE}
    story.review(check, "reject")
    statement = story.statement()
    assert sums(statement) == {"check_failed": 5 * MINUTE}
    assert statement.lessons[0].make_up == ((0, 5 * MINUTE),)


def test_made_up_time_counts_once_and_only_what_was_watched_again() -> None:
    story = Story()
    story.watched(0, 10 * MINUTE)
    story.check("mismatch")
    story.check("match")
    story.watched(2 * MINUTE, 6 * MINUTE)
    assert sums(story.statement()) == {"provisional": 4 * MINUTE, "held": 6 * MINUTE}
    story.check("match")
    assert sums(story.statement()) == {"counted": 4 * MINUTE, "held": 6 * MINUTE}


def test_held_and_provisional_time_is_lost_when_the_time_to_make_up_is_over() -> None:
    story = Story()
    story.watched(0, 5 * MINUTE)
    story.check("mismatch")
    story.check("match")
    story.watched(5 * MINUTE, 8 * MINUTE)
    before, after = story.statement(SETTLED - 1), story.statement(SETTLED)
    assert sums(before) == {"held": 5 * MINUTE, "provisional": 3 * MINUTE}
    assert sums(after) == {"not_made_up": 8 * MINUTE}
    assert (before.settled, after.settled) == (False, True)
    assert after.lessons[0].make_up == ()


def test_the_time_to_make_up_ends_with_a_shanghai_day() -> None:
    assert LAST_DAY.isoformat() == "2026-11-30"
    midnight = datetime(2026, 12, 7, 16, tzinfo=UTC)
    story = Story()
    assert assess(BOOK, evidence(story.leaves), midnight).settled
    assert not assess(BOOK, evidence(story.leaves), midnight.replace(hour=15)).settled


# ---- vouched for by staff


def test_two_confirmations_by_staff_carry_the_same_weight_as_two_checks() -> None:
    story = Story()
    sitting = story.sitting(method="supervised")
    story.leaf("checkin.confirm", checkin="a", kind="open", at_ms=story.now, until_ms=story.now + 2 * HOUR)
    story.watched(0, 30 * MINUTE, sitting=sitting)
    assert sums(story.statement()) == {"provisional": 30 * MINUTE}
    story.leaf("checkin.confirm", checkin="b", kind="close", at_ms=story.now, until_ms=story.now)
    assert sums(story.statement()) == {"counted": 30 * MINUTE}


def test_leaving_early_ends_what_the_check_in_vouched_for() -> None:
    story = Story()
    sitting = story.sitting(method="supervised")
    story.leaf("checkin.confirm", checkin="a", kind="open", at_ms=story.now, until_ms=story.now + 8 * HOUR)
    story.watched(0, 30 * MINUTE, sitting=sitting)
    story.leaf("checkin.confirm", checkin="a", kind="close", at_ms=story.now, until_ms=story.now)
    story.watched(30 * MINUTE, 40 * MINUTE, sitting=sitting)
    story.leaf("checkin.confirm", checkin="b", kind="open", at_ms=story.now, until_ms=story.now + HOUR)
    assert sums(story.statement()) == {"counted": 30 * MINUTE, "held": 10 * MINUTE}


def test_the_next_mornings_check_in_does_not_confirm_the_evening_nobody_saw() -> None:
    story = Story()
    sitting = story.sitting(method="supervised")
    story.leaf("checkin.confirm", checkin="a", kind="open", at_ms=story.now, until_ms=story.now + HOUR)
    story.watched(0, 90 * MINUTE, sitting=sitting)
    assert sums(story.statement()) == {"provisional": HOUR, "held": 30 * MINUTE}
    story.now += DAY_MS
    story.leaf("checkin.confirm", checkin="b", kind="open", at_ms=story.now, until_ms=story.now + HOUR)
    assert sums(story.statement()) == {"counted": HOUR, "held": 30 * MINUTE}
    story.watched(90 * MINUTE, 100 * MINUTE, sitting=sitting)
    story.leaf("checkin.confirm", checkin="c", kind="round", at_ms=story.now, until_ms=story.now + HOUR)
    assert sums(story.statement()) == {"counted": HOUR + 10 * MINUTE, "held": 30 * MINUTE}


def test_study_before_the_check_in_is_held_too() -> None:
    story = Story()
    sitting = story.sitting(method="supervised")
    story.watched(0, 5 * MINUTE, sitting=sitting)
    story.leaf("checkin.confirm", checkin="a", kind="open", at_ms=story.now, until_ms=story.now + HOUR)
    assert sums(story.statement()) == {"held": 5 * MINUTE}


def test_a_window_vouched_for_does_not_touch_a_sitting_under_face_checks() -> None:
    story = Story()
    sitting = story.sitting(method="face")
    story.leaf("checkin.confirm", checkin="a", kind="open", at_ms=story.now, until_ms=story.now + 1)
    story.watched(0, 10 * MINUTE, sitting=sitting)
    story.check("match")
    assert sums(story.statement()) == {"counted": 10 * MINUTE}


# ---- the cap


def capped(total_ms: int, confirmed_ms: int, **terms: Any) -> Statement:
    story = Story(total_ms=total_ms, theory_ms=total_ms, practical_ms=0, **terms)
    story.watched(0, confirmed_ms)
    story.check("match")
    return story.statement()


def test_exactly_forty_percent_counts_and_one_millisecond_more_does_not() -> None:
    exact = capped(100 * MINUTE, 40 * MINUTE)
    assert sums(exact) == {"counted": 40 * MINUTE}
    assert (exact.cap.applies, exact.cap.article, exact.cap.over_ms) == (True, "第八条", 0)
    over = capped(100 * MINUTE, 40 * MINUTE + 1)
    assert sums(over) == {"counted": 40 * MINUTE, "over_cap": 1}
    assert (over.cap.limit_ms, over.cap.used_ms, over.cap.over_ms) == (40 * MINUTE, 40 * MINUTE, 1)
    assert over.online_of_syllabus.per_mille == 400


def test_forty_percent_of_an_odd_total_is_rounded_down_never_up() -> None:
    assert sums(capped(1_000_003, 400_002)) == {"counted": 400_001, "over_cap": 1}


@pytest.mark.parametrize(
    ("terms", "note"),
    [
        ({"training": "refresher"}, "not_initial"),
        ({"high_risk": False}, "not_high_risk"),
        ({"category": "other"}, "not_regulated_post"),
    ],
)
def test_elsewhere_theory_itself_is_the_limit_and_the_statement_says_why(terms: dict[str, Any], note: str) -> None:
    statement = capped(100 * MINUTE, 100 * MINUTE + 1, **terms)
    assert sums(statement) == {"counted": 100 * MINUTE, "over_cap": 1}
    assert (statement.cap.applies, statement.cap.note, statement.cap.article) == (False, note, "")
    assert f"cap.{note}" in [item.code for item in explain(statement)]


def test_theory_hours_limit_online_hours_below_forty_percent() -> None:
    story = Story(total_ms=100 * MINUTE, theory_ms=30 * MINUTE, practical_ms=70 * MINUTE)
    story.watched(0, 31 * MINUTE)
    story.check("match")
    assert sums(story.statement()) == {"counted": 30 * MINUTE, "over_cap": MINUTE}


def test_practical_lessons_never_count_online() -> None:
    lessons = [
        {"lesson": "lesson", "part": "theory", "duration_ms": HOUR},
        {"lesson": "workshop", "part": "practical", "duration_ms": HOUR},
    ]
    story = Story(lessons=lessons)
    story.watched(0, MINUTE)
    story.watched(0, 5 * MINUTE, lesson="workshop")
    story.check("match")
    story.watched(5 * MINUTE, 6 * MINUTE, lesson="workshop")
    statement = story.statement()
    assert sums(statement) == {"counted": MINUTE, "practical_online": 6 * MINUTE}
    assert statement.lessons[1].make_up == ()


def test_the_lessons_lines_add_up_to_the_total_when_the_cap_cuts() -> None:
    lessons = [{"lesson": name, "part": "theory", "duration_ms": HOUR} for name in "abc"]
    story = Story(total_ms=100 * MINUTE, theory_ms=100 * MINUTE, practical_ms=0, lessons=lessons)
    for name in "abc":
        story.watched(0, 25 * MINUTE, lesson=name)
    story.check("match")
    statement = story.statement()
    assert [line.counted_ms for line in statement.lessons] == [25 * MINUTE, 15 * MINUTE, 0]
    assert sums(statement) == {"counted": 40 * MINUTE, "over_cap": 35 * MINUTE}


# ---- in person, and the whole account


def complete_story() -> Story:
    lessons = [{"lesson": "lesson", "part": "theory", "duration_ms": 40 * MINUTE}]
    story = Story(
        total_ms=100 * MINUTE, theory_ms=60 * MINUTE, practical_ms=40 * MINUTE, online_ms=40 * MINUTE,
        in_person_ms=60 * MINUTE, lessons=lessons, category="safety_manager",
    )  # fmt: skip
    story.watched(0, 40 * MINUTE)
    story.check("match")
    story.now += HOUR
    story.attended(20 * MINUTE, part="theory")
    story.now += HOUR
    story.attended(40 * MINUTE, part="practical")
    story.now += HOUR
    return story


def test_an_account_is_complete_when_both_parts_and_the_total_are_reached() -> None:
    statement = complete_story().statement()
    assert statement.complete
    assert statement.missing == ()
    assert statement.totals.delivered_ms == 100 * MINUTE
    assert (statement.online_of_syllabus.per_mille, statement.online_of_delivered.per_mille) == (400, 400)


def test_what_is_missing_is_named_with_its_amount() -> None:
    story = complete_story()
    story.leaf("attendance.revoke", session=story.leaves[-1]["values"]["session"], reason="00")
    statement = story.statement()
    assert not statement.complete
    assert {item.code: item.ms for item in statement.missing} == {
        "practical_short": 40 * MINUTE,
        "total_short": 40 * MINUTE,
        "online_share_of_delivered": 16 * MINUTE,
    }


def test_the_statutory_minimum_stands_beside_the_syllabus_with_its_source() -> None:
    statement = complete_story().statement()
    assert statement.statutory.total_ms == 48 * 45 * MINUTE
    assert (statement.statutory.met, statement.statutory.per_year) == (False, False)
    assert "第3号" in statement.statutory.document
    assert "note.below_statutory_minimum" in [item.code for item in explain(statement)]


def test_a_year_of_refresher_hours_is_not_asked_of_one_training() -> None:
    statement = Story(training="refresher", category="principal").statement()
    assert (statement.statutory.total_ms, statement.statutory.per_year) == (16 * 45 * MINUTE, True)
    assert "note.below_yearly_minimum" in [item.code for item in explain(statement)]


def test_open_questions_are_told() -> None:
    statement = Story(training="renewal").statement()
    assert statement.statutory.total_ms is None
    assert "open.hours_before_licence_renewal" in [item.code for item in explain(statement)]


def test_refusals_of_beats_are_added_up_by_reason_and_lesson() -> None:
    story = Story()
    story.watched(0, MINUTE, refused=[{"from_ms": 10, "to_ms": 30, "reason": "ahead"}])
    story.watched(MINUTE, 2 * MINUTE, refused=[{"from_ms": 0, "to_ms": 5, "reason": "ahead"}])
    statement = story.statement()
    assert sums(statement)["ahead"] == 25
    assert [(item.reason, item.ms) for item in statement.lessons[0].refused] == [("ahead", 25)]


def test_whole_requests_refused_and_contradictions_leave_a_mark() -> None:
    story = Story()
    story.leaf("beat.conflict", sitting="s", seq=1, beat="b", digest="00")
    story.leaf("beat.refused", sitting="s", seq=1, beat="b", reason="lease_lost")
    story.leaf("beat.refused", sitting="s", seq=2, beat="c", reason="lease_lost")
    assert story.statement().marks == (("conflict", 1), ("lease_lost", 2))


# ---- impossible sums


def flags(story: Story) -> dict[str, tuple[tuple[str, ...], int]]:
    return {flag.code: (flag.ids, flag.ms) for flag in story.statement().flags}


def test_an_honest_account_has_no_flags() -> None:
    assert flags(complete_story()) == {}


def test_credit_longer_than_its_server_time_is_flagged_and_refused() -> None:
    story = Story()
    leaf = story.watched(0, 10_000)
    leaf["values"]["server"][1] -= 4_000
    story.check("match")
    assert flags(story) == {"longer_than_server_time": (("n:1", "sitting"), 4_000)}
    assert sums(story.statement()) == {"counted": 6_000, "impossible": 4_000}


def test_server_time_spent_twice_is_flagged_and_counts_once() -> None:
    story = Story()
    story.watched(0, 10_000, NINE)
    story.watched(10_000, 20_000, NINE + 4_000, sitting="other")
    story.now = NINE + MINUTE
    story.check("match")
    assert flags(story) == {"server_time_twice": (("n:2", "other"), 6_000)}
    assert sums(story.statement()) == {"counted": 14_000, "impossible": 6_000}
    story.watched(10_000, 16_000)
    story.check("match")
    assert sums(story.statement()) == {"counted": 20_000, "impossible": 6_000}


def test_credit_beyond_the_lessons_end_is_flagged_and_refused() -> None:
    story = Story(lessons=[{"lesson": "lesson", "part": "theory", "duration_ms": MINUTE}])
    story.watched(0, MINUTE + 1)
    story.check("match")
    assert flags(story) == {"beyond_duration": (("lesson", "n:1"), 1)}
    assert sums(story.statement()) == {"counted": MINUTE, "impossible": 1}


def test_credit_for_a_lesson_outside_the_syllabus_is_flagged_and_refused() -> None:
    story = Story()
    story.watched(0, MINUTE, lesson="other")
    story.check("match")
    assert flags(story) == {"unknown_lesson": (("n:1", "other"), MINUTE)}
    assert sums(story.statement()) == {"impossible": MINUTE}


def test_server_time_that_has_not_come_yet_is_flagged() -> None:
    story = Story()
    leaf = story.watched(0, 10_000)
    leaf["values"]["server"] = [NINE + 1, NINE + 10_001]
    assert flags(story) == {"ahead_of_clock": (("n:1",), 1)}


def test_a_clock_that_goes_back_is_flagged() -> None:
    story = Story()
    story.leaf("sitting.open", NINE, sitting="s", method="face")
    story.leaf("lease.take", NINE - 7, sitting="s")
    assert flags(story) == {"clock_back": (("n:2",), 7)}


def test_more_than_the_daily_maximum_is_flagged_by_day() -> None:
    story = Story(lessons=[{"lesson": "lesson", "part": "theory", "duration_ms": 24 * HOUR}])
    story.watched(0, PLAN.daily_max_ms)
    assert flags(story) == {}
    story.watched(PLAN.daily_max_ms, PLAN.daily_max_ms + 1)
    assert flags(story) == {"over_daily_maximum": (("2026-11-02",), 1)}


def test_time_across_midnight_belongs_to_both_days() -> None:
    story = Story(lessons=[{"lesson": "lesson", "part": "theory", "duration_ms": 24 * HOUR}])
    story.now = day_begins_ms(day_of(NINE) + 1) - PLAN.daily_max_ms
    story.watched(0, 2 * PLAN.daily_max_ms)
    assert flags(story) == {}


def test_a_day_of_more_than_24_hours_and_two_places_at_once_are_flagged() -> None:
    story = Story()
    began = day_begins_ms(day_of(NINE))
    story.attended(20 * HOUR, began_ms=began, session="a")
    story.attended(5 * HOUR, began_ms=began + 19 * HOUR, session="b")
    assert flags(story) == {
        "two_sessions_at_once": (("a", "b"), HOUR),
        "day_over_24_hours": (("2026-11-02",), HOUR),
    }


def test_sitting_in_a_room_while_studying_online_is_flagged() -> None:
    story = Story()
    story.attended(HOUR, began_ms=NINE - HOUR + 5_000, session="a")
    story.attended(HOUR, began_ms=NINE + HOUR, session="b")
    story.watched(0, 10_000)
    assert flags(story) == {"in_person_while_online": (("a",), 5_000)}


def test_attendance_longer_than_its_session_or_entered_twice_is_flagged() -> None:
    story = Story()
    story.leaf("attendance", session="a", part="theory", began=NINE, ended=NINE + 10, ms=15, method="list")
    story.leaf("attendance", session="a", part="theory", began=NINE, ended=NINE + 10, ms=10, method="list")
    assert flags(story) == {"longer_than_session": (("a", "n:1"), 5), "attended_twice": (("a", "n:2"), 10)}
    assert story.statement().in_person.theory_ms == 10


def test_an_account_with_impossible_sums_is_not_complete() -> None:
    story = complete_story()
    story.leaf("key.rotate", story.now - DAY_MS)
    statement = story.statement()
    assert [item.code for item in statement.missing] == ["impossible_sums"]
    assert explain(statement)[0].code == "flag.clock_back"


def test_every_flag_has_been_seen_in_a_test() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_*.py"))
    assert [code for code in FlagCode if f'"{code.value}"' not in text] == []


# ---- the statement and its rulebook


def test_another_rulebook_than_the_enrolments_is_refused() -> None:
    with pytest.raises(WrongRulebook):
        assess(replace(BOOK, version="1999.01"), evidence(Story().leaves), NINE)


def test_a_statement_survives_json_and_holds_whole_numbers_only() -> None:
    story = complete_story()
    story.check("mismatch")
    story.now += 1
    story.attended(5, began_ms=NINE)
    statement = story.statement()
    assert statement.flags

    def no_floats(value: object) -> None:
        assert not isinstance(value, float)
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            no_floats(item)

    values = statement.to_dict()
    no_floats(values)
    assert Statement.from_dict(json.loads(json.dumps(values))) == statement


# ---- what was credited live is what the account finds


def test_the_account_of_a_live_sitting_agrees_with_what_was_credited_live() -> None:
    story = Story()
    study = Study(story)
    study.watch(12 * MINUTE)
    story.check("match")
    story.now += 7 * MINUTE
    study.report(study.beat(study.state.furthest_ms, study.state.furthest_ms + 6 * MINUTE))
    study.report(study.beat(0, MINUTE), study.beat(HOUR, HOUR + MINUTE), study.beat(0, MINUTE, "hidden"))
    statement = story.statement()
    online = statement.online
    assert online.counted_ms + online.provisional_ms == study.credited_ms == study.state.study_ms
    assert statement.lessons[0].furthest_ms == study.state.furthest_ms
    assert sums(statement) == {
        "counted": 12 * MINUTE, "provisional": 5 * MINUTE, "already_counted": MINUTE, "ahead": MINUTE,
        "hidden": MINUTE, "too_late": MINUTE,
    }  # fmt: skip
    assert statement.flags == ()


def test_watching_the_missed_part_again_in_a_new_sitting_makes_it_count() -> None:
    story = Story()
    first = Study(story)
    first.watch(5 * MINUTE)
    story.check("match")
    first.watch(5 * MINUTE)
    story.check("several_faces")
    story.check("match")
    make_up = story.statement().lessons[0].make_up
    assert make_up == ((5 * MINUTE, 10 * MINUTE),)

    second = Study(story, furthest_ms=10 * MINUTE, make_up=make_up)
    story.now += 5 * MINUTE
    second.report(second.beat(5 * MINUTE, 10 * MINUTE))
    second.watch(MINUTE)
    story.check("match")
    statement = story.statement()
    assert sums(statement) == {"counted": 11 * MINUTE}
    assert first.credited_ms + second.credited_ms == 16 * MINUTE
    assert statement.lessons[0].make_up == ()


# ---- properties

GOOD, FAILED, REJECTED = CheckStanding.GOOD, CheckStanding.FAILED, CheckStanding.REJECTED
STUDY = st.lists(
    st.tuples(
        st.integers(0, 600_000),
        st.integers(0, 590_000),
        st.integers(1, 60_000),
        st.sampled_from([None, None, "match", "match", "mismatch", "missed", "service_down"]),
        st.sampled_from([None, None, None, "accept", "reject"]),
    ),
    max_size=12,
)


def told(study: list[tuple[int, int, int, str | None, str | None]]) -> Story:
    """A chain of pieces of a ten-minute lesson, watched one after the other, with checks in between."""
    story = Story(lessons=[{"lesson": "lesson", "part": "theory", "duration_ms": 10 * MINUTE}])
    for pause, first, ms, outcome, review in study:
        story.now += pause
        story.watched(first, min(first + ms, 10 * MINUTE))
        if outcome is not None:
            check = story.check(outcome)
            if review is not None:
                story.review(check, review)
    return story


def account_ms(statement: Statement) -> int:
    """Every millisecond of media the account has an opinion on."""
    mine = ("check_failed", "not_made_up", "over_cap")
    refused = sum(item.ms for item in statement.online.refused if item.reason in mine)
    return statement.online.counted_ms + statement.online.provisional_ms + statement.online.held_ms + refused


@given(STUDY, st.randoms(use_true_random=False))
def test_the_order_of_the_leaves_does_not_matter(study: list[Any], random: Any) -> None:
    story = told(study)
    shuffled = list(story.leaves)
    random.shuffle(shuffled)
    assert assess(BOOK, evidence(shuffled), NINE) == assess(BOOK, evidence(story.leaves), NINE)


@given(STUDY, st.randoms(use_true_random=False))
def test_the_order_in_which_beats_were_recorded_does_not_matter(study: list[Any], random: Any) -> None:
    """Beats that come late, with other numbers in the chain, give the same sums."""
    story = told(study)
    places = [i for i, leaf in enumerate(story.leaves) if leaf["event"] == "beat"]
    beats = [story.leaves[i]["values"] for i in places]
    random.shuffle(beats)
    mixed = [dict(leaf) for leaf in story.leaves]
    for place, values in zip(places, beats, strict=True):
        mixed[place]["values"] = values
    found, expected = assess(BOOK, evidence(mixed), NINE), story.statement(NINE)
    assert (found.online, found.totals, found.lessons[0].make_up) == (
        expected.online, expected.totals, expected.lessons[0].make_up,
    )  # fmt: skip


@given(STUDY)
def test_no_media_counts_twice_and_no_more_than_the_clock_allows(study: list[Any]) -> None:
    statement = told(study).statement()
    pieces = [(first, min(first + ms, 10 * MINUTE)) for _, first, ms, _, _ in study]
    assert account_ms(statement) == length(union(pieces))
    assert statement.online.counted_ms + statement.online.provisional_ms <= length(pieces)
    assert statement.flags == ()


@given(
    st.lists(
        st.tuples(
            st.integers(0, 590_000),
            st.integers(1, 200_000),
            st.integers(0, 900_000),
            st.integers(1, 200_000),
            st.sampled_from(["lesson", "lesson", "other"]),
        ),
        max_size=10,
    )
)
def test_whatever_the_trace_says_no_more_counts_than_the_server_time_that_passed(claims: list[Any]) -> None:
    """Credit written by somebody who does not obey the rules: the account believes only what can be."""
    story = Story(lessons=[{"lesson": "lesson", "part": "theory", "duration_ms": 10 * MINUTE}])
    for first, ms, begins, spent, lesson in claims:
        leaf = story.watched(first, first + ms, NINE + begins, lesson=lesson)
        leaf["values"]["server"] = [NINE + begins, NINE + begins + spent]
    story.now += HOUR
    story.check("match")
    statement = story.statement()
    passed = union((begins, begins + min(ms, spent)) for _, ms, begins, spent, _ in claims)
    assert account_ms(statement) <= min(length(passed), 10 * MINUTE)
    claimed = sum(ms for _, ms, _, _, _ in claims)
    impossible = sum(item.ms for item in statement.online.refused if item.reason == "impossible")
    assert statement.online.counted_ms + impossible <= claimed
    assert bool(statement.flags) >= bool(impossible)


@given(STUDY)
def test_the_lines_of_the_lessons_add_up_to_the_totals(study: list[Any]) -> None:
    statement = told(study).statement()
    line = statement.lessons[0]
    online = statement.online
    assert (line.counted_ms, line.provisional_ms, line.held_ms) == (
        online.counted_ms, online.provisional_ms, online.held_ms,
    )  # fmt: skip
    assert line.refused == online.refused
    lost = sum(item.ms for item in line.refused if item.reason == "check_failed")
    assert length(line.make_up) == line.held_ms + lost


@given(STUDY, st.integers(0, 590_000), st.integers(1, 60_000))
def test_more_good_evidence_never_lowers_what_counts(study: list[Any], first: int, ms: int) -> None:
    story = told(study)
    before = story.statement(NINE).online
    story.now += MINUTE
    story.check("match")
    checked = story.statement(NINE).online
    assert checked.counted_ms >= before.counted_ms
    story.watched(first, min(first + ms, 10 * MINUTE))
    watched = story.statement(NINE).online
    assert watched.counted_ms == checked.counted_ms
    story.check("match")
    confirmed = story.statement(NINE).online
    assert confirmed.counted_ms >= watched.counted_ms
    assert confirmed.held_ms <= watched.held_ms


@given(STUDY, st.lists(st.integers(NINE, SETTLED - 1), min_size=2, max_size=4))
def test_nothing_shrinks_with_time_alone_until_the_time_to_make_up_is_over(study: list[Any], days: list[int]) -> None:
    story = told(study)
    assert len({story.statement(day).online for day in days}) == 1
    before, after = story.statement(SETTLED - 1), story.statement(SETTLED)
    assert after.online.counted_ms == before.online.counted_ms
    assert (after.online.provisional_ms, after.online.held_ms) == (0, 0)
    assert account_ms(after) == account_ms(before)


@given(STUDY, st.integers(1, 100 * MINUTE), st.integers(0, 100 * MINUTE))
def test_the_online_share_never_exceeds_forty_percent_by_a_millisecond(
    study: list[Any], total_ms: int, theory_ms: int
) -> None:
    story = told(study)
    story.leaves[0]["values"] |= {"total_ms": total_ms, "theory_ms": theory_ms}
    statement = story.statement()
    counted, cap = statement.online.counted_ms, statement.cap
    assert counted * 100 <= total_ms * 40
    assert counted <= theory_ms
    assert cap.over_ms == 0 or counted == cap.limit_ms


@given(STUDY)
@settings(max_examples=50)
def test_a_statement_of_anything_survives_json(study: list[Any]) -> None:
    statement = told(study).statement()
    assert Statement.from_dict(json.loads(json.dumps(statement.to_dict()))) == statement


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from([GOOD, FAILED, REJECTED])), max_size=6), st.integers(0, 9))
def test_the_worth_of_an_instant_follows_from_its_two_nearest_checks(
    decided: list[tuple[int, CheckStanding]], instant: int
) -> None:
    """Against the rule said plainly: look left, look right, the worse decides; nothing to the right is provisional."""
    checks = [DecidedCheck(n, str(n), "scheduled", at, "", standing) for n, (at, standing) in enumerate(decided)]
    ordered = sorted(checks, key=lambda check: (check.at_ms, check.n))
    before = [check.standing for check in ordered if check.at_ms <= instant]
    after = [check.standing for check in ordered if check.at_ms > instant]
    around = ([before[-1]] if before else []) + ([after[0]] if after else [])
    if REJECTED in around:
        expected = "LOST"
    elif FAILED in around:
        expected = "HELD"
    else:
        expected = "CONFIRMED" if after else "PROVISIONAL"
    assert [status.name for start, end, status in spans(checks) if start <= instant < end] == [expected]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 400_000), st.integers(-30_000, 30_000), st.integers(1, 400_000),
            st.sampled_from([None, None, "match", "mismatch"]),
        ),
        max_size=12,
    )
)  # fmt: skip
def test_any_live_study_agrees_with_its_account_and_raises_no_flag(reports: list[Any]) -> None:
    """Sums of `credit` and of `assess` over the leaves it wrote: media first seen earns once in both."""
    story = Story()
    study = Study(story)
    for pause, shift, ms, outcome in reports:
        story.now += pause
        first = max(0, study.state.furthest_ms + shift)
        study.report(study.beat(first, first + ms))
        if outcome is not None:
            story.check(outcome)
    statement = story.statement()
    assert account_ms(statement) == study.credited_ms == study.state.furthest_ms
    assert statement.flags == ()
    assert story.now < CLOSES
