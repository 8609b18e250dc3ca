"""The second factor: time-based codes (RFC 6238), each taken once, and recovery codes for a lost device."""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from dataclasses import dataclass
from uuid import UUID

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from xueji.identity import vault
from xueji.identity.errors import FactorStanding, WrongCode
from xueji.identity.leaves import FactorDropped, FactorSet
from xueji.identity.models import Account, RecoveryCode
from xueji.identity.rules import SessionEnd
from xueji.identity.services.recording import record_power
from xueji.identity.services.sessions import end_sessions
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import Forbidden, NotFound
from xueji.kernel.events import Events

ISSUER = "学迹 Xueji"
STEP_SECONDS = 30
RECOVERY_CODES = 10
_CODES = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)
"""Cheaper than for passwords: a code is random, 49 bits, and ten are worked out at once."""
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without those that are taken for one another on paper."""


@dataclass(frozen=True)
class TotpSetup:
    """What an authenticator has to be told, once."""

    secret: str
    uri: str


def begin_totp(session: Session, keyring: Keyring, *, person_id: UUID) -> TotpSetup:
    """A secret that counts for nothing until `confirm_totp`; the same one again until then. Raises FactorStanding."""
    account = _account(session, person_id)
    if account.totp_confirmed_at is not None:
        raise FactorStanding
    key = vault.person_key(session, keyring, person_id)
    if account.totp_cipher is None:
        account.totp_cipher = vault.seal(key, person_id, vault.TOTP, pyotp.random_base32().encode())
    return _enrolment(session, keyring, account)


def _enrolment(session: Session, keyring: Keyring, account: Account) -> TotpSetup:
    key = vault.person_key(session, keyring, account.person_id)
    assert account.totp_cipher is not None
    secret = vault.unseal(key, account.person_id, vault.TOTP, account.totp_cipher).decode()
    return TotpSetup(secret, pyotp.TOTP(secret).provisioning_uri(name=account.account, issuer_name=ISSUER))


def begun_totp(session: Session, keyring: Keyring, *, person_id: UUID) -> TotpSetup:
    """What `begin_totp` made, read only. Raises FactorStanding, NotFound when nothing was begun."""
    account = _account(session, person_id)
    if account.totp_confirmed_at is not None:
        raise FactorStanding
    if account.totp_cipher is None:
        raise NotFound
    return _enrolment(session, keyring, account)


def confirm_totp(
    session: Session, keyring: Keyring, events: Events, *, person_id: UUID, code: str, keep: UUID | None
) -> list[str]:
    """The device has shown that it knows the secret; returns the recovery codes, to be shown once.

    Every session but ``keep`` ends: whoever holds one must pass the new factor, too.

    Raises WrongCode, FactorStanding.
    """
    account = _account(session, person_id)
    if account.totp_confirmed_at is not None:
        raise FactorStanding
    if not _take_totp(session, keyring, account, _plain(code)):
        raise WrongCode
    account.totp_confirmed_at = clock.now()
    codes = ["".join(secrets.choice(_LETTERS) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    session.add_all(
        RecoveryCode(account_id=account.id, code_hash=_CODES.hash(_pepper(keyring, account, each))) for each in codes
    )
    end_sessions(session, events, person_id=person_id, reason=SessionEnd.FACTOR_CHANGED, but=keep)
    record_power(session, keyring, FactorSet(), actor=person_id, subject=person_id)
    return codes


def drop_totp(session: Session, keyring: Keyring, *, person_id: UUID, actor: Actor) -> None:
    """Her own doing; for a lost device see `resets`. Raises Forbidden, NotFound."""
    if person_id != actor.person_id:
        raise Forbidden
    forget_factor(session, _account(session, person_id))
    record_power(session, keyring, FactorDropped(), actor=actor.person_id, subject=person_id)


def forget_factor(session: Session, account: Account) -> None:
    account.totp_cipher = account.totp_confirmed_at = None
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))


def take_code(session: Session, keyring: Keyring, account: Account, code: str) -> bool:
    """Whether the code is right and was not taken before; it is taken with this."""
    given = _plain(code)
    if len(given) == 6:
        return _take_totp(session, keyring, account, given)
    return _take_recovery(session, keyring, account, given)


def _plain(code: str) -> str:
    """As people type it: with blanks and dashes, in full width, in capitals."""
    folded = unicodedata.normalize("NFKC", code).casefold()
    return "".join(char for char in folded if char.isascii() and char.isalnum())


def _take_totp(session: Session, keyring: Keyring, account: Account, code: str) -> bool:
    if account.totp_cipher is None:
        return False
    key = vault.person_key(session, keyring, account.person_id)
    secret = pyotp.TOTP(vault.unseal(key, account.person_id, vault.TOTP, account.totp_cipher).decode())
    present = int(clock.now().timestamp()) // STEP_SECONDS
    # One step back and forth for clocks that are not quite right.
    steps = [
        step
        for step in (present - 1, present, present + 1)
        if hmac.compare_digest(secret.at(step * STEP_SECONDS), code) and step > account.totp_last_step
    ]
    if not steps:
        return False
    # The database decides, so that of two sign-ins with one code only one succeeds.
    taken = session.execute(
        update(Account)
        .where(Account.id == account.id, Account.totp_last_step < steps[0])
        .values(totp_last_step=steps[0])
    )
    return taken.rowcount == 1  # type: ignore[attr-defined, no-any-return]


def _take_recovery(session: Session, keyring: Keyring, account: Account, code: str) -> bool:
    unused = select(RecoveryCode).where(RecoveryCode.account_id == account.id, RecoveryCode.used_at.is_(None))
    peppered = _pepper(keyring, account, code)
    found = next((each.id for each in session.scalars(unused) if _fits(each.code_hash, peppered)), None)
    if found is None:
        return False
    taken = session.execute(
        update(RecoveryCode).where(RecoveryCode.id == found, RecoveryCode.used_at.is_(None)).values(used_at=clock.now())
    )
    return taken.rowcount == 1  # type: ignore[attr-defined, no-any-return]


def _pepper(keyring: Keyring, account: Account, code: str) -> str:
    return keyring.keyed_hash("recovery_code", f"{account.id}/{code}").hex()


def _fits(stored: str, peppered: str) -> bool:
    try:
        return _CODES.verify(stored, peppered)
    except (VerificationError, InvalidHashError):
        return False


def _account(session: Session, person_id: UUID) -> Account:
    found = session.scalar(select(Account).where(Account.person_id == person_id))
    if found is None:
        raise NotFound
    return found
