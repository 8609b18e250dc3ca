"""Whether a cohort may open: one change at a time to one that may."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xueji.enrolment import wording
from xueji.enrolment.rules import Proposal, ProposedLesson, Why, judge
from xueji.rulebook import rules as rulebook
from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.vocabulary import Category, Part, Training

HOUR = 2_700_000
TODAY = date(2026, 11, 21)
GANSU, BEIJING = "620102", "110101"
BOOK = rulebook.load()


def in_force(region: str = GANSU) -> rulebook.InForce:
    return BOOK.in_force(region, TODAY)


def preset() -> ProctoringPlan:
    return in_force().proctoring_plan(rulebook.Situation(Category.PRINCIPAL, True, Training.INITIAL))


def online(*durations: int) -> tuple[ProposedLesson, ...]:
    return tuple(ProposedLesson(f"第{n}课", Part.THEORY, ms) for n, ms in enumerate(durations, 1))


def proposal(**changes: Any) -> Proposal:
    """Exactly 40 % of 50 class hours online, with lessons to match."""
    values: dict[str, Any] = {
        "category": Category.PRINCIPAL,
        "high_risk": True,
        "training": Training.INITIAL,
        "subject": None,
        "total_ms": 50 * HOUR,
        "theory_ms": 40 * HOUR,
        "practical_ms": 10 * HOUR,
        "online_ms": 20 * HOUR,
        "in_person_ms": 30 * HOUR,
        "starts_on": TODAY,
        "ends_on": TODAY + timedelta(days=20),
        "plan": preset(),
        "lessons": online(20 * HOUR),
    }
    return Proposal(**{**values, **changes})


def refusals(proposed: Proposal, region: str = GANSU) -> list[Why]:
    return [found.why for found in judge(in_force(region), proposed, TODAY).refusals]


def test_exactly_the_share_may_open() -> None:
    judgement = judge(in_force(), proposal(), TODAY)
    assert judgement.may_open
    assert judgement.cap.limit_ms == 20 * HOUR


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"online_ms": 20 * HOUR + 1, "in_person_ms": 30 * HOUR - 1, "lessons": online(21 * HOUR)}, [Why.OVER_SHARE]),
        ({"theory_ms": 41 * HOUR}, [Why.PARTS_DO_NOT_ADD_UP]),
        ({"in_person_ms": 29 * HOUR}, [Why.PLACES_DO_NOT_ADD_UP]),
        ({"theory_ms": 15 * HOUR, "practical_ms": 35 * HOUR}, [Why.OVER_THEORY]),
        ({"lessons": online(20 * HOUR - 1)}, [Why.LESSONS_SHORT]),
        ({"lessons": ()}, [Why.LESSONS_SHORT]),
        ({"lessons": (*online(20 * HOUR), ProposedLesson("灭火", Part.PRACTICAL, None))}, [Why.PRACTICAL_ONLINE]),
        ({"lessons": (*online(20 * HOUR), ProposedLesson("急救", Part.THEORY, None))}, [Why.LESSON_WITHOUT_FILM]),
        ({"online_ms": 0, "in_person_ms": 50 * HOUR}, [Why.LESSONS_WITHOUT_HOURS]),
        ({"ends_on": TODAY - timedelta(days=1), "starts_on": TODAY - timedelta(days=9)}, [Why.ALREADY_OVER]),
        ({"ends_on": TODAY, "starts_on": TODAY + timedelta(days=1)}, [Why.ENDS_BEFORE_START]),
        ({"ends_on": TODAY + timedelta(days=1)}, [Why.TOO_FEW_DAYS]),
        ({"starts_on": TODAY - timedelta(days=30), "ends_on": TODAY + timedelta(days=1)}, [Why.TOO_FEW_DAYS]),
    ],
)
def test_each_fault_is_named_alone(changes: dict[str, Any], expected: list[Why]) -> None:
    assert refusals(proposal(**changes)) == expected


def test_an_all_online_cohort_cannot_open_even_where_the_share_is_not_limited() -> None:
    everything = proposal(
        training=Training.REFRESHER,
        total_ms=20 * HOUR,
        theory_ms=20 * HOUR,
        practical_ms=0,
        in_person_ms=0,
    )
    assert refusals(everything) == [Why.ALL_ONLINE]
    assert refusals(everything, BEIJING) == [Why.ALL_ONLINE]


def test_the_least_hours_of_the_law_are_asked_for() -> None:
    short = proposal(
        total_ms=47 * HOUR,
        theory_ms=37 * HOUR,
        online_ms=18 * HOUR,
        in_person_ms=29 * HOUR,
        lessons=online(18 * HOUR),
    )
    (found,) = judge(in_force(), short, TODAY).refusals
    assert found.why is Why.TOTAL_SHORT
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
    assert refusals(changchun, "220102") == [Why.PRACTICAL_SHORT]


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
    assert [found.why for found in judgement.notices] == [Why.YEARLY_HOURS_SHORT, Why.SHARE_NOT_LIMITED]


def test_more_lessons_than_hours_are_said() -> None:
    judgement = judge(in_force(), proposal(lessons=online(21 * HOUR)), TODAY)
    assert judgement.may_open
    assert [found.why for found in judgement.notices] == [Why.LESSONS_LONG]


def test_a_laxer_plan_is_said_field_by_field() -> None:
    plan = replace(preset(), idle_ms=600_000, frames=1)
    notices = judge(in_force(), proposal(plan=plan), TODAY).notices
    assert {(found.why, found.subject) for found in notices} == {
        (Why.PLAN_LAXER, "idle_ms"),
        (Why.PLAN_LAXER, "frames"),
    }
    without = replace(preset(), confirm_reference=0)
    (notice,) = judge(in_force(), proposal(plan=without), TODAY).notices
    assert notice.subject == "confirm_reference"
    stricter = replace(preset(), idle_ms=60_000, frames=9)
    assert judge(in_force(), proposal(plan=stricter), TODAY).notices == ()


def test_an_empty_form_is_refused_once_for_its_hours() -> None:
    empty = proposal(total_ms=0, theory_ms=0, practical_ms=0, online_ms=0, in_person_ms=0, lessons=())
    assert refusals(empty)[0] is Why.NO_HOURS


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
    assert set(wording._FINDING) | {Why.SHARE_NOT_LIMITED} == set(Why)
