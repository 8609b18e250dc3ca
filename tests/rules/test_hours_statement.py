"""What a statement says of itself: in words by their codes, most important first, and as plain JSON."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from trace_stories import HOUR, MINUTE, NINE, Story

from xueji.hours.rules import Explanation, Flag, FlagCode, Share, Statement, evidence, explain
from xueji.hours.rules.statement import AttendanceLine, Cleared, Missing, RefusedSum


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
