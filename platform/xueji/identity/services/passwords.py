"""Passwords: argon2id, worked out before any transaction is open, a few at a time."""

from __future__ import annotations

import hmac
import os
import unicodedata
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore
from typing import NewType
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.identity.errors import PasswordRefused
from xueji.identity.leaves import PasswordChanged
from xueji.identity.models import Account
from xueji.identity.rules import (
    LONGEST_PASSWORD,
    SHORTEST_PASSWORD,
    PasswordProblem,
    SessionEnd,
    password_problem,
)
from xueji.identity.services.recording import record_power
from xueji.identity.services.sessions import end_sessions
from xueji.kernel import clock
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import NotFound
from xueji.kernel.events import Events
from xueji.kernel.permits import PermitGivenBack

HashedPassword = NewType("HashedPassword", str)

COMMON = Path(__file__).parents[1] / "data" / "2026.11-common-passwords.txt"

# OWASP's smaller set: 19 MiB each, so that a whole class signing in at once does not use up the machine's memory.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_AT_ONCE = BoundedSemaphore(os.cpu_count() or 1)
_CODE = "code$"
"""What marks the hash of a code that was made here."""
NO_PASSWORD = HashedPassword("")
"""Of an account that nobody can sign in to before a code is issued."""
_NOBODYS = _HASHER.hash(os.urandom(16))
"""What the password of an account that does not exist is compared with: the same work, never a match."""


def hash_password(password: str) -> HashedPassword:
    """Takes about 20 ms of a core: call it before opening a write transaction."""
    with PermitGivenBack(), _AT_ONCE:
        return HashedPassword(_HASHER.hash(password))


def fits(password: str, kept: str | None) -> bool:
    """Whether the password is the one; as much work for an unknown account (``kept`` None) as for a known one."""
    with PermitGivenBack(), _AT_ONCE:
        try:
            return _HASHER.verify(kept or _NOBODYS, password[: LONGEST_PASSWORD + 1]) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def hash_code(keyring: Keyring, code: str) -> HashedPassword:
    """Of a code made here: nobody guesses 49 bits, so it need not be slow, and without the keyring it is nothing."""
    return HashedPassword(_CODE + keyring.keyed_hash("first code", _typed(code)).hex())


def right(keyring: Keyring, password: str, kept: str | None) -> bool:
    """Whether it is the password, or the code that staff were given for her; the same work for either and neither."""
    is_code = kept is not None and kept.startswith(_CODE)
    fitting = fits(password, None if is_code or not kept else kept)
    if is_code:
        return hmac.compare_digest(hash_code(keyring, password[:LONGEST_PASSWORD]), kept or "")
    return fitting


def _typed(code: str) -> str:
    """A code as it was made, however it is typed: without blanks and hyphens, in small letters."""
    return "".join(char for char in unicodedata.normalize("NFKC", code).casefold() if char.isalnum())


def new_password(password: str, account: str) -> HashedPassword:
    """Judge a password somebody chose, then hash it. Raises PasswordRefused."""
    problem = password_problem(password, account, common_passwords())
    if problem is None:
        return hash_password(password)
    raise PasswordRefused(
        {
            PasswordProblem.TOO_SHORT: _("密码至少%(least)d位。", least=SHORTEST_PASSWORD),
            PasswordProblem.TOO_LONG: _("密码最多%(most)d位。", most=LONGEST_PASSWORD),
            PasswordProblem.TOO_EVEN: _("密码不能只用少数几个字符，也不能是键盘或字母表上连续的字符。"),
            PasswordProblem.TOO_COMMON: _("这个密码太常见，容易被猜中。请换一个，例如几个不相干的词。"),
            PasswordProblem.TELLS_THE_ACCOUNT: _("密码不能包含账号。"),
        }[problem],
        problem=problem.value,
    )


@cache
def common_passwords() -> frozenset[str]:
    """The words of `COMMON`, read once: some 15,000."""
    lines = COMMON.read_text("utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def change_password(
    session: Session, keyring: Keyring, events: Events, *, person_id: UUID, password: HashedPassword, keep: UUID | None
) -> None:
    """Her own doing, after the old password was checked. Every session but ``keep`` ends. Raises NotFound."""
    account = account_of(session, person_id)
    account.password_hash = password
    account.password_is_temporary = False
    account.code_lapses_at = None
    account.password_changed_at = clock.now()
    account.activated_at = account.activated_at or clock.now()
    end_sessions(session, events, person_id=person_id, reason=SessionEnd.PASSWORD_CHANGED, but=keep)
    record_power(session, keyring, PasswordChanged(), actor=person_id, subject=person_id)


def account_of(session: Session, person_id: UUID) -> Account:
    """Raises NotFound."""
    found = session.scalar(select(Account).where(Account.person_id == person_id))
    if found is None:
        raise NotFound
    return found
