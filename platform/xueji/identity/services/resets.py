"""Resetting somebody's password or second factor: by one person only while nothing of hers is behind it.

Else one asks and another confirms. Of a new password each of the two is shown one half, so that neither alone can sign
in with it. Her sessions end, she is told, and her next study begins with a check.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from uuid import UUID, uuid4

from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from xueji.identity import rules, vault
from xueji.identity.access import access_person
from xueji.identity.errors import ResetOver, SecondPersonNeeded
from xueji.identity.leaves import FactorDropped, PasswordReset, ResetAsked, ResetRefused
from xueji.identity.models import ResetRequest
from xueji.identity.queries.resets import account_to_reset, may_confirm
from xueji.identity.rules import FIRST_CODE_LASTS, RESET_LASTS, ResetKind, SessionEnd
from xueji.identity.services.passwords import HashedPassword, account_of, hash_password
from xueji.identity.services.recording import record_power
from xueji.identity.services.second_factor import forget_factor
from xueji.identity.services.second_person import FEWEST_LETTERS, MOST_LETTERS
from xueji.identity.services.sessions import end_sessions
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.context import Context
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import Forbidden, Invalid, NotFound
from xueji.kernel.events import Events
from xueji.trace.rules import PLATFORM
from xueji.trace.services import commit

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def half_code() -> str:
    """Easy to read out: two groups of five, 49 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(2))


def first_code() -> str:
    """A code for somebody's first sign-in: short enough to type on a phone, and good for a fortnight only."""
    return half_code()


def issue_again(
    session: Session, keyring: Keyring, events: Events, *, person_id: UUID, password: HashedPassword, actor: Actor
) -> None:
    """A new first code for a trainee who has not used hers. Raises NotFound, Forbidden, SecondPersonNeeded."""
    access_person(session, actor, person_id)
    account = account_to_reset(session, person_id)
    if not rules.may_ask_reset(account, actor):
        raise Forbidden
    if not rules.one_person_will_do(account):
        raise SecondPersonNeeded
    set_code(session, events, person_id, password)
    record_power(session, keyring, PasswordReset(), actor=actor.person_id, subject=person_id)


def ask_reset(
    session: Session, keyring: Keyring, *, person_id: UUID, kind: ResetKind, reason: str, actor: Actor
) -> tuple[ResetRequest, str | None]:
    """Ask for a second person; for a password also the asker's half of the code, to be shown once.

    An earlier request of the same kind that still waits is over with this. Raises NotFound, Forbidden, Invalid.
    """
    access_person(session, actor, person_id)
    if not rules.may_ask_reset(account_to_reset(session, person_id), actor):
        raise Forbidden
    words = reason.strip()
    if not FEWEST_LETTERS <= len(words) <= MOST_LETTERS:
        raise Invalid(_("请写明申请理由（4至300个字）。"))
    earlier = select(ResetRequest).where(
        ResetRequest.person_id == person_id, ResetRequest.kind == kind, ResetRequest.decided_at.is_(None)
    )
    for each in session.scalars(earlier.with_for_update()):
        _decide(each, actor, confirmed=False)
    key, request_id = vault.person_key(session, keyring, person_id), uuid4()
    half = half_code() if kind is ResetKind.PASSWORD else None
    made = ResetRequest(
        id=request_id,
        person_id=person_id,
        kind=kind,
        asked_by=actor.person_id,
        asked_at=clock.now(),
        reason_cipher=vault.seal(key, person_id, vault.reset_field(request_id, "reason"), words.encode()),
        half_cipher=vault.seal(key, person_id, vault.reset_field(request_id, "half"), half.encode()) if half else None,
    )
    session.add(made)
    session.flush()
    commitment = commit(session, words, chain=PLATFORM, field="reason", person=str(person_id))
    asked = ResetAsked(request=str(made.id), kind=kind.value, reason=commitment)
    record_power(session, keyring, asked, actor=actor.person_id, subject=person_id)
    return made, half


@dataclass(frozen=True)
class Confirmed:
    """What came of a confirmed request."""

    person_id: UUID
    kind: ResetKind
    half: str | None
    """The second half of a new password, to be shown once."""


def confirm_reset(context: Context, *, request_id: UUID, actor: Actor) -> Confirmed:
    """The second person agrees; opens its own sessions, because a password is hashed between reading and writing.

    Raises NotFound (not hers to confirm), ResetOver.
    """
    with context.database.reading() as session:
        request = _waiting(session, request_id, actor)
        key = vault.person_key(session, context.keyring, request.person_id)
        first = _first_half(request, key)
    half = half_code() if first is not None else None
    hashed = hash_password(f"{first}-{half}") if first is not None else None
    with context.database.writing() as session:
        request = _waiting(session, request_id, actor)
        _take(session, request, actor)
        leaf = PasswordReset if hashed is not None else FactorDropped
        if hashed is not None:
            set_code(session, context.events, request.person_id, hashed)
        else:
            forget_factor(session, account_of(session, request.person_id))
            end_sessions(session, context.events, person_id=request.person_id, reason=SessionEnd.RESET_BY_OTHERS)
        account_of(session, request.person_id).reset_at = clock.now()
        reset = leaf(request=str(request.id))
        record_power(session, context.keyring, reset, actor=actor.person_id, subject=request.person_id)
        return Confirmed(request.person_id, request.kind, half)


def refuse_reset(session: Session, keyring: Keyring, *, request_id: UUID, actor: Actor) -> None:
    """Whoever might confirm it, who asked for it, and whose account it is may say no. Raises NotFound, ResetOver."""
    request = session.get(ResetRequest, request_id, with_for_update=True)
    if request is None or not (
        actor.person_id in (request.asked_by, request.person_id) or may_confirm(session, request, actor)
    ):
        raise NotFound
    _refuse_over(request)
    _decide(request, actor, confirmed=False)
    refused = ResetRefused(request=str(request.id), kind=request.kind.value)
    record_power(session, keyring, refused, actor=actor.person_id, subject=request.person_id)


def _waiting(session: Session, request_id: UUID, actor: Actor) -> ResetRequest:
    request = session.get(ResetRequest, request_id)
    if request is None or not may_confirm(session, request, actor):
        raise NotFound
    _refuse_over(request)
    return request


def _refuse_over(request: ResetRequest) -> None:
    if request.decided_at is not None or clock.now() >= request.asked_at + RESET_LASTS:
        raise ResetOver


def _take(session: Session, request: ResetRequest, actor: Actor) -> None:
    """The database decides, so that of two who confirm at once only one is shown a half. Raises ResetOver."""
    taken = session.execute(
        update(ResetRequest)
        .where(ResetRequest.id == request.id, ResetRequest.decided_at.is_(None))
        .values(decided_by=actor.person_id, decided_at=clock.now(), confirmed=True, half_cipher=None)
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]
        raise ResetOver


def _decide(request: ResetRequest, actor: Actor, *, confirmed: bool) -> None:
    request.decided_by, request.decided_at = actor.person_id, clock.now()
    request.confirmed, request.half_cipher = confirmed, None


def _first_half(request: ResetRequest, key: bytes) -> str | None:
    if request.half_cipher is None:
        return None
    return vault.unseal(key, request.person_id, vault.reset_field(request.id, "half"), request.half_cipher).decode()


def set_code(session: Session, events: Events, person_id: UUID, password: HashedPassword) -> None:
    """She signs in with it until it lapses, and chooses a password of her own then. Who may is decided before."""
    account = account_of(session, person_id)
    account.password_hash = password
    account.password_is_temporary = True
    account.password_changed_at = clock.now()
    account.code_lapses_at = clock.now() + FIRST_CODE_LASTS
    end_sessions(session, events, person_id=person_id, reason=SessionEnd.RESET_BY_OTHERS)
