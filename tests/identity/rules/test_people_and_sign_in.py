"""Decisions about people and sign-in, by tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xueji.identity import rules
from xueji.identity.rules import AccountProblem, ActingRoles, Capacity, PasswordProblem, Tries
from xueji.kernel.actor import Role

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)
A, B = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("regulator", "region", "covered"),
    [
        ("620000", "620102", True),
        ("620000", "621202", True),
        ("620000", "630102", False),
        ("620100", "620102", True),
        ("620100", "620100", True),
        ("620100", "620201", False),
        ("620102", "620102", True),
        ("620102", "620103", False),
        ("620102", "620100", False),
        ("", "620102", False),
        ("620000", "", False),
    ],
)
def test_a_jurisdiction_covers_what_lies_below_it(regulator: str, region: str, covered: bool) -> None:
    assert rules.in_jurisdiction(regulator, region) is covered


@pytest.mark.parametrize(
    ("given_name", "account"),
    [
        ("Wang.Xiaoming", "wang.xiaoming"),
        ("  ＷＡＮＧ  ", "wang"),
        ("+86 138-0013-8000", "13800138000"),
        ("8613800138000", "13800138000"),
        ("13800138000", "13800138000"),
        ("(86) 138 0013 8000", "13800138000"),
        ("'13800138000", "13800138000"),
        ('="13800138000"', "13800138000"),
        ("１３８００１３８０００", "13800138000"),
        ("138001380001", "138001380001"),
    ],
)
def test_an_account_has_one_spelling(given_name: str, account: str) -> None:
    assert rules.account_name(given_name) == account


@pytest.mark.parametrize(
    ("account", "problem"),
    [
        ("13800138000", None),
        ("wang.xiaoming", None),
        ("wang@example.cn", None),
        ("101", rules.AccountProblem.NOT_WELL_FORMED),
        ("低压电工作业", rules.AccountProblem.NOT_WELL_FORMED),
        ("张小三", rules.AccountProblem.NOT_WELL_FORMED),
        ("a1", rules.AccountProblem.NOT_WELL_FORMED),
        ("1.38e+10", rules.AccountProblem.LOST),
        ("62010219900101001x", rules.AccountProblem.IDENTITY_NUMBER),
        ("620102199001010014", rules.AccountProblem.IDENTITY_NUMBER),
    ],
)
def test_a_login_is_a_telephone_number_or_a_well_formed_account(
    account: str, problem: rules.AccountProblem | None
) -> None:
    assert rules.account_problem(rules.account_name(account)) is problem


@given(st.text(max_size=64))
def test_spelling_an_account_twice_changes_nothing(name: str) -> None:
    once = rules.account_name(name)
    assert rules.account_name(once) == once


def test_screens_show_little_of_a_name_and_a_number() -> None:
    assert rules.masked_name("王小明") == "王**"
    assert rules.masked_name("阿卜杜拉·买买提") == "阿****"
    assert rules.masked_name("王") == "王*"
    assert rules.masked_number("620102199003072839") == "6201**********2839"


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("short-7", PasswordProblem.TOO_SHORT),
        ("x7" * 65, PasswordProblem.TOO_LONG),
        ("onlyletters", None),
        ("839201745512", None),
        ("password12", PasswordProblem.TOO_COMMON),
        ("P@ssw0rd2026!", PasswordProblem.TOO_COMMON),
        ("dragon19900101", PasswordProblem.TOO_COMMON),
        ("dragondragon", PasswordProblem.TOO_COMMON),
        ("13972648051", PasswordProblem.TOO_COMMON),
        ("19900101", PasswordProblem.TOO_SHORT),
        ("1985072936", PasswordProblem.TOO_COMMON),
        ("1234567890a", PasswordProblem.TOO_EVEN),
        ("qwertyuiop1", PasswordProblem.TOO_EVEN),
        ("qwertyuiopasdfghjkl", PasswordProblem.TOO_EVEN),
        ("1234567890", PasswordProblem.TOO_EVEN),
        ("aaaaaaaa11", PasswordProblem.TOO_EVEN),
        ("my-WangXM-88", PasswordProblem.TELLS_THE_ACCOUNT),
        ("correct-horse-7", None),
        ("学习使我快乐2026年", None),
        ("m3k9x" * 25 + "m3k", None),
        ("m3k9x" * 25 + "m3k9", PasswordProblem.TOO_LONG),
        ("m3k9xm3k9x", None),
        ("m3k9m3k9m3", PasswordProblem.TOO_EVEN),
        ("qwerty7m3k", None),
        ("qwertyu7m3", PasswordProblem.TOO_EVEN),
        ("$unshine!84", PasswordProblem.TOO_COMMON),
        ("2026dragon88", PasswordProblem.TOO_COMMON),
        ("1dragon2345678", PasswordProblem.TOO_COMMON),
        ("dragon723904518", None),
        ("dr4g0ndr4g0n", PasswordProblem.TOO_COMMON),
        ("basketballbasketball", PasswordProblem.TOO_COMMON),
        ("dragonzebras", None),
        ("trustno1trustno1", PasswordProblem.TOO_COMMON),
        ("yellow-dragon", None),
    ],
)
def test_a_new_password_is_judged(password: str, problem: PasswordProblem | None) -> None:
    common = {"password", "dragon", "sunshine", "basketball", "trustno1"}
    assert rules.password_problem(password, "wangxm", common) is problem


def test_an_account_of_three_signs_may_occur_in_a_password_by_chance() -> None:
    assert rules.password_problem("blue-wxm-horse", "wxm", set()) is None
    assert rules.password_problem("blue-wxmi-horse", "wxmi", set()) is PasswordProblem.TELLS_THE_ACCOUNT


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("abc", None),
        ("ab", AccountProblem.NOT_WELL_FORMED),
        ("a" * 64, None),
        ("a" * 65, AccountProblem.NOT_WELL_FORMED),
        ("wang.xm+2@example.cn", None),
        ("王小明", AccountProblem.NOT_WELL_FORMED),
        ("a/b", AccountProblem.NOT_WELL_FORMED),
        ("13800138000", None),
        ("23800138000", AccountProblem.NOT_WELL_FORMED),
        ("620102900307283", AccountProblem.IDENTITY_NUMBER),
        ("62010219900307283x", AccountProblem.IDENTITY_NUMBER),
        ("6.2e+17", AccountProblem.LOST),
    ],
)
def test_a_new_account_is_a_telephone_number_or_has_a_letter(name: str, problem: AccountProblem | None) -> None:
    assert rules.account_problem(name) is problem


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("", ""),
        (None, ""),
        ("unix:", "unix:"),
    ],
)
def test_one_address_is_one_household(address: str | None, network: str) -> None:
    assert rules.network_of(address) == network


def test_the_fifth_failure_locks_and_the_count_begins_anew_afterwards() -> None:
    tries = Tries()
    for _ in range(4):
        tries = rules.after_failure(tries, NOON, most=5, locked_for=timedelta(minutes=15))
        assert not tries.locked(NOON)
    tries = rules.after_failure(tries, NOON, most=5, locked_for=timedelta(minutes=15))
    assert tries.locked(NOON + timedelta(minutes=14, seconds=59))
    later = NOON + timedelta(minutes=15)
    assert not tries.locked(later)
    assert rules.after_failure(tries, later, most=5, locked_for=timedelta(minutes=15)) == Tries(1, None)


def _capacity(role: Role, where: UUID, day: int) -> Capacity:
    return Capacity(role, where, "620102" if where == A else "620103", datetime(2026, 1, day, tzinfo=UTC))


def test_rights_of_two_organisations_never_add_up() -> None:
    both = [_capacity(Role.ENTERPRISE, A, 1), _capacity(Role.REGULATOR, B, 2)]
    assert rules.standing(both) == ActingRoles(frozenset({Role.REGULATOR}), B, "620103")
    assert rules.standing(both, A) == ActingRoles(frozenset({Role.ENTERPRISE}), A, "620102")


def test_of_two_given_at_the_same_instant_always_the_same_one_is_taken() -> None:
    both = [_capacity(Role.ENTERPRISE, A, 1), Capacity(Role.ENTERPRISE, B, "620103", datetime(2026, 1, 1, tzinfo=UTC))]
    assert rules.standing(both) == rules.standing(both[::-1]) == ActingRoles(frozenset({Role.ENTERPRISE}), B, "620103")


def test_being_a_trainee_is_added_whatever_she_works_for() -> None:
    known = [_capacity(Role.TRAINEE, A, 3), _capacity(Role.INSTITUTION, B, 1)]
    standing = rules.standing(known)
    assert standing == ActingRoles(frozenset({Role.TRAINEE, Role.INSTITUTION}), B, "620103")
    assert standing.learner
    assert standing.staff


def test_nobody_s_member_has_no_rights() -> None:
    assert rules.standing([]) == ActingRoles(frozenset(), None, None)
    assert rules.standing([_capacity(Role.TRAINEE, A, 1)], B).organisation_id == A


@pytest.mark.parametrize(
    ("born", "plausible"),
    [
        (date(1990, 3, 7), True),
        (date(2012, 12, 31), True),
        (date(2013, 1, 1), False),
        (date(1916, 1, 1), True),
        (date(1915, 12, 31), False),
        (date(2026, 11, 22), False),
    ],
)
def test_a_birth_date_must_be_one_of_somebody_who_works(born: date, plausible: bool) -> None:
    assert rules.plausible_birth(born, date(2026, 11, 21)) is plausible


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("王明", True),
        ("欧阳娜仁", True),
        ("买买提·吐尔逊", True),
        ("Maria O'Example-Beispiel jr.", True),
        ("Jose\u0301 Ejemplo", True),
        ("A" * 40, True),
        ("A" * 41, False),
        ("王", False),
        ("", False),
        ("王小明1", False),
        ("王@明", False),
        ("··", False),
        ("\u0301\u0301", False),
        ("虚构甲公司", False),
    ],
)
def test_a_name_of_a_person_is_letters_and_what_stands_between_them(name: str, is_one: bool) -> None:
    assert rules.is_person_name(name) is is_one
