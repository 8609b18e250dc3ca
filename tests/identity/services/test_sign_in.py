"""Signing in: nothing told to guessers, nothing taken twice, one learner at one place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import func, select, update
from support.people import PASSWORD, signed_in, someone, with_factor

from xueji.identity import queries, services, tokens
from xueji.identity.errors import (
    FactorStanding,
    LockedOut,
    NoMembership,
    PasswordRefused,
    SessionEnded,
    SignedOut,
    Suspended,
    WrongCode,
    WrongPassword,
)
from xueji.identity.events import LoginEnded
from xueji.identity.models import Account, LockOut, LoginSession, Membership, RecoveryCode
from xueji.identity.rules import Origin, SessionEnd, SessionKind, SignInStep
from xueji.identity.services import Needed, SignInResult, passwords
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.clock import FixedClock
from xueji.kernel.context import Context
from xueji.kernel.errors import Problem

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)


@pytest.fixture
def time() -> Iterator[FixedClock]:
    with clock.fixed(NOON) as fixed:
        yield fixed


def _try(context: Context, account: str, password: str, code: str | None = None) -> SignInResult | Needed:
    return services.pass_password(
        context, account=account, password=password, code=code, kind=SessionKind.TOKEN, user_agent=""
    )


def _refusal(context: Context, account: str, password: str) -> Problem:
    with pytest.raises(Problem) as refused:
        _try(context, account, password)
    return refused.value


def test_the_right_password_makes_a_session_that_the_token_names(context: Context) -> None:
    who = someone(context)
    passed = _try(context, who.account.upper(), PASSWORD)
    assert isinstance(passed, SignInResult)
    claims = tokens.read(context.keyring, passed.token)
    assert claims == passed.claims
    assert claims.person_id == who.id
    assert claims.roles == {Role.TRAINEE}
    with context.database.reading() as session:
        assert queries.live_login(session, claims.login_session_id, clock.now())


def test_a_known_and_an_unknown_account_fail_alike_to_the_last_word(context: Context, time: FixedClock) -> None:
    who = someone(context)
    for attempt in range(1, 7):
        known, unknown = (_refusal(context, account, "wrong") for account in (who.account, "nobody-at-all"))
        assert (known.type, str(known.detail), known.extra) == (unknown.type, str(unknown.detail), unknown.extra)
        assert known.type == ("wrong-password" if attempt < 5 else "locked-out")


def test_an_unknown_account_costs_as_much_hashing_as_a_known_one(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = someone(context)
    worked: list[str | None] = []
    fits = passwords.fits

    def counted(password: str, kept: str | None) -> bool:
        worked.append(kept)
        return fits(password, kept)

    monkeypatch.setattr(passwords, "fits", counted)
    _refusal(context, who.account, "wrong")
    _refusal(context, "nobody-at-all", "wrong")
    assert len(worked) == 2
    assert worked[1] is None
    assert not fits("", None)


def test_no_password_is_worked_out_while_a_write_transaction_is_open(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = someone(context)
    fits = passwords.fits

    def needs_the_turn(password: str, kept: str | None) -> bool:
        with context.database.writing() as session:
            session.execute(select(1))
        return fits(password, kept)

    monkeypatch.setattr(passwords, "fits", needs_the_turn)
    assert isinstance(_try(context, who.account, PASSWORD), SignInResult)


def test_a_lock_holds_against_the_right_password_says_until_when_and_runs_out(
    context: Context, time: FixedClock
) -> None:
    who = someone(context)
    for _ in range(5):
        refused = _refusal(context, who.account, "wrong")
    assert isinstance(refused, LockedOut)
    assert "12:15:00" in str(refused.detail)  # Shanghai time
    assert refused.extra["retry_after"] == 901
    assert isinstance(_refusal(context, who.account, PASSWORD), LockedOut)
    time.advance(timedelta(minutes=15))
    assert isinstance(_try(context, who.account, PASSWORD), SignInResult)


def test_signing_in_forgets_the_failures_and_an_administrator_can(context: Context) -> None:
    who, admin = someone(context), someone(context, Role.ADMINISTRATOR)
    for _ in range(4):
        _refusal(context, who.account, "wrong")
    _try(context, who.account, PASSWORD)
    for _ in range(5):
        _refusal(context, who.account, "wrong")
    with context.database.writing() as session:
        services.forget_failures(session, context.keyring, person_id=who.id, actor=admin.actor(Role.ADMINISTRATOR))
    assert isinstance(_try(context, who.account, PASSWORD), SignInResult)


HERE, THERE = Origin("203.0.113.7"), Origin("198.51.100.4")
OWN = Origin("203.0.113.7", "her own device")


def _from(context: Context, who: Any, password: str, origin: Origin) -> SignInResult | Needed:
    return services.pass_password(
        context, account=who.account, password=password, kind=SessionKind.COOKIE, user_agent="", origin=origin
    )


def _fails(context: Context, who: Any, origin: Origin, expected: type[Problem]) -> None:
    with pytest.raises(Problem) as refused:
        _from(context, who, "wrong", origin)
    assert isinstance(refused.value, expected)


def test_a_stranger_locks_himself_out_and_not_the_owner(context: Context, time: FixedClock) -> None:
    who = someone(context)
    for attempt in range(5):
        _fails(context, who, HERE, WrongPassword if attempt < 4 else LockedOut)
    with pytest.raises(LockedOut):
        _from(context, who, PASSWORD, HERE)
    assert isinstance(_from(context, who, PASSWORD, THERE), SignInResult)
    assert isinstance(_from(context, who, PASSWORD, OWN), SignInResult)
    with pytest.raises(LockedOut):  # her coming in frees nobody else
        _from(context, who, PASSWORD, HERE)


def test_many_strangers_together_are_locked_out_and_her_own_device_is_not(context: Context, time: FixedClock) -> None:
    who = someone(context)
    for number in range(25):
        for attempt in range(4):
            last = number == 24 and attempt == 3
            _fails(context, who, Origin(f"198.51.100.{number}"), LockedOut if last else WrongPassword)
    with pytest.raises(LockedOut):
        _from(context, who, PASSWORD, Origin("192.0.2.1"))
    assert isinstance(_from(context, who, PASSWORD, OWN), SignInResult)
    time.advance(timedelta(minutes=15))
    assert isinstance(_from(context, who, PASSWORD, Origin("192.0.2.1")), SignInResult)


def test_a_known_device_may_not_guess_without_end_either(context: Context, time: FixedClock) -> None:
    who = someone(context)
    for attempt in range(5):
        _fails(context, who, OWN, WrongPassword if attempt < 4 else LockedOut)
    with pytest.raises(LockedOut):
        _from(context, who, PASSWORD, OWN)


@pytest.mark.parametrize(("role", "idle_hours", "longest"), [(Role.INSTITUTION, 0.4, 12), (Role.TRAINEE, 11, 24)])
def test_a_session_ends_however_much_it_is_used(
    context: Context, time: FixedClock, role: Role, idle_hours: float, longest: int
) -> None:
    login = signed_in(context, someone(context, role)).claims.login_session_id
    while clock.now() + timedelta(hours=idle_hours) < NOON + timedelta(hours=longest):
        time.advance(timedelta(hours=idle_hours))
        with context.database.writing() as session:
            services.keep_alive(session, login, clock.now())
            assert queries.live_login(session, login, clock.now())
    time.instant = NOON + timedelta(hours=longest)
    with context.database.reading() as session, pytest.raises(SessionEnded):
        queries.live_login(session, login, clock.now())


def test_recovery_codes_are_kept_as_passwords_are(context: Context) -> None:
    _totp, codes = with_factor(context, someone(context, Role.INSTITUTION))
    with context.database.reading() as session:
        kept = list(session.scalars(select(RecoveryCode.code_hash)))
    assert len(kept) == len(codes) == 10 and all(each.startswith("$argon2id$") for each in kept)


def test_guessing_at_invented_names_does_not_fill_the_database(context: Context, time: FixedClock) -> None:
    for number in range(6):
        _refusal(context, f"invented{number}", "wrong")
    time.advance(timedelta(days=1, seconds=1))
    _refusal(context, "another", "wrong")
    with context.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(LockOut)) == 2  # from this place, and from all


def test_a_suspended_account_is_told_so_only_with_its_password(context: Context) -> None:
    who, admin = someone(context), someone(context, Role.ADMINISTRATOR)
    with context.database.writing() as session:
        services.suspend(
            session, context.keyring, context.events, person_id=who.id, actor=admin.actor(Role.ADMINISTRATOR)
        )
    assert isinstance(_refusal(context, who.account, "wrong"), WrongPassword)
    assert isinstance(_refusal(context, who.account, PASSWORD), Suspended)


def test_who_belongs_nowhere_does_not_come_in(context: Context) -> None:
    who = someone(context)
    with context.database.writing() as session:
        session.delete(session.scalars(select(Membership).where(Membership.person_id == who.id)).one())
    assert isinstance(_refusal(context, who.account, PASSWORD), NoMembership)


def test_a_learner_s_new_sign_in_ends_the_old_one_and_says_so_after_the_commit(context: Context) -> None:
    who = someone(context)
    told: list[LoginEnded] = []
    context.events.subscribe(LoginEnded, told.append)
    first = signed_in(context, who, SessionKind.COOKIE)
    assert told == []
    second = signed_in(context, who)
    assert told == [LoginEnded(who.id, first.claims.login_session_id, SessionEnd.SIGNED_IN_ELSEWHERE)]
    with context.database.reading() as session:
        with pytest.raises(SessionEnded) as ended:
            queries.live_login(session, first.claims.login_session_id, clock.now())
        assert ended.value.extra["reason"] == "signed_in_elsewhere"
        assert queries.live_login(session, second.claims.login_session_id, clock.now())


def test_staff_may_be_signed_in_at_two_places(context: Context) -> None:
    who = someone(context, Role.INSTITUTION)
    first, _second = signed_in(context, who), signed_in(context, who)
    with context.database.reading() as session:
        assert queries.live_login(session, first.claims.login_session_id, clock.now())


@pytest.mark.parametrize(
    ("role", "idle"), [(Role.INSTITUTION, timedelta(minutes=30)), (Role.TRAINEE, timedelta(hours=12))]
)
def test_a_session_ends_when_it_is_left_alone(context: Context, time: FixedClock, role: Role, idle: timedelta) -> None:
    passed = signed_in(context, someone(context, role))
    login = passed.claims.login_session_id
    assert passed.expires_at == NOON + idle
    time.advance(idle - timedelta(seconds=1))
    with context.database.writing() as session:
        services.keep_alive(session, login, clock.now())
    time.advance(idle - timedelta(seconds=1))
    with context.database.reading() as session:
        assert queries.live_login(session, login, clock.now())
        time.advance(timedelta(seconds=1))
        with pytest.raises(SessionEnded) as ended:
            queries.live_login(session, login, clock.now())
    assert ended.value.extra["reason"] == "expired"


def test_an_ended_session_is_not_kept_alive(context: Context, time: FixedClock) -> None:
    passed = signed_in(context, someone(context))
    with context.database.writing() as session:
        login = session.get_one(LoginSession, passed.claims.login_session_id)
        services.end_session(session, context.events, login, reason=SessionEnd.SIGNED_OUT)
    time.advance(timedelta(minutes=5))
    with context.database.writing() as session:
        services.keep_alive(session, passed.claims.login_session_id, clock.now())
        with pytest.raises(SessionEnded):
            queries.live_login(session, passed.claims.login_session_id, clock.now())


def test_switching_organisation_needs_a_membership_there(context: Context) -> None:
    who, other = someone(context, Role.INSTITUTION), someone(context, Role.REGULATOR)
    passed = signed_in(context, who)
    with context.database.writing() as session, pytest.raises(Problem) as refused:
        services.switch_organisation(
            session,
            context.keyring,
            context.events,
            context.settings,
            login_session_id=passed.claims.login_session_id,
            organisation_id=other.organisation_id,
        )
    assert refused.value.status == 404


# The second factor --------------------------------------------------------------------------------------------------


def test_a_code_is_asked_for_and_taken_once(context: Context, time: FixedClock) -> None:
    who = someone(context, Role.INSTITUTION)
    totp, _codes = with_factor(context, who)
    needed = _try(context, who.account, PASSWORD)
    assert isinstance(needed, Needed)
    assert needed.step is SignInStep.CODE
    code = totp.at(NOON)
    assert isinstance(_try(context, who.account, PASSWORD, code), SignInResult)
    with pytest.raises(WrongCode):
        _try(context, who.account, PASSWORD, code)
    time.advance(timedelta(seconds=30))
    with pytest.raises(WrongCode):  # still within the window, and still the same code
        _try(context, who.account, PASSWORD, code)
    assert isinstance(_try(context, who.account, PASSWORD, totp.at(clock.now())), SignInResult)


def test_an_older_code_is_not_taken_after_a_newer_one(context: Context, time: FixedClock) -> None:
    who = someone(context, Role.INSTITUTION)
    totp, _codes = with_factor(context, who)
    time.advance(timedelta(seconds=60))
    assert isinstance(_try(context, who.account, PASSWORD, totp.at(clock.now())), SignInResult)
    with pytest.raises(WrongCode):
        _try(context, who.account, PASSWORD, totp.at(clock.now() - timedelta(seconds=30)))


@pytest.mark.parametrize("seconds", [-90, 90])
def test_a_code_of_another_time_is_wrong(context: Context, time: FixedClock, seconds: int) -> None:
    who = someone(context, Role.INSTITUTION)
    totp, _codes = with_factor(context, who)
    with pytest.raises(WrongCode):
        _try(context, who.account, PASSWORD, totp.at(NOON + timedelta(seconds=seconds)))


def test_codes_cannot_be_guessed_without_end_even_with_the_password(context: Context, time: FixedClock) -> None:
    who = someone(context, Role.INSTITUTION)
    totp, _codes = with_factor(context, who)
    for _ in range(4):
        with pytest.raises(WrongCode):
            _try(context, who.account, PASSWORD, "000000")
        assert isinstance(_try(context, who.account, PASSWORD), Needed)  # the right password forgets nothing
    with pytest.raises(LockedOut):
        _try(context, who.account, PASSWORD, "000000")
    with pytest.raises(LockedOut):
        _try(context, who.account, PASSWORD, totp.at(NOON))


def test_a_recovery_code_replaces_the_device_once(context: Context, time: FixedClock) -> None:
    who = someone(context, Role.INSTITUTION)
    _totp, codes = with_factor(context, who)
    assert len(set(codes)) == 10
    typed = f" {codes[0][:5]}-{codes[0][5:]} ".upper()
    assert isinstance(_try(context, who.account, PASSWORD, typed), SignInResult)
    with pytest.raises(WrongCode):
        _try(context, who.account, PASSWORD, codes[0])


def test_recovery_codes_are_nobody_else_s(context: Context, time: FixedClock) -> None:
    who, other = someone(context, Role.INSTITUTION), someone(context, Role.INSTITUTION)
    _totp, codes = with_factor(context, who)
    with_factor(context, other)
    with pytest.raises(WrongCode):
        _try(context, other.account, PASSWORD, codes[0])


def test_a_secret_counts_for_nothing_until_a_code_shows_it_is_known(context: Context, time: FixedClock) -> None:
    who = someone(context, Role.INSTITUTION)
    with context.database.writing() as session:
        first = services.begin_totp(session, context.keyring, person_id=who.id)
        assert services.begin_totp(session, context.keyring, person_id=who.id) == first
        with pytest.raises(WrongCode):
            services.confirm_totp(session, context.keyring, context.events, person_id=who.id, code="123", keep=None)
    assert isinstance(_try(context, who.account, PASSWORD), SignInResult)
    with_factor(context, who)
    with context.database.writing() as session, pytest.raises(FactorStanding):
        services.begin_totp(session, context.keyring, person_id=who.id)


def _requiring(context: Context) -> Context:
    from dataclasses import replace

    return replace(context, settings=replace(context.settings, staff_second_factor="required"))


def test_where_it_is_required_staff_set_a_second_factor_up_before_they_come_in(
    context: Context, time: FixedClock
) -> None:
    context = _requiring(context)
    who, learner = someone(context, Role.REGULATOR), someone(context)
    assert isinstance(_try(context, learner.account, PASSWORD), SignInResult)
    needed = _try(context, who.account, PASSWORD)
    assert isinstance(needed, Needed)
    assert needed.step is SignInStep.SET_UP_CODE
    secret = services.begin_set_up(context, account_id=needed.account_id).secret
    here: dict[str, Any] = {"kind": SessionKind.COOKIE, "user_agent": ""}
    with pytest.raises(WrongCode):
        services.pass_set_up(context, account_id=needed.account_id, code="000000", **here)
    passed, codes = services.pass_set_up(
        context, account_id=needed.account_id, code=pyotp.TOTP(secret).at(NOON), **here
    )
    assert isinstance(passed, SignInResult)
    assert len(codes) == 10
    with pytest.raises(SignedOut):  # what was a first set-up cannot be done again to get past the factor
        services.begin_set_up(context, account_id=needed.account_id)


# Passwords ----------------------------------------------------------------------------------------------------------


def test_a_temporary_password_is_replaced_before_anything_else(context: Context) -> None:
    who = someone(context, temporary=True)
    needed = _try(context, who.account, PASSWORD)
    assert isinstance(needed, Needed)
    assert needed.step is SignInStep.NEW_PASSWORD
    here: dict[str, Any] = {"kind": SessionKind.COOKIE, "user_agent": ""}
    with pytest.raises(PasswordRefused):
        services.pass_new_password(context, account_id=needed.account_id, password="short", **here)
    chosen = "battery-staple-9"
    assert isinstance(
        services.pass_new_password(context, account_id=needed.account_id, password=chosen, **here), SignInResult
    )
    assert isinstance(_refusal(context, who.account, PASSWORD), WrongPassword)
    with pytest.raises(SignedOut):  # a page kept open cannot change it once more
        services.pass_new_password(context, account_id=needed.account_id, password="once-more-10", **here)


def test_a_changed_password_ends_every_other_session(context: Context) -> None:
    who = someone(context, Role.INSTITUTION)
    here, there = signed_in(context, who), signed_in(context, who)
    with context.database.writing() as session:
        services.change_password(
            session,
            context.keyring,
            context.events,
            person_id=who.id,
            password=services.hash_password("battery-staple-9"),
            keep=here.claims.login_session_id,
        )
    with context.database.reading() as session:
        assert queries.live_login(session, here.claims.login_session_id, clock.now())
        with pytest.raises(SessionEnded):
            queries.live_login(session, there.claims.login_session_id, clock.now())


def test_a_damaged_hash_lets_nobody_in(context: Context) -> None:
    who = someone(context)
    with context.database.writing() as session:
        session.execute(update(Account).where(Account.person_id == who.id).values(password_hash="damaged"))
    assert isinstance(_refusal(context, who.account, PASSWORD), WrongPassword)


# Tokens -------------------------------------------------------------------------------------------------------------


def test_a_token_of_which_one_character_was_changed_is_nobody_s(context: Context) -> None:
    token = signed_in(context, someone(context)).token
    for place in range(len(token)):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert tokens.read(context.keyring, changed) is None
    for garbled in ("", ".", token[:-1], token + "A", "é" * len(token), "Bearer " + token):
        assert tokens.read(context.keyring, garbled) is None
