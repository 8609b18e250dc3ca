"""Which sign-ins live and lived."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.identity.errors import SessionEnded
from xueji.identity.models import LoginSession
from xueji.identity.rules import SessionEnd, SessionKind
from xueji.kernel import clock
from xueji.kernel.driver_sql import Cursor

_LIVE = "SELECT last_seen_at, expires_at, ended_at IS NOT NULL, ended_reason FROM login_session WHERE id = ?"
"""Plain: every request of everybody asks it."""


def live_login(session: Session, login_session_id: UUID, now: datetime) -> datetime:
    """When a session was last used. Raises SessionEnded with the reason when it is not live."""
    plain = Cursor(session)
    rows = plain.rows(_LIVE, plain.key(login_session_id))
    if not rows:
        raise SessionEnded(SessionEnd.SIGNED_OUT)
    ((last_seen_at, expires_at, ended, reason),) = rows
    if ended:
        raise SessionEnded(reason)
    if plain.instant(expires_at) <= now:
        raise SessionEnded(SessionEnd.EXPIRED)
    return plain.instant(last_seen_at)


def live_logins(session: Session, login_session_ids: Iterable[UUID], now: datetime) -> set[UUID]:
    """Those of these sessions that are live."""
    standing = select(LoginSession.id).where(
        LoginSession.id.in_(list(login_session_ids)), LoginSession.ended_at.is_(None), LoginSession.expires_at > now
    )
    return set(session.scalars(standing))


@dataclass(frozen=True)
class SignIn:
    login_session_id: UUID
    kind: SessionKind
    started_at: datetime
    last_seen_at: datetime
    live: bool
    ended_reason: str | None
    user_agent: str


def sign_ins(session: Session, person_id: UUID, most: int = 10) -> list[SignIn]:
    """The latest first."""
    now = clock.now()
    rows = session.scalars(
        select(LoginSession)
        .where(LoginSession.person_id == person_id)
        .order_by(LoginSession.started_at.desc(), LoginSession.id)
        .limit(most)
    )
    return [
        SignIn(
            row.id,
            row.kind,
            row.started_at,
            row.last_seen_at,
            row.ended_at is None and row.expires_at > now,
            row.ended_reason or (SessionEnd.EXPIRED if row.expires_at <= now else None),
            row.user_agent,
        )
        for row in rows
    ]
