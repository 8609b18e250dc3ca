"""Signing in, one step after another: password, a new password where one is due, second factor, session.

Passwords are worked out with no transaction open. Failures are counted per account name, known or not, and place: a
device the account has signed in from, or a stranger's address, and once more for all strangers together, so that nobody
locks the owner out. The count is committed before the refusal is raised. A login session exists only once every step
is passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from xueji.identity import queries, rules, tokens
from xueji.identity.errors import CodeLapsed, LockedOut, NoMembership, SignedOut, Suspended, WrongCode, WrongPassword
from xueji.identity.leaves import AccountUnlocked
from xueji.identity.models import Account, LockOut
from xueji.identity.rules import NOWHERE, Origin, SessionKind, SignInStep, Tries
from xueji.identity.services import passwords
from xueji.identity.services.recording import record_power
from xueji.identity.services.second_factor import TotpSetup, begin_totp, begun_totp, confirm_totp, take_code
from xueji.identity.services.sessions import open_session
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.context import Context
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import Forbidden, NotFound, Problem
from xueji.kernel.settings import Settings

log = structlog.get_logger(__name__)

FORGOTTEN_AFTER = timedelta(days=1)
STRANGERS = 20
"""How many times more failures all strangers together may make under one name before they are locked out of it."""


@dataclass(frozen=True)
class _Count:
    name_hash: bytes
    account_hash: bytes
    most: int


@dataclass(frozen=True)
class Needed:
    """A right password, and what is still to be done before there is a session."""

    account_id: UUID
    person_id: UUID
    step: SignInStep


@dataclass(frozen=True)
class SignInResult:
    claims: tokens.Claims
    token: str
    expires_at: datetime


def pass_password(
    context: Context,
    *,
    account: str,
    password: str,
    code: str | None = None,
    kind: SessionKind,
    user_agent: str,
    origin: Origin = NOWHERE,
) -> SignInResult | Needed:
    """Raises WrongPassword, WrongCode, CodeLapsed, LockedOut, Suspended, NoMembership."""
    name = rules.account_name(account)
    counted = _counted(context, name, origin)
    with context.database.reading() as session:
        _refuse_locked(session, counted)
        row = session.execute(select(Account.id, Account.password_hash).where(Account.account == name)).first()
    right = passwords.right(context.keyring, password, row.password_hash if row is not None else None)
    if row is None or not right:
        raise _failure(context, counted, WrongPassword())
    return _go_on(context, row.id, code=code, factor_passed=False, kind=kind, user_agent=user_agent, origin=origin)


def pass_code(
    context: Context, *, account_id: UUID, code: str, kind: SessionKind, user_agent: str, origin: Origin = NOWHERE
) -> SignInResult | Needed:
    """After the password. Raises WrongCode, LockedOut, Suspended, NoMembership."""
    return _go_on(context, account_id, code=code, factor_passed=False, kind=kind, user_agent=user_agent, origin=origin)


def pass_new_password(
    context: Context, *, account_id: UUID, password: str, kind: SessionKind, user_agent: str
) -> SignInResult | Needed:
    """Replace the password that staff had set. Raises PasswordRefused, SignedOut when that is not what is due."""
    with context.database.reading() as session:
        account = _due(session, context, account_id, SignInStep.NEW_PASSWORD)
    hashed = passwords.new_password(password, account.account)
    with context.database.writing() as session:
        _due(session, context, account_id, SignInStep.NEW_PASSWORD)
        passwords.change_password(
            session, context.keyring, context.events, person_id=account.person_id, password=hashed, keep=None
        )
    return _go_on(context, account_id, code=None, factor_passed=False, kind=kind, user_agent=user_agent)


def begin_set_up(context: Context, *, account_id: UUID) -> TotpSetup:
    """What her authenticator has to be told. Raises SignedOut when that is not what is due."""
    with context.database.writing() as session:
        account = _due(session, context, account_id, SignInStep.SET_UP_CODE)
        return begin_totp(session, context.keyring, person_id=account.person_id)


def begun_set_up(context: Context, *, account_id: UUID) -> TotpSetup:
    """The same again, read only. Raises SignedOut."""
    with context.database.reading() as session:
        account = _due(session, context, account_id, SignInStep.SET_UP_CODE)
        return begun_totp(session, context.keyring, person_id=account.person_id)


def pass_set_up(
    context: Context, *, account_id: UUID, code: str, kind: SessionKind, user_agent: str
) -> tuple[SignInResult | Needed, list[str]]:
    """Confirm the second factor with its first code; also the recovery codes. Raises WrongCode, SignedOut."""
    with context.database.writing() as session:
        account = _due(session, context, account_id, SignInStep.SET_UP_CODE)
        codes = confirm_totp(
            session, context.keyring, context.events, person_id=account.person_id, code=code, keep=None
        )
    return _go_on(context, account_id, code=None, factor_passed=True, kind=kind, user_agent=user_agent), codes


def forget_failures(session: Session, keyring: Keyring, *, person_id: UUID, actor: Actor) -> None:
    """An administrator lifts a lock. Raises Forbidden, NotFound."""
    if not actor.is_(Role.ADMINISTRATOR):
        raise Forbidden
    name = session.scalar(select(Account.account).where(Account.person_id == person_id))
    if name is None:
        raise NotFound
    record_power(session, keyring, AccountUnlocked(), actor=actor.person_id, subject=person_id)
    lift_locks(session, keyring, name)


def lift_locks(session: Session, keyring: Keyring, account: str) -> None:
    """Forget every failed sign-in under the name of an account, from wherever."""
    session.execute(delete(LockOut).where(LockOut.account_hash == keyring.keyed_hash("account", account)))


def _go_on(
    context: Context,
    account_id: UUID,
    *,
    code: str | None,
    factor_passed: bool,
    kind: SessionKind,
    user_agent: str,
    origin: Origin = NOWHERE,
) -> SignInResult | Needed:
    counted: list[_Count] = []
    with context.database.writing() as session:
        account = session.get(Account, account_id)
        if account is None:
            raise SignedOut
        if account.suspended_at is not None:
            raise Suspended
        counted = _counted(context, account.account, origin)
        _refuse_locked(session, counted)
        step = _next_step(session, context.settings, account, factor_passed)
        if step is SignInStep.CODE and code and take_code(session, context.keyring, account, code):
            step = None
        if step is None:
            return _enter(session, context, account, counted, kind, user_agent)
        if step is not SignInStep.CODE or not code:
            return Needed(account_id, account.person_id, step)
    raise _failure(context, counted, WrongCode())


def _due(session: Session, context: Context, account_id: UUID, step: SignInStep) -> Account:
    """The account, if ``step`` is what stands between it and a session. Raises SignedOut."""
    account = session.get(Account, account_id)
    if account is None or _next_step(session, context.settings, account, factor_passed=False) is not step:
        raise SignedOut
    return account


def _next_step(session: Session, settings: Settings, account: Account, factor_passed: bool) -> SignInStep | None:
    if account.password_is_temporary:
        if account.code_lapses_at is not None and clock.now() >= account.code_lapses_at:
            raise CodeLapsed
        return SignInStep.NEW_PASSWORD
    if factor_passed:
        return None
    if account.totp_confirmed_at is not None:
        return SignInStep.CODE
    staff = queries.standing(session, account.person_id).staff
    return SignInStep.SET_UP_CODE if staff and settings.staff_second_factor == "required" else None


def _enter(
    session: Session,
    context: Context,
    account: Account,
    counted: Sequence[_Count],
    kind: SessionKind,
    user_agent: str,
) -> SignInResult:
    standing = queries.standing(session, account.person_id)
    if not standing.roles:
        raise NoMembership
    # What she herself got wrong is forgotten; what strangers tried elsewhere goes on counting.
    session.execute(delete(LockOut).where(LockOut.name_hash == counted[0].name_hash))
    login, claims = open_session(
        session,
        context.keyring,
        context.events,
        context.settings,
        person_id=account.person_id,
        standing=standing,
        kind=kind,
        user_agent=user_agent,
    )
    return SignInResult(claims, tokens.issue(context.keyring, claims), login.expires_at)


def _counted(context: Context, name: str, origin: Origin) -> list[_Count]:
    """Under what a failure is counted: the device or address first, then all strangers together."""
    keyring, most = context.keyring, context.settings.lockout_attempts
    account = keyring.keyed_hash("account", name)
    where = f"device {origin.device}" if origin.device else f"address {origin.address}"
    from_place = _Count(keyring.keyed_hash("tries", f"{name} {where}"), account, most)
    if origin.device:
        return [from_place]
    return [from_place, _Count(keyring.keyed_hash("tries", f"{name} strangers"), account, most * STRANGERS)]


def _failure(context: Context, counted: Sequence[_Count], refusal: Problem) -> Problem:
    """Count one failure, and say either that or, from the last one allowed on, until when this place is locked out."""
    now, settings = clock.now(), context.settings
    until: datetime | None = None
    with context.database.writing() as session:
        session.execute(delete(LockOut).where(LockOut.last_failed_at < now - FORGOTTEN_AFTER))
        for count in counted:
            row = _lock_row(session, count, now)
            tries = rules.after_failure(
                Tries(row.failed_attempts, row.locked_until),
                now,
                most=count.most,
                locked_for=timedelta(minutes=settings.lockout_minutes),
            )
            row.failed_attempts, row.locked_until, row.last_failed_at = tries.failed, tries.locked_until, now
            until = tries.locked_until or until
    # The name that was typed may be anything, so only its keyed hash is written down.
    account = counted[0].account_hash.hex()[:16]
    log.warning("signin.refused", account=account, cause=refusal.type, locked=until is not None)
    return _locked(until, now) if until is not None else refusal


def _lock_row(session: Session, count: _Count, now: datetime) -> LockOut:
    found = session.get(LockOut, count.name_hash, with_for_update=True)
    if found is None:
        try:
            with session.begin_nested():
                made = LockOut(
                    name_hash=count.name_hash, account_hash=count.account_hash, failed_attempts=0, last_failed_at=now
                )
                session.add(made)
        except IntegrityError:
            pass  # somebody else failed under this name at the same moment
        found = session.get_one(LockOut, count.name_hash, with_for_update=True)
    return found


def _refuse_locked(session: Session, counted: Sequence[_Count]) -> None:
    now = clock.now()
    for count in counted:
        row = session.get(LockOut, count.name_hash)
        if row is not None and row.locked_until is not None and now < row.locked_until:
            raise _locked(row.locked_until, now)


def _locked(until: datetime, now: datetime) -> LockedOut:
    time = until.astimezone(clock.SHANGHAI).strftime("%H:%M:%S")
    return LockedOut(
        _("连续多次登录失败，为保护账号，请于%(time)s后再试。", time=time),
        retry_after=int((until - now).total_seconds()) + 1,
        locked_until=clock.rfc3339(until),
    )
