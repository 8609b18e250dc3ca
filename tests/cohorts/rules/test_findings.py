"""What each finding tells: the figures, the rule of law behind it, and what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from support.proposals import BOOK, GANSU, HOUR, TODAY, preset, proposal

from xueji.cohorts import wording
from xueji.cohorts.rules import Ground, Objection, Proposal, ProposedLesson, judge, settles_on
from xueji.rulebook import rules as rulebook
from xueji.rulebook.industries import UNKNOWN, members, table_subjects
from xueji.rulebook.vocabulary import Category, Part, Training

CHANGCHUN = "220102"
LAW = BOOK.in_force(GANSU, TODAY)
PLAN = preset()


def lesson(ms: int | None, title: str = "通风", part: Part = Part.THEORY) -> ProposedLesson:
    return ProposedLesson(title, part, ms)


def found(proposed: Proposal, why: Ground, region: str = GANSU) -> Objection:
    judgement = judge(BOOK.in_force(region, TODAY), proposed, TODAY)
    (only,) = [each for each in (*judgement.refusals, *judgement.notices) if each.why is why]
    return only


REFRESHER = {
    "training": Training.REFRESHER, "total_ms": 48 * HOUR + 1, "theory_ms": 48 * HOUR + 1, "practical_ms": 0,
    "online_ms": 48 * HOUR, "in_person_ms": 1, "lessons": (lesson(48 * HOUR),),
}  # fmt: skip
WELDING = {
    "category": Category.SPECIAL_OPERATOR, "subject": "welding", "total_ms": 108 * HOUR, "practical_ms": 40 * HOUR,
    "theory_ms": 67 * HOUR, "in_person_ms": 88 * HOUR,
}  # fmt: skip
FINDINGS: list[tuple[Ground, str, dict[str, Any], Mapping[str, int], str, str]] = [
    (Ground.TOO_MANY_HOURS, GANSU, {"total_ms": 1000 * HOUR + 1},
     {"total_ms": 1000 * HOUR + 1, "limit_ms": 1000 * HOUR}, "", ""),
    (Ground.PARTS_DO_NOT_ADD_UP, GANSU, {"practical_ms": 11 * HOUR},
     {"theory_ms": 40 * HOUR, "practical_ms": 11 * HOUR, "total_ms": 50 * HOUR}, "", ""),
    (Ground.PLACES_DO_NOT_ADD_UP, GANSU, {"in_person_ms": 29 * HOUR},
     {"online_ms": 20 * HOUR, "in_person_ms": 29 * HOUR, "total_ms": 50 * HOUR}, "", ""),
    (Ground.SUBJECT_CATEGORY, CHANGCHUN, {"subject": "welding"}, {}, "subject_category", "welding"),
    (Ground.SUBJECT_INDUSTRY, CHANGCHUN, {"subject": "metal_smelting"}, {}, "subject_industry", "metal_smelting"),
    (Ground.SUBJECT_MISSING, CHANGCHUN, {"category": Category.SPECIAL_OPERATOR, "industry": "energy_supply"}, {},
     "training_hours", ""),
    (Ground.REVIEW_ABOLISHED, GANSU, {"training": Training.REVIEW}, {}, "licence_review_abolished", ""),
    (Ground.ALL_ONLINE, GANSU, {"in_person_ms": 0}, {}, "all_online_cohort", ""),
    (Ground.IN_PERSON_TOKEN, GANSU, REFRESHER,
     {"in_person_ms": 1, "needed_ms": 48 * HOUR // 10 + 1, "percent": 10}, "all_online_cohort", ""),
    (Ground.OVER_SHARE, GANSU, {"total_ms": 50 * HOUR - 1}, {"online_ms": 20 * HOUR, "limit_ms": 20 * HOUR - 1,
     "total_ms": 50 * HOUR - 1, "percent": 40}, "online_share", ""),
    (Ground.OVER_THEORY, GANSU, {"theory_ms": 19 * HOUR}, {"online_ms": 20 * HOUR, "limit_ms": 19 * HOUR},
     "practical_online", ""),
    (Ground.TOTAL_SHORT, GANSU, {"total_ms": 47 * HOUR}, {"planned_ms": 47 * HOUR, "needed_ms": 48 * HOUR},
     "training_hours", ""),
    (Ground.THEORY_SHORT, CHANGCHUN, WELDING, {"planned_ms": 67 * HOUR, "needed_ms": 68 * HOUR}, "theory_hours", ""),
    (Ground.YEARLY_HOURS_SHORT, GANSU, {"training": Training.REFRESHER, "total_ms": 8 * HOUR},
     {"planned_ms": 8 * HOUR, "needed_ms": 16 * HOUR}, "training_hours", ""),
    (Ground.PRACTICAL_ONLINE, GANSU, {"lessons": (lesson(20 * HOUR), lesson(HOUR, "灭火", Part.PRACTICAL))}, {},
     "practical_online", "灭火"),
    (Ground.LESSON_WITHOUT_FILM, GANSU, {"lessons": (lesson(20 * HOUR), lesson(None, "急救"))}, {}, "", "急救"),
    (Ground.LESSONS_WITHOUT_HOURS, GANSU, {"online_ms": 0, "in_person_ms": 50 * HOUR},
     {"lessons_ms": 20 * HOUR}, "", ""),
    (Ground.LESSONS_SHORT, GANSU, {"lessons": (lesson(20 * HOUR - 1), lesson(None))},
     {"lessons_ms": 20 * HOUR - 1, "online_ms": 20 * HOUR}, "", ""),
    (Ground.LESSONS_LONG, GANSU, {"lessons": (lesson(20 * HOUR + 1), lesson(HOUR, "灭火", Part.PRACTICAL))},
     {"lessons_ms": 20 * HOUR + 1, "online_ms": 20 * HOUR}, "", ""),
    (Ground.TOO_FEW_DAYS, GANSU, {"ends_on": TODAY + timedelta(days=8)},
     {"online_ms": 20 * HOUR, "days": 2, "daily_max_ms": 8 * HOUR}, "", ""),
    (Ground.PLAN_LAXER, GANSU, {"plan": replace(PLAN, idle_ms=600_000)}, {"chosen": 600_000, "preset": 300_000},
     "plan.idle_ms", "idle_ms"),
    (Ground.PLAN_LAXER, GANSU, {"plan": replace(PLAN, daily_max_ms=9 * HOUR)}, {"chosen": 9 * HOUR, "preset": 8 * HOUR},
     "plan.daily_max_class_hours", "daily_max_ms"),
    (Ground.PLAN_LAXER, GANSU, {"plan": replace(PLAN, confirm_reference=0)}, {"chosen": 0, "preset": 1},
     "plan.confirm_reference", "confirm_reference"),
    (Ground.LITTLE_CHANCE, GANSU, {"plan": replace(PLAN, checks_max_gap_ms=PLAN.checks_min_gap_ms + 120_000)},
     {"minutes": 2, "needed": 5}, "checks_spread_ms", ""),
    (Ground.NO_CHANCE, GANSU, {"plan": replace(PLAN, checks_min_gap_ms=600_000, checks_max_gap_ms=600_000)},
     {"minutes": 10}, "", ""),
    (Ground.SHORT_NOTICE, GANSU, {"starts_on": TODAY + timedelta(days=6)},
     {"days": 6, "needed": 7}, "filing_ahead", ""),
    (Ground.SHORT_NOTICE, GANSU, {"starts_on": TODAY - timedelta(days=1)},
     {"days": 0, "needed": 7}, "filing_ahead", ""),
    (Ground.TOO_FEW_PROMPTS, GANSU, {"plan": replace(PLAN, prompts=PLAN.prompts - 1), "online_ms": 1},
     {"prompts": PLAN.prompts - 1, "needed": PLAN.prompts}, "plan.prompts", ""),
    (Ground.SHARE_NOT_LIMITED, GANSU, {"training": Training.REFRESHER}, {}, "", "not_initial"),
    (Ground.HOURS_UNKNOWN, GANSU, {"category": Category.SPECIAL_OPERATOR}, {}, "", ""),
    (Ground.INDUSTRY_UNKNOWN, GANSU, {"industry": UNKNOWN}, {}, "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("why", "region", "changes", "figures", "rule", "subject"), FINDINGS)
def test_a_finding_tells_its_figures_its_rule_and_what_it_is_about(
    why: Ground, region: str, changes: dict[str, Any], figures: Mapping[str, int], rule: str, subject: str
) -> None:
    finding = found(proposal(**changes), why, region)
    assert (finding.figures, finding.subject) == (figures, subject)
    assert (finding.ruling.figure.key if finding.ruling else "") == rule
    assert finding.ruling is None or finding.ruling.why in rulebook.FigureOrigin
    assert all(type(figure) is int for figure in finding.figures.values())
    if why is Ground.PLAN_LAXER and subject != "daily_max_ms":
        assert finding.ruling is not None and finding.ruling.whole == figures["preset"]
    assert wording.finding(finding, HOUR)


def whys(proposed: Proposal, law: rulebook.InForce = LAW) -> list[Ground]:
    return [each.why for each in judge(law, proposed, TODAY).refusals]


def test_a_training_as_long_as_any_may_be_is_not_too_long() -> None:
    assert Ground.TOO_MANY_HOURS not in whys(proposal(total_ms=1000 * HOUR))


def test_one_millisecond_of_training_is_no_empty_form() -> None:
    assert Ground.NO_HOURS not in whys(proposal(total_ms=1))


def test_nothing_online_asks_for_nothing_that_holds_of_it() -> None:
    assert whys(proposal(online_ms=0, in_person_ms=0, lessons=())) == [Ground.PLACES_DO_NOT_ADD_UP]
    assert whys(proposal(online_ms=1, in_person_ms=0, lessons=())) == [
        Ground.PLACES_DO_NOT_ADD_UP, Ground.ALL_ONLINE, Ground.LESSONS_SHORT,
    ]  # fmt: skip


def test_a_millisecond_in_person_is_a_token_and_not_nothing() -> None:
    assert Ground.IN_PERSON_TOKEN in whys(proposal(**REFRESHER))


def test_a_millisecond_less_than_the_share_in_person_is_too_little() -> None:
    least = 48 * HOUR // 10
    hours = {**REFRESHER, "total_ms": 48 * HOUR, "theory_ms": 48 * HOUR}
    assert whys(proposal(**{**hours, "online_ms": 48 * HOUR - least, "in_person_ms": least})) == []
    short = {**hours, "online_ms": 48 * HOUR - least + 1, "in_person_ms": least - 1}
    assert whys(proposal(**short)) == [Ground.IN_PERSON_TOKEN]


def for_initial_training(key: str) -> rulebook.InForce:
    """The law, where figures of this key are made for initial training alone."""
    figures = tuple(
        replace(each, conditions=replace(each.conditions, training=("initial",))) if each.key == key else each
        for each in LAW.figures
    )
    return replace(LAW, figures=figures)


def test_a_rule_against_all_online_training_holds_for_whom_it_is_made() -> None:
    law = for_initial_training("all_online_cohort")
    assert Ground.ALL_ONLINE in whys(proposal(in_person_ms=0), law)
    wholly = {**REFRESHER, "total_ms": 48 * HOUR, "theory_ms": 48 * HOUR, "in_person_ms": 0}
    assert whys(proposal(**wholly)) == [Ground.ALL_ONLINE]
    assert whys(proposal(**wholly), law) == []


def test_movements_are_asked_for_in_the_training_that_the_rule_is_made_for() -> None:
    still = proposal(plan=replace(PLAN, prompts=0))
    assert Ground.TOO_FEW_PROMPTS in whys(still, for_initial_training("plan.prompts"))


@pytest.mark.parametrize("key", ["regulated_posts", "plan.prompts"])
def test_where_no_rule_names_posts_or_movements_none_is_asked_for(key: str) -> None:
    law = replace(LAW, figures=tuple(each for each in LAW.figures if each.key != key))
    if key == "plan.prompts":
        with pytest.raises(ValueError, match="prompts"):
            whys(proposal(plan=replace(PLAN, prompts=0)), law)
        return
    assert Ground.TOO_FEW_PROMPTS not in whys(proposal(plan=replace(PLAN, prompts=0)), law)


def test_where_no_share_in_person_is_asked_any_will_do() -> None:
    law = replace(LAW, figures=tuple(each for each in LAW.figures if each.key != "in_person_share"))
    assert whys(proposal(**REFRESHER), law) == []


def test_a_lesson_without_a_film_has_no_length() -> None:
    assert judge(LAW, proposal(lessons=(lesson(None), lesson(HOUR))), TODAY).lessons_ms == HOUR


def test_a_cohort_of_one_day_may_be_today_and_fill_it() -> None:
    today = proposal(
        starts_on=TODAY, ends_on=TODAY, online_ms=8 * HOUR, in_person_ms=42 * HOUR, lessons=(lesson(8 * HOUR),)
    )
    assert whys(today) == []
    assert whys(replace(today, online_ms=8 * HOUR + 1, in_person_ms=42 * HOUR - 1, lessons=(lesson(9 * HOUR),))) == [
        Ground.TOO_FEW_DAYS
    ]


@pytest.mark.parametrize(("spread_ms", "little"), [(0, False), (1, True), (299_999, True), (300_000, False)])
def test_no_chance_is_refused_and_little_is_remarked_on(spread_ms: int, *, little: bool) -> None:
    plan = replace(PLAN, checks_max_gap_ms=PLAN.checks_min_gap_ms + spread_ms)
    judgement = judge(LAW, proposal(plan=plan), TODAY)
    assert (Ground.LITTLE_CHANCE in {each.why for each in judgement.notices}) is little
    assert judgement.may_open is (spread_ms > 0)


def test_nothing_changes_from_the_day_after_the_days_to_make_up() -> None:
    assert settles_on(date(2026, 12, 24), replace(PLAN, settle_days=7)) == date(2027, 1, 1)
    assert settles_on(date(2026, 12, 24), replace(PLAN, settle_days=0)) == date(2026, 12, 25)


def test_a_table_names_each_subject_with_the_figure_that_asks_for_its_hours() -> None:
    law = BOOK.in_force(CHANGCHUN, TODAY)
    table = table_subjects(law, Category.SPECIAL_OPERATOR, "energy_supply")
    assert {"welding", "low_voltage_electrician"} <= table.keys()
    assert all(figure.key == "training_hours" and name in figure.conditions.subject for name, figure in table.items())


def test_a_figure_that_is_no_list_has_no_members() -> None:
    assert members(LAW.ruling("class_hour").figure) == ()
    assert "principal" in members(LAW.ruling("regulated_posts").figure)


@pytest.mark.parametrize("key", ["subject_category", "subject_industry", "licence_review_abolished"])
def test_figures_asked_for_by_one_fact_depend_on_that_fact_alone(key: str) -> None:
    """The rules ask for them with the rest of the situation left empty."""
    for figure in BOOK.figures:
        if figure.key == key:
            conditions = figure.conditions
            named = conditions.category if key == "licence_review_abolished" else conditions.subject
            others = conditions.subject if key == "licence_review_abolished" else conditions.category
            assert named and not others and not conditions.training and conditions.high_risk is None
