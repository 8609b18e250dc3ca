"""What a statement says of itself: in words by their codes, most important first, and as plain JSON."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from support.trace_stories import BOOK, HOUR, MINUTE, NINE, SETTLED, Story

from xueji.hours.rules import (
    Explanation,
    Flag,
    FlagCode,
    Share,
    Statement,
    WrongRulebook,
    assess,
    assess_media,
    evidence,
    explain,
)
from xueji.hours.rules.statement import AttendanceLine, Cleared, Missing, RefusedSum
from xueji.hours.rules.worth import Status


def statement(**terms: Any) -> Statement:
    story = Story(**{"category": "other", "training": "refresher", "high_risk": False, **terms})
    story.watched(0, 10 * MINUTE)
    story.check()
    return story.statement()


def test_an_account_explains_itself_most_important_first() -> None:
    plain = statement()
    told = replace(
        plain,
        flags=(Flag("clock_back", ("n:4",), 7), Flag("attended_twice", ("room",), 8)),
        missing=(Missing("total_short", 9),),
        online=replace(
            plain.online, held_ms=1, awaited_ms=2, provisional_ms=3,
            refused=(RefusedSum("ahead", 4), RefusedSum("over_cap", 5)),
        ),
        cap=replace(plain.cap, note="no_rule", limit_ms=6),
        syllabus=replace(plain.syllabus, theory_ms=10, practical_ms=10),
        statutory=replace(
            plain.statutory, met=False, per_year=False, total_ms=11, theory_ms=12, practical_ms=13,
            questions=("which_hours",),
        ),
        cleared=(Cleared("two_sessions_at_once", ("a", "b"), 14, 3, "regulator"),),
    )  # fmt: skip
    assert explain(told) == (
        Explanation("flag.clock_back", 7, ("n:4",)),
        Explanation("flag.attended_twice", 8, ("room",)),
        Explanation("missing.total_short", 9),
        Explanation("held", 1),
        Explanation("awaited", 2),
        Explanation("provisional", 3),
        Explanation("refused.ahead", 4),
        Explanation("refused.over_cap", 5),
        Explanation("cap.no_rule", 6),
        Explanation("note.below_statutory_minimum", 11),
        Explanation("note.below_statutory_theory", 12),
        Explanation("note.below_statutory_practical", 13),
        Explanation("cleared.two_sessions_at_once", 14, ("a", "b")),
        Explanation("open.which_hours", 0),
    )


def test_what_is_in_order_needs_no_explanation() -> None:
    plain = statement()
    well = replace(
        plain, missing=(),
        statutory=replace(plain.statutory, met=True, theory_ms=None, practical_ms=None, questions=()),
        cap=replace(plain.cap, note="applies", limit_ms=6), online=replace(plain.online, provisional_ms=0),
    )  # fmt: skip
    assert explain(well) == (Explanation("cap.applies", 6),)
    exactly = replace(well, syllabus=replace(plain.syllabus, theory_ms=10, practical_ms=10))
    exactly = replace(exactly, statutory=replace(well.statutory, theory_ms=10, practical_ms=10))
    assert explain(exactly) == explain(well)
    unknown = replace(well, statutory=replace(well.statutory, met=None))
    assert explain(unknown) == explain(well)
    yearly = replace(well, statutory=replace(well.statutory, met=False, per_year=True, total_ms=None))
    assert Explanation("note.below_yearly_minimum", 0) in explain(yearly)


@pytest.mark.parametrize(("part", "whole", "per_mille"), [(0, 0, 0), (2, 5, 400), (2, 3, 666), (1, 1, 1000), (0, 7, 0)])
def test_a_share_is_shown_in_thousandths_rounded_down(part: int, whole: int, per_mille: int) -> None:
    assert Share(part, whole).per_mille == per_mille


LINE = AttendanceLine("room", "practical", 1, 5, 6, None, 4, "counted", ("overlap",), True, "silent")


def test_a_statement_with_everything_reads_back_from_its_json() -> None:
    plain = statement(rules=2, subject=None)
    told = replace(
        plain,
        flags=(Flag("clock_back", ("n:4",), 7),),
        cleared=(Cleared("two_sessions_at_once", ("a", "b"), 14, 3, "regulator"),),
        missing=(Missing("total_short", 9),),
        marks=(("retold", 2),),
        attendance=(LINE,),
        withdrawn=True,
        in_person=replace(plain.in_person, refused=(RefusedSum("impossible", 3),)),
        lessons=(replace(plain.lessons[0], make_up=((0, 5), (7, 9)), refused=(RefusedSum("ahead", 4),)),),
        statutory=replace(plain.statutory, questions=("one", "two")),
    )
    assert Statement.from_dict(told.to_dict()) == told
    assert told.to_dict()["attendance"][0]["doubts"] == ["overlap"]
    assert told.to_dict()["online_of_syllabus"]["per_mille"] == told.online_of_syllabus.per_mille
    assert LINE.ms == 4


def test_its_words_are_plain_text_whatever_they_were_before() -> None:
    told = replace(statement(), flags=(Flag(FlagCode.CLOCK_BACK, ("n:4",), 7),))
    assert type(told.to_dict()["flags"][0]["code"]) is str


def test_what_came_with_a_later_edition_is_left_out_where_it_says_nothing() -> None:
    values = statement().to_dict()
    assert {"cleared", "rules", "attendance", "withdrawn"}.isdisjoint(values)
    assert "awaited_ms" not in values["online"] and "refused" in values["online"]
    assert Statement.from_dict(values) == statement()


def test_the_days_after_the_end_and_those_for_reviews_end_with_a_shanghai_day() -> None:
    enrolment = evidence(Story().leaves).enrolment
    ends = NINE - 9 * HOUR + 29 * 24 * HOUR
    assert enrolment.settles_ms == ends + enrolment.plan.settle_days * 24 * HOUR
    assert enrolment.reviews_end_ms == enrolment.settles_ms + enrolment.plan.appeal_days * 24 * HOUR


def test_a_statement_names_what_it_is_about_and_what_it_rests_on() -> None:
    story = Story(rules=2, industry="metal_smelting", subject=None, category="safety_manager")
    story.watched(0, 10 * MINUTE)
    at = datetime(2026, 11, 2, 4, 0, 0, 1_999, tzinfo=UTC)
    found = assess_media(BOOK, evidence(story.leaves), at)
    told = found.statement
    assert (told.enrolment, told.rulebook, told.leaves, told.rules) == ("enrolment", BOOK.reference, 2, 2)
    assert told.as_of_ms == NINE + 3 * HOUR + 1 and type(told.as_of_ms) is int
    assert told.class_hour_ms == 45 * MINUTE
    asked = [story.terms[name] for name in ("total_ms", "theory_ms", "practical_ms", "online_ms", "in_person_ms")]
    assert list(told.to_dict()["syllabus"].values()) == asked
    (line,) = told.lessons
    assert (line.lesson, line.part, line.duration_ms) == ("lesson", "theory", 3 * HOUR)
    assert found.media["lesson"][Status.PROVISIONAL] == [(0, 10 * MINUTE)]
    assert (told.cap.applies, told.cap.percent, told.cap.document[:3], told.cap.article) == (
        True, 40, "甘应急", "第八条",
    )  # fmt: skip
    assert told.statutory.document and told.statutory.article
    assert (told.statutory.theory_ms, told.statutory.practical_ms) == (None, None)


def test_where_no_rule_decides_no_document_is_named() -> None:
    told = statement(category="special_operator", training="renewal")
    assert (told.cap.document, told.cap.article, told.cap.percent) == ("", "", None)
    assert (told.statutory.document, told.statutory.article, told.statutory.met) == ("", "", None)


def test_in_the_first_edition_a_statement_names_the_total_alone_and_one_film_may_count_twice() -> None:
    lessons = [
        {"lesson": name, "part": "theory", "duration_ms": 10 * MINUTE, "film": "f" * 64} for name in ("one", "two")
    ]

    def account(**terms: Any) -> Statement:
        story = Story(jurisdiction="220102", lessons=lessons, category="special_operator", **terms)
        for name in ("one", "two"):
            story.watched(0, 10 * MINUTE, lesson=name)
        story.check()
        return story.statement()

    first, second = account(subject="welding"), account(rules=2, subject="welding", industry=None)
    assert first.online.counted_ms == 20 * MINUTE and second.online.counted_ms == 10 * MINUTE
    assert (first.statutory.theory_ms, first.statutory.practical_ms) == (None, None)
    assert second.statutory.theory_ms is not None and second.statutory.practical_ms is not None


def test_what_is_short_by_a_millisecond_is_missing() -> None:
    told = Story(total_ms=1, theory_ms=1, practical_ms=0, online_ms=0, in_person_ms=1, rules=2, subject=None)
    missing = {item.code: item.ms for item in told.statement().missing}
    assert missing == {"in_person_short": 1, "theory_in_person_short": 1, "theory_short": 1, "total_short": 1}


def test_the_allowed_share_of_what_was_delivered_is_rounded_down_never_up() -> None:
    story = Story()
    story.watched(0, 100_001)
    story.check()
    (short,) = [item for item in story.statement().missing if item.code == "online_share_of_delivered"]
    assert short == Missing("online_share_of_delivered", 100_001 - 40_000) and type(short.ms) is int


def test_sums_that_cannot_be_are_missing_without_an_amount() -> None:
    story = Story()
    story.watched(0, MINUTE, lesson="stray")
    assert story.statement().missing[-1] == Missing("impossible_sums", 0)


def test_what_a_report_was_refused_for_adds_to_what_the_account_refuses() -> None:
    """By a rejection, the settlement or the limit, and of a film or a practical lesson that counts nowhere online."""
    film = {"duration_ms": HOUR, "film": "f" * 64}
    lessons = [
        {"lesson": "one", "part": "theory", **film},
        {"lesson": "again", "part": "theory", **film},
        {"lesson": "workshop", "part": "practical", "duration_ms": HOUR},
    ]
    reasons = ("check_failed", "not_made_up", "over_cap", "already_counted", "practical_online")
    story = Story(rules=2, lessons=lessons, online_ms=2 * MINUTE)

    def watch(lesson: str, minute: int, reason: str = "") -> None:
        pieces = [{"from_ms": 0, "to_ms": 7, "reason": reason}] if reason else []
        story.watched(minute * MINUTE, (minute + 1) * MINUTE, lesson=lesson, refused=pieces)

    for minute, reason in enumerate(reasons[:3]):
        watch("one", minute, reason)
    watch("again", 0, "already_counted")
    watch("workshop", 0, "practical_online")
    story.check()
    watch("one", 10)
    story.review(story.check("mismatch"), "reject", "a", "b")
    watch("one", 20)
    story.check("match")
    watch("one", 30)
    online = story.statement(SETTLED).online
    assert online.counted_ms == 2 * MINUTE
    lost = {"check_failed": 2 * MINUTE, "not_made_up": MINUTE}
    once = dict.fromkeys(("over_cap", "already_counted", "practical_online"), MINUTE)
    assert {item.reason: item.ms - 7 for item in online.refused} == lost | once


def test_refusals_of_one_kind_add_up_over_leaves() -> None:
    story = Story(rules=2, subject=None)
    for n in range(2):
        story.watched(0, 5 * MINUTE, lesson="stray")
        story.watched(3 * HOUR - MINUTE * (2 - n), 3 * HOUR + MINUTE * (n + 1))
    story.watched(0, MINUTE, story.now - 30_000)
    story.watched(5 * MINUTE, 6 * MINUTE, story.now)
    told = story.statement()
    flags = {flag.code: flag.ms for flag in told.flags}
    assert flags["unknown_lesson"] == 10 * MINUTE
    assert flags["beyond_duration"] == 3 * MINUTE
    impossible = {item.reason: item.ms for item in told.online.refused}["impossible"]
    assert impossible == 10 * MINUTE + 3 * MINUTE + flags["server_time_twice"]


def test_another_rulebook_is_named_with_the_one_that_was_meant() -> None:
    story = Story(rulebook="cn-safety-training@2020.01")
    with pytest.raises(WrongRulebook, match=f"^opened under cn-safety-training@2020.01, not {BOOK.reference}$"):
        assess(BOOK, evidence(story.leaves), NINE)
