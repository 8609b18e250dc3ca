"""Names and numbers that were written down wrongly: what is a slip of the pen, who may ask, and who decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from support.trace_stories import PLAN

from xueji.enrolment.rules import photos_end_at
from xueji.identity.rules import (
    CONFIRMS_AFTER,
    Capacity,
    ResetSubject,
    born_on,
    is_female,
    is_slip,
    may_ask_correction,
    may_decide_correction,
)
from xueji.kernel.actor import Actor, Role

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=400)
HERS, OTHER, OFFICE = UUID(int=1), UUID(int=2), UUID(int=3)
SHE, ASKER, SOMEONE = UUID(int=11), UUID(int=12), UUID(int=13)
TRAINEE = ResetSubject(SHE, False, True, (Capacity(Role.TRAINEE, HERS, "620102", LONG_AGO),))
COLLEAGUE = ResetSubject(SHE, True, True, (Capacity(Role.INSTITUTION, HERS, "620102", LONG_AGO),))
NUMBER = "620102199001011017"


def actor(role: Role, where: UUID = HERS, region: str | None = "620102", who: UUID = SOMEONE) -> Actor:
    return Actor(who, UUID(int=0), frozenset({role}), where, region)


def test_birth_and_sex_stand_in_the_number() -> None:
    assert born_on("620102198812301425") == date(1988, 12, 30)
    assert is_female("620102198812301425") and not is_female("620102199001011018")
    with pytest.raises(ValueError, match="day is out of range"):
        born_on("620102199002301017")


@pytest.mark.parametrize(
    ("name", "slip"),
    [
        ("王小明", True),
        ("王晓明", True),
        ("王明", True),
        ("王小明明", True),
        ("小王明", True),
        ("王明小", True),
        ("明小王", True),
        ("李晓明", False),
        ("小明王", False),
        ("王小明明明", False),
        ("王", False),
        ("李明", False),
        ("王小刚刚", False),
        ("", False),
    ],
)
def test_one_character_of_a_name_or_two_that_changed_places_are_a_slip(name: str, slip: bool) -> None:
    assert is_slip(("王小明", NUMBER), (name, NUMBER)) is slip
    assert is_slip((name, NUMBER), ("王小明", NUMBER)) is slip


@pytest.mark.parametrize(("was", "now", "slip"), [("王", "李", False), ("王", "王一", True), ("王一", "李一", True)])
def test_a_name_of_one_character_that_changes_is_another(was: str, now: str, slip: bool) -> None:
    assert is_slip((was, NUMBER), (now, NUMBER)) is slip


@pytest.mark.parametrize(
    ("number", "slip"),
    [
        ("620102199001011018", True),
        ("620102199001011128", True),
        ("620102199001010128", False),
        ("620102199001011", False),
        (NUMBER + "1", False),
    ],
)
def test_up_to_three_digits_of_a_number_are_a_slip_and_another_length_is_none(number: str, slip: bool) -> None:
    assert is_slip(("王小明", NUMBER), ("王小明", number)) is slip


def test_a_name_and_a_number_together_are_no_slip() -> None:
    assert not is_slip(("王小明", NUMBER), ("王晓明", "620102199001011018"))


@pytest.mark.parametrize(
    ("of", "by", "may"),
    [
        (TRAINEE, actor(Role.TRAINEE, who=SHE), True),
        (COLLEAGUE, actor(Role.INSTITUTION, OTHER, who=SHE), True),
        (TRAINEE, actor(Role.ADMINISTRATOR, OFFICE), True),
        (COLLEAGUE, actor(Role.ADMINISTRATOR, OFFICE), True),
        (TRAINEE, actor(Role.INSTITUTION), True),
        (TRAINEE, actor(Role.ENTERPRISE), True),
        (TRAINEE, actor(Role.INSTITUTION, OTHER), False),
        (TRAINEE, actor(Role.TRAINEE), False),
        (TRAINEE, actor(Role.REGULATOR), False),
        (COLLEAGUE, actor(Role.INSTITUTION), False),
        (COLLEAGUE, actor(Role.ENTERPRISE), False),
    ],
)
def test_who_may_ask_that_a_name_is_put_right(of: ResetSubject, by: Actor, may: bool) -> None:
    assert may_ask_correction(of, by) is may


@pytest.mark.parametrize(
    ("of", "by", "of_a_slip", "of_more"),
    [
        (TRAINEE, actor(Role.ADMINISTRATOR, OFFICE), True, True),
        (COLLEAGUE, actor(Role.ADMINISTRATOR, OFFICE), True, True),
        (TRAINEE, actor(Role.REGULATOR, OFFICE, "620000"), True, True),
        (COLLEAGUE, actor(Role.REGULATOR, OFFICE, "620100"), True, True),
        (TRAINEE, actor(Role.REGULATOR, OFFICE, "630000"), False, False),
        (TRAINEE, actor(Role.REGULATOR, OFFICE, None), False, False),
        (TRAINEE, actor(Role.INSTITUTION, OTHER, "620000"), False, False),
        (TRAINEE, actor(Role.INSTITUTION), True, False),
        (TRAINEE, actor(Role.ENTERPRISE), True, False),
        (TRAINEE, actor(Role.TRAINEE), False, False),
        (COLLEAGUE, actor(Role.INSTITUTION), False, False),
    ],
)
def test_who_may_decide_about_a_slip_and_about_more(
    of: ResetSubject, by: Actor, of_a_slip: bool, of_more: bool
) -> None:
    assert may_decide_correction(of, ASKER, by, LONG_AGO, NOON, slip=True) is of_a_slip
    assert may_decide_correction(of, ASKER, by, LONG_AGO, NOON, slip=False) is of_more


def test_neither_who_asked_nor_whom_it_is_about_decides() -> None:
    for by in (actor(Role.ADMINISTRATOR, OFFICE, who=ASKER), actor(Role.ADMINISTRATOR, OFFICE, who=SHE)):
        assert not may_decide_correction(TRAINEE, ASKER, by, LONG_AGO, NOON, slip=True)


def test_whoever_was_given_her_role_just_now_decides_nothing_yet() -> None:
    by, ripe = actor(Role.ADMINISTRATOR, OFFICE), NOON - CONFIRMS_AFTER
    assert may_decide_correction(TRAINEE, ASKER, by, ripe, NOON, slip=True)
    assert not may_decide_correction(TRAINEE, ASKER, by, ripe + timedelta(milliseconds=1), NOON, slip=True)
    assert not may_decide_correction(TRAINEE, ASKER, by, None, NOON, slip=True)


def test_photos_are_needed_until_nothing_can_be_contested_any_more() -> None:
    """The last day, the settle days, the days for contesting: all end with a Shanghai day."""
    plan = replace(PLAN, settle_days=7, appeal_days=15)
    assert photos_end_at(date(2026, 11, 30), plan) == datetime(2026, 12, 22, 16, tzinfo=UTC)
    longest = replace(plan, appeal_days=36_600)
    assert photos_end_at(date(2026, 11, 30), longest) == datetime(2026, 12, 7, 16, tzinfo=UTC) + timedelta(days=180)
