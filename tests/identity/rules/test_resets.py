"""Who may reset an account, who may be the second person, and where a reference photo stands beside the others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from uuid import UUID

import pytest

from xueji.identity.rules import (
    CONFIRMS_AFTER,
    Capacity,
    File,
    PhotoStanding,
    ResetSubject,
    may_ask_joining,
    may_ask_reset,
    may_confirm_reset,
    may_decide_joining,
    one_person_will_do,
    photo_standing,
    stands,
)
from xueji.kernel.actor import Actor, Role

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=400)
HERS, OTHER, OFFICE = UUID(int=1), UUID(int=2), UUID(int=3)
SHE, ASKER, SOMEONE = UUID(int=11), UUID(int=12), UUID(int=13)


def account(*roles: Role, activated: bool = True, staff: bool | None = None, region: str = "620102") -> ResetSubject:
    held = roles or (Role.TRAINEE,)
    capacities = tuple(Capacity(role, HERS, region, LONG_AGO) for role in held)
    return ResetSubject(
        SHE, any(role is not Role.TRAINEE for role in held) if staff is None else staff, activated, capacities
    )


def actor(role: Role, where: UUID = HERS, region: str | None = "620102", who: UUID = SOMEONE) -> Actor:
    return Actor(who, UUID(int=0), frozenset({role}), where, region)


TRAINEE, COLLEAGUE, REGULATOR = account(), account(Role.INSTITUTION), account(Role.REGULATOR)
FORMER = account(Role.TRAINEE, staff=True)
"""A trainee who worked here once."""


@pytest.mark.parametrize(
    ("of", "by", "may"),
    [
        (TRAINEE, actor(Role.ADMINISTRATOR, OFFICE), True),
        (COLLEAGUE, actor(Role.ADMINISTRATOR, OFFICE), True),
        (TRAINEE, actor(Role.INSTITUTION), True),
        (TRAINEE, actor(Role.ENTERPRISE), True),
        (TRAINEE, actor(Role.INSTITUTION, OTHER), False),
        (TRAINEE, actor(Role.REGULATOR), False),
        (TRAINEE, actor(Role.TRAINEE), False),
        (COLLEAGUE, actor(Role.INSTITUTION), False),
        (FORMER, actor(Role.ENTERPRISE), False),
        (TRAINEE, actor(Role.TRAINEE, who=SHE), False),
        (account(Role.ADMINISTRATOR), actor(Role.ADMINISTRATOR, who=SHE), False),
    ],
)
def test_who_may_ask_for_a_reset(of: ResetSubject, by: Actor, *, may: bool) -> None:
    assert may_ask_reset(of, by) is may


@pytest.mark.parametrize(
    ("of", "alone"),
    [
        (account(activated=False), True),
        (account(activated=True), False),
        (account(Role.INSTITUTION, activated=False), False),
        (account(Role.INSTITUTION, activated=True), False),
    ],
)
def test_one_person_issues_a_first_code_again_that_a_trainee_has_not_used(of: ResetSubject, *, alone: bool) -> None:
    assert one_person_will_do(of) is alone


@pytest.mark.parametrize(
    ("of", "by", "alone", "may"),
    [
        (TRAINEE, actor(Role.TRAINEE, who=SHE), False, True),
        (COLLEAGUE, actor(Role.INSTITUTION, who=SHE), False, False),
        (TRAINEE, actor(Role.INSTITUTION), False, True),
        (TRAINEE, actor(Role.ENTERPRISE), False, True),
        (TRAINEE, actor(Role.INSTITUTION, OTHER), False, False),
        (TRAINEE, actor(Role.TRAINEE), False, False),
        (TRAINEE, actor(Role.REGULATOR, OFFICE, "620000"), False, True),
        (TRAINEE, actor(Role.REGULATOR, OFFICE, "630000"), False, False),
        (TRAINEE, actor(Role.REGULATOR, OFFICE, None), False, False),
        (TRAINEE, actor(Role.INSTITUTION, OTHER, "620000"), False, False),
        (TRAINEE, actor(Role.ADMINISTRATOR, OFFICE), False, True),
        (COLLEAGUE, actor(Role.INSTITUTION), False, False),
        (COLLEAGUE, actor(Role.ADMINISTRATOR, OFFICE), False, True),
        (COLLEAGUE, actor(Role.REGULATOR, OFFICE, "620100"), False, True),
        (COLLEAGUE, actor(Role.REGULATOR, OFFICE, "620100"), True, True),
        (REGULATOR, actor(Role.ADMINISTRATOR, OFFICE), False, False),
        (REGULATOR, actor(Role.ADMINISTRATOR, OFFICE), True, True),
        (REGULATOR, actor(Role.REGULATOR, OFFICE, "620000"), False, True),
        (REGULATOR, actor(Role.REGULATOR, OFFICE, "610000"), False, False),
    ],
)
def test_who_may_be_the_second_person(of: ResetSubject, by: Actor, *, alone: bool, may: bool) -> None:
    assert may_confirm_reset(of, ASKER, by, LONG_AGO, NOON, alone=alone) is may


def test_who_asked_is_never_the_second_person() -> None:
    assert not may_confirm_reset(TRAINEE, SOMEONE, actor(Role.ADMINISTRATOR), LONG_AGO, NOON, alone=False)
    assert not may_confirm_reset(TRAINEE, SHE, actor(Role.TRAINEE, who=SHE), LONG_AGO, NOON, alone=False)


def test_a_colleague_invented_for_the_purpose_confirms_nothing_yet() -> None:
    by = actor(Role.INSTITUTION)
    assert may_confirm_reset(TRAINEE, ASKER, by, NOON - CONFIRMS_AFTER, NOON, alone=False)
    young = NOON - CONFIRMS_AFTER + timedelta(milliseconds=1)
    assert not may_confirm_reset(TRAINEE, ASKER, by, young, NOON, alone=False)
    assert not may_confirm_reset(TRAINEE, ASKER, by, None, NOON, alone=False)


# ---- two files of one person


def file(number: int, **known: bool) -> File:
    told = {"has_joined": False, "staff": False, "activated": False, "confirmed_face": False, **known}
    return File(UUID(int=number), **told, registered_at=LONG_AGO)


def test_of_two_files_the_one_that_is_in_use_and_better_known_stands() -> None:
    by_weight = [
        file(5, has_joined=True),
        file(4, staff=True, activated=True, confirmed_face=True),
        file(3, activated=True, confirmed_face=True),
        file(2, confirmed_face=True),
        replace(file(1), registered_at=LONG_AGO - timedelta(days=1)),
        file(9),
        file(8),
    ]
    for better, worse in combinations(by_weight, 2):
        assert stands(better, worse) is better and stands(worse, better) is better


FILES = (SHE, UUID(int=12))


@pytest.mark.parametrize(
    ("by", "may"),
    [
        (actor(Role.ADMINISTRATOR, OFFICE), True),
        (actor(Role.ADMINISTRATOR, OFFICE, who=SHE), False),
        (actor(Role.REGULATOR, OFFICE, "620100"), True),
        (actor(Role.REGULATOR, OFFICE, "640000"), True),
        (actor(Role.REGULATOR, OFFICE, "630000"), False),
        (actor(Role.REGULATOR, OFFICE, None), False),
        (actor(Role.INSTITUTION, HERS, "620000"), False),
    ],
)
def test_who_may_ask_that_two_files_are_joined(by: Actor, *, may: bool) -> None:
    assert may_ask_joining(FILES, ["620102", "640104"], by) is may
    assert may_decide_joining(FILES, ["620102", "640104"], ASKER, by, LONG_AGO, NOON) is may


def test_who_held_the_number_decides_herself_unless_she_asked() -> None:
    she = actor(Role.TRAINEE, who=SHE)
    assert may_decide_joining(FILES, [], ASKER, she, None, NOON, holder=SHE)
    assert not may_decide_joining(FILES, [], SHE, she, None, NOON, holder=SHE)
    assert not may_decide_joining(FILES, [], ASKER, she, None, NOON, holder=SOMEONE)
    assert not may_decide_joining(FILES, [], ASKER, she, None, NOON)


def test_the_second_person_is_another_one_and_no_new_one() -> None:
    by = actor(Role.ADMINISTRATOR, OFFICE)

    def may(asked_by: UUID, since: datetime | None) -> bool:
        return may_decide_joining(FILES, [], asked_by, by, since, NOON)

    assert may(ASKER, NOON - CONFIRMS_AFTER)
    assert not may(ASKER, NOON - CONFIRMS_AFTER + timedelta(milliseconds=1))
    assert not may(ASKER, None)
    assert not may(SOMEONE, LONG_AGO)


# ---- reference photos

LIMIT = 500_000
CONFIRMED, UNCONFIRMED, ALIKE = PhotoStanding.CONFIRMED, PhotoStanding.UNCONFIRMED, PhotoStanding.ALIKE
WAITING, REFUSED = PhotoStanding.WAITING, PhotoStanding.REFUSED


@pytest.mark.parametrize(
    ("others", "standing"),
    [
        ([], UNCONFIRMED),
        ([(REFUSED, 0), (WAITING, 900_000)], UNCONFIRMED),
        ([(CONFIRMED, LIMIT)], ALIKE),
        ([(CONFIRMED, LIMIT + 1)], WAITING),
        ([(CONFIRMED, None)], WAITING),
        ([(UNCONFIRMED, LIMIT)], UNCONFIRMED),
        ([(UNCONFIRMED, LIMIT + 1)], WAITING),
        ([(ALIKE, 100_000), (UNCONFIRMED, None)], WAITING),
        ([(CONFIRMED, 300_000), (UNCONFIRMED, 900_000)], ALIKE),
        ([(CONFIRMED, 300_000), (CONFIRMED, 600_000)], WAITING),
        ([(CONFIRMED, 600_000), (ALIKE, 100_000)], WAITING),
    ],
)
def test_only_what_a_person_confirmed_vouches_for_a_further_photo(
    others: list[tuple[PhotoStanding, int | None]], standing: PhotoStanding
) -> None:
    assert photo_standing(others, LIMIT) is standing
