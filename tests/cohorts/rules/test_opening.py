"""Whether a cohort may open: one change at a time to one that may."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.proposals import BOOK, GANSU, HOUR, TODAY, preset, proposal

from xueji.cohorts import wording
from xueji.cohorts.rules import Ground, Proposal, ProposedLesson, judge
from xueji.rulebook import rules as rulebook
from xueji.rulebook.industries import UNKNOWN, industries, members, named_industry, risk
from xueji.rulebook.plan import LAXER, Laxer
from xueji.rulebook.vocabulary import Category, Part, Training

BEIJING = "110101"


def in_force(region: str = GANSU) -> rulebook.InForce:
    return BOOK.in_force(region, TODAY)


def online(*durations: int) -> tuple[ProposedLesson, ...]:
    return tuple(ProposedLesson(f"第{n}课", Part.THEORY, ms) for n, ms in enumerate(durations, 1))


def refusals(proposed: Proposal, region: str = GANSU) -> list[Ground]:
    return [found.why for found in judge(in_force(region), proposed, TODAY).refusals]


def test_exactly_the_share_may_open() -> None:
    judgement = judge(in_force(), proposal(), TODAY)
    assert judgement.may_open
    assert judgement.cap.limit_ms == 20 * HOUR


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"online_ms": 20 * HOUR + 1, "in_person_ms": 30 * HOUR - 1, "lessons": online(21 * HOUR)},
            [Ground.OVER_SHARE],
        ),
        ({"theory_ms": 41 * HOUR}, [Ground.PARTS_DO_NOT_ADD_UP]),
        ({"in_person_ms": 29 * HOUR}, [Ground.PLACES_DO_NOT_ADD_UP]),
        ({"theory_ms": 15 * HOUR, "practical_ms": 35 * HOUR}, [Ground.OVER_THEORY]),
        ({"lessons": online(20 * HOUR - 1)}, [Ground.LESSONS_SHORT]),
        ({"lessons": ()}, [Ground.LESSONS_SHORT]),
        (
            {"lessons": (*online(20 * HOUR), ProposedLesson("灭火", Part.PRACTICAL, None))},
            [Ground.PRACTICAL_ONLINE],
        ),
        (
            {"lessons": (*online(20 * HOUR), ProposedLesson("急救", Part.THEORY, None))},
            [Ground.LESSON_WITHOUT_FILM],
        ),
        ({"online_ms": 0, "in_person_ms": 50 * HOUR}, [Ground.LESSONS_WITHOUT_HOURS]),
        ({"ends_on": TODAY - timedelta(days=1), "starts_on": TODAY - timedelta(days=9)}, [Ground.ALREADY_OVER]),
        ({"ends_on": TODAY, "starts_on": TODAY + timedelta(days=1)}, [Ground.ENDS_BEFORE_START]),
        ({"subject": "welding"}, [Ground.SUBJECT_CATEGORY]),
        ({"subject": "metal_smelting"}, [Ground.SUBJECT_INDUSTRY]),
        ({"training": Training.REVIEW}, [Ground.REVIEW_ABOLISHED]),
        ({"lessons": (*online(20 * HOUR), *online(20 * HOUR))}, []),
        ({"ends_on": TODAY + timedelta(days=8)}, [Ground.TOO_FEW_DAYS]),
        ({"starts_on": TODAY - timedelta(days=30), "ends_on": TODAY + timedelta(days=1)}, [Ground.TOO_FEW_DAYS]),
    ],
)
def test_each_fault_is_named_alone(changes: dict[str, Any], expected: list[Ground]) -> None:
    assert refusals(proposal(**changes)) == expected


def test_an_all_online_cohort_cannot_open_even_where_the_share_is_not_limited() -> None:
    everything = proposal(
        training=Training.REFRESHER,
        total_ms=20 * HOUR,
        theory_ms=20 * HOUR,
        practical_ms=0,
        in_person_ms=0,
    )
    assert refusals(everything) == [Ground.ALL_ONLINE]
    assert refusals(everything, BEIJING) == [Ground.ALL_ONLINE]


def test_the_least_hours_of_the_law_are_asked_for() -> None:
    short = proposal(
        total_ms=47 * HOUR,
        theory_ms=37 * HOUR,
        online_ms=18 * HOUR,
        in_person_ms=29 * HOUR,
        lessons=online(18 * HOUR),
    )
    (found,) = judge(in_force(), short, TODAY).refusals
    assert found.why is Ground.TOTAL_SHORT
    assert found.figures == {"planned_ms": 47 * HOUR, "needed_ms": 48 * HOUR}
    assert found.ruling is not None
    assert "第九条" in (wording.source(found.ruling) or "")


def test_a_table_of_the_region_asks_for_theory_and_practice_apart() -> None:
    changchun = proposal(
        category=Category.SPECIAL_OPERATOR,
        subject="welding",
        total_ms=108 * HOUR,
        theory_ms=69 * HOUR,
        practical_ms=39 * HOUR,
        online_ms=20 * HOUR,
        in_person_ms=88 * HOUR,
    )
    assert refusals(changchun, "220102") == [Ground.PRACTICAL_SHORT]


def test_hours_of_a_year_are_said_and_not_refused() -> None:
    refresher = proposal(
        training=Training.REFRESHER,
        total_ms=8 * HOUR,
        theory_ms=8 * HOUR,
        practical_ms=0,
        online_ms=6 * HOUR,
        in_person_ms=2 * HOUR,
        lessons=online(6 * HOUR),
    )
    judgement = judge(in_force(), refresher, TODAY)
    assert judgement.may_open
    assert [found.why for found in judgement.notices] == [
        Ground.YEARLY_HOURS_SHORT,
        Ground.SHARE_NOT_LIMITED,
    ]


def test_more_lessons_than_hours_are_said() -> None:
    judgement = judge(in_force(), proposal(lessons=online(21 * HOUR)), TODAY)
    assert judgement.may_open
    assert [found.why for found in judgement.notices] == [Ground.LESSONS_LONG]


def test_a_laxer_plan_is_said_field_by_field() -> None:
    plan = replace(preset(), idle_ms=600_000, frames=1)
    notices = judge(in_force(), proposal(plan=plan), TODAY).notices
    assert {(found.why, found.subject) for found in notices} == {
        (Ground.PLAN_LAXER, "idle_ms"),
        (Ground.PLAN_LAXER, "frames"),
    }
    without = replace(preset(), confirm_reference=0)
    (notice,) = judge(in_force(), proposal(plan=without), TODAY).notices
    assert notice.subject == "confirm_reference"
    stricter = replace(preset(), idle_ms=60_000, frames=9)
    assert judge(in_force(), proposal(plan=stricter), TODAY).notices == ()


def notices(proposed: Proposal, region: str = GANSU) -> list[Ground]:
    return [found.why for found in judge(in_force(region), proposed, TODAY).notices]


def test_every_field_of_a_plan_has_a_direction_in_which_it_is_laxer() -> None:
    """And a plan that is laxer in it is remarked on, whatever bound its preset has."""
    preset = in_force().proctoring_plan(proposal().situation(in_force()))
    assert set(LAXER) == set(preset.to_dict())
    for name, direction in LAXER.items():
        step = {"checks_min_gap_ms": 60_000, "confirm_reference": 1, "max_rate": 500}.get(name, 1)
        chosen = getattr(preset, name) + (step if direction is Laxer.MORE else -step)
        if chosen < 0:
            continue  # the preset is already as lax as can be
        laxer = replace(preset, **{name: chosen})
        assert laxer.laxer_than(preset) == (name,)
        assert preset.laxer_than(laxer) == ()
        assert (Ground.PLAN_LAXER, name) in {
            (found.why, found.subject) for found in judge(in_force(), proposal(plan=laxer), TODAY).notices
        }


def test_a_plan_that_leaves_nothing_to_chance_is_refused_and_one_that_leaves_little_is_remarked_on() -> None:
    plan = in_force().proctoring_plan()
    assert refusals(proposal(plan=replace(plan, checks_min_gap_ms=900_000))) == [Ground.NO_CHANCE]
    little = judge(in_force(), proposal(plan=replace(plan, checks_min_gap_ms=600_001)), TODAY)
    assert little.may_open
    assert Ground.LITTLE_CHANCE in {found.why for found in little.notices}
    assert Ground.LITTLE_CHANCE not in notices(proposal(plan=replace(plan, checks_min_gap_ms=600_000)))


@pytest.mark.parametrize("prompts", [0, 1])
def test_a_plan_whose_checks_a_picture_passes_is_refused_for_regulated_posts(prompts: int) -> None:
    plan = replace(in_force().proctoring_plan(), prompts=prompts)
    assert refusals(proposal(plan=plan)) == [Ground.TOO_FEW_PROMPTS]
    others = proposal(plan=plan, category=Category.OTHER)
    assert Ground.TOO_FEW_PROMPTS not in [found.why for found in judge(in_force(), others, TODAY).refusals]
    in_person = proposal(plan=plan, online_ms=0, in_person_ms=proposal().total_ms, lessons=())
    assert Ground.TOO_FEW_PROMPTS not in [found.why for found in judge(in_force(), in_person, TODAY).refusals]


def test_whether_an_industry_is_high_risk_is_nobodys_to_tick() -> None:
    """Managers of a smelter with all but one hour online: the share holds, whatever anybody says of the risk."""
    hours = {"total_ms": 52, "theory_ms": 52, "practical_ms": 0, "online_ms": 51, "in_person_ms": 1}
    smelter = proposal(
        category=Category.SAFETY_MANAGER,
        industry="metal_smelting",
        lessons=online(51 * HOUR),
        **{name: n * HOUR for name, n in hours.items()},
    )
    judgement = judge(in_force(), smelter, TODAY)
    assert [found.why for found in judgement.refusals] == [Ground.IN_PERSON_TOKEN, Ground.OVER_SHARE]
    assert judgement.risk.high
    assert judgement.risk.figure is not None
    assert judgement.risk.figure.article == "第四十五条"
    assert not judge(in_force(), replace(smelter, industry="crowded_places"), TODAY).risk.high
    unknown = judge(in_force(), replace(smelter, industry=UNKNOWN), TODAY)
    assert unknown.risk.high
    assert Ground.INDUSTRY_UNKNOWN in {found.why for found in unknown.notices}


@pytest.mark.parametrize("region", [GANSU, BEIJING, "220102"])
def test_every_industry_on_any_list_of_the_law_is_high_risk_everywhere(region: str) -> None:
    found = {code: risk(in_force(region), code).high for code in industries(in_force(region))}
    assert {code for code, high in found.items() if not high} == {
        "construction", "transport", "energy_supply", "manufacturing", "crowded_places", "other_industries",
    }  # fmt: skip
    assert list(found.values()) == sorted(found.values(), reverse=True)
    listed = {str(word) for figure in BOOK.figures if figure.key == "high_risk_industries" for word in members(figure)}
    covered = {str(word) for figure in BOOK.figures if figure.key.startswith("industry.") for word in members(figure)}
    assert listed <= covered
    assert set(found) | {UNKNOWN} == set(wording.INDUSTRY)


def test_where_the_region_has_a_table_the_subject_is_asked_for() -> None:
    changchun = "220102"
    electricians = proposal(category=Category.SPECIAL_OPERATOR, industry="energy_supply")
    assert refusals(electricians, changchun) == [Ground.SUBJECT_MISSING]
    assert refusals(electricians, GANSU) == []
    smelter = proposal(category=Category.SAFETY_MANAGER, industry="metal_smelting")
    assert Ground.SUBJECT_MISSING in refusals(smelter, changchun)
    assert refusals(replace(smelter, industry="fireworks"), changchun) == []
    assert refusals(replace(smelter, industry=UNKNOWN), changchun) == [Ground.INDUSTRY_MISSING]
    assert named_industry(in_force(changchun), UNKNOWN, "metal_smelting") == "metal_smelting"
    assert named_industry(in_force(changchun), "fireworks", "metal_smelting") == "fireworks"
    assert named_industry(in_force(changchun), UNKNOWN, "welding") == UNKNOWN


def test_a_refresher_that_is_nearly_all_online_is_refused_like_one_that_is() -> None:
    hours = {"total_ms": 48, "theory_ms": 48, "practical_ms": 0, "online_ms": 46, "in_person_ms": 2}
    nearly = proposal(training=Training.REFRESHER, lessons=online(46 * HOUR), **{n: h * HOUR for n, h in hours.items()})
    (found,) = judge(in_force(), nearly, TODAY).refusals
    assert found.why is Ground.IN_PERSON_TOKEN
    assert found.figures["needed_ms"] == 48 * HOUR // 10
    assert "第八条" in (wording.source(found.ruling) or "")
    exact = replace(nearly, online_ms=48 * HOUR * 9 // 10, in_person_ms=48 * HOUR // 10)
    assert judge(in_force(), exact, TODAY).may_open


def test_one_film_is_shown_once_whatever_its_lessons_are_called() -> None:
    twice = (
        ProposedLesson("通风", Part.THEORY, 10 * HOUR, "a" * 64),
        ProposedLesson("检测", Part.THEORY, 10 * HOUR, "b" * 64),
        ProposedLesson("通风（二）", Part.THEORY, 10 * HOUR, "a" * 64),
    )
    (found,) = judge(in_force(), proposal(lessons=twice), TODAY).refusals
    assert (found.why, found.subject) == (Ground.SAME_FILM, "通风 / 通风（二）")
    assert refusals(proposal(lessons=twice[:2])) == []


@pytest.mark.parametrize(("days", "short"), [(6, True), (7, False)])
def test_less_than_seven_days_of_notice_is_remarked_on(days: int, short: bool) -> None:
    soon = proposal(starts_on=TODAY + timedelta(days=days))
    assert judge(in_force(), soon, TODAY).may_open
    assert (Ground.SHORT_NOTICE in notices(soon)) is short


def test_reviews_ended_with_may_2026() -> None:
    before = date(2026, 5, 31)
    last = proposal(training=Training.REVIEW, starts_on=before, ends_on=before + timedelta(days=20))
    assert judge(BOOK.in_force(GANSU, before), last, before).may_open
    (found,) = judge(BOOK.in_force(GANSU, date(2026, 6, 1)), last, before).refusals
    assert found.why is Ground.REVIEW_ABOLISHED
    assert "第19号" in (wording.source(found.ruling) or "")


def test_another_class_hour_is_the_rulebooks_to_set() -> None:
    figures = tuple(replace(figure, value=50) if figure.key == "class_hour" else figure for figure in BOOK.figures)
    law = replace(BOOK, figures=figures).in_force(GANSU, TODAY)
    short = proposal(total_ms=48 * HOUR, theory_ms=38 * HOUR, online_ms=19 * HOUR, in_person_ms=29 * HOUR)
    judgement = judge(law, short, TODAY)
    assert judgement.class_hour_ms == 3_000_000
    (found,) = judgement.refusals
    assert found.why is Ground.TOTAL_SHORT
    assert "48 学时" in wording.finding(found, judgement.class_hour_ms) or "48 class hours" in wording.finding(
        found, judgement.class_hour_ms
    )


def test_an_empty_form_is_refused_once_for_its_hours() -> None:
    empty = proposal(total_ms=0, theory_ms=0, practical_ms=0, online_ms=0, in_person_ms=0, lessons=())
    assert refusals(empty)[0] is Ground.NO_HOURS


@given(
    total=st.integers(48 * HOUR, 200 * HOUR),
    theory_share=st.integers(0, 1000),
    online_share=st.integers(1, 1000),
)
def test_what_opens_keeps_the_share_exactly(total: int, theory_share: int, online_share: int) -> None:
    theory = total * theory_share // 1000
    online_ms = total * online_share // 1000
    proposed = proposal(
        total_ms=total,
        theory_ms=theory,
        practical_ms=total - theory,
        online_ms=online_ms,
        in_person_ms=total - online_ms,
        ends_on=TODAY + timedelta(days=60),
        lessons=online(online_ms),
    )
    fits = 5 * online_ms <= 2 * total and online_ms <= theory
    assert judge(in_force(), proposed, TODAY).may_open == fits


def test_every_finding_has_words() -> None:
    assert set(wording._FINDING) | {Ground.SHARE_NOT_LIMITED} == set(Ground)
