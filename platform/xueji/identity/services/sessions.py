"""Sign-ins as rows: opened, kept alive, ended with a reason."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from xueji.identity import queries, tokens
from xueji.identity.errors import SessionEnded
from xueji.identity.events import LoginEnded
from xueji.identity.leaves import SignInOpened
from xueji.identity.models import LoginSession, Person
from xueji.identity.rules import MARK_OF_LIFE, ActingRoles, SessionEnd, SessionKind
from xueji.identity.services.recording import record_power
from xueji.kernel import clock
from xueji.kernel.crypto import Keyring
from xueji.kernel.database import after_commit
from xueji.kernel.errors import NotFound
from xueji.kernel.events import Events
from xueji.kernel.settings import Settings


def open_session(
    session: Session,
    keyring: Keyring,
    events: Events,
    settings: Settings,
    *,
    person_id: UUID,
    standing: ActingRoles,
    kind: SessionKind,
    user_agent: str,
) -> tuple[LoginSession, tokens.Claims]:
    """A new sign-in. A learner's ends the one she had: one person studies at one place at a time."""
    now = clock.now()
    if standing.learner:
        # Two sign-ins of one person take turns, else each would miss the other's session.
        session.execute(select(Person.id).where(Person.id == person_id).with_for_update())
        others = _live(session, person_id, learners_only=True)
        _end(session, events, others, reason=SessionEnd.SIGNED_IN_ELSEWHERE)
    idle = settings.session_minutes if standing.staff else settings.learner_session_hours * 60
    longest = timedelta(hours=settings.session_hours if standing.staff else settings.learner_session_longest_hours)
    made = LoginSession(
        person_id=person_id,
        organisation_id=standing.organisation_id,
        kind=kind,
        learner=standing.learner,
        idle_minutes=idle,
        started_at=now,
        last_seen_at=now,
        expires_at=now + min(timedelta(minutes=idle), longest),
        ends_at=now + longest,
        user_agent=user_agent[:200],
    )
    session.add(made)
    session.flush()
    record_power(
        session,
        keyring,
        SignInOpened(login=str(made.id), kind=kind.value, roles=[role.value for role in sorted(standing.roles)]),
        actor=person_id,
        subject=person_id,
    )
    claims = tokens.Claims(person_id, made.id, standing.roles, standing.organisation_id, standing.region)
    return made, claims


def keep_alive(session: Session, login_session_id: UUID, now: datetime) -> None:
    """Move a live session's end forward, never beyond its last; only once `rules.MARK_OF_LIFE` has passed since."""
    row = session.get(LoginSession, login_session_id)
    if row is not None and row.ended_at is None and now - row.last_seen_at >= MARK_OF_LIFE:
        row.last_seen_at = now
        ends = now + timedelta(minutes=row.idle_minutes)
        row.expires_at = ends if row.ends_at is None else min(ends, row.ends_at)


def end_session(session: Session, events: Events, login: LoginSession, *, reason: SessionEnd) -> None:
    """Ending what has ended changes nothing."""
    if login.ended_at is None:
        _end(session, events, [login], reason=reason)


def end_sessions(
    session: Session, events: Events, *, person_id: UUID, reason: SessionEnd, but: UUID | None = None
) -> None:
    """Every live session of a person, except perhaps the one she is doing this from."""
    _end(session, events, (each for each in _live(session, person_id) if each.id != but), reason=reason)


def switch_organisation(
    session: Session,
    keyring: Keyring,
    events: Events,
    settings: Settings,
    *,
    login_session_id: UUID,
    organisation_id: UUID,
) -> tuple[LoginSession, tokens.Claims]:
    """Act for another of one's organisations from now on, in a new session. Raises NotFound, SessionEnded."""
    old = session.get(LoginSession, login_session_id)
    if old is None or old.ended_at is not None:
        raise SessionEnded(SessionEnd.SIGNED_OUT)
    standing = queries.standing(session, old.person_id, organisation_id)
    if standing.organisation_id != organisation_id:
        raise NotFound
    end_session(session, events, old, reason=SessionEnd.SWITCHED)
    return open_session(
        session,
        keyring,
        events,
        settings,
        person_id=old.person_id,
        standing=standing,
        kind=old.kind,
        user_agent=old.user_agent,
    )


def _live(session: Session, person_id: UUID, *, learners_only: bool = False) -> list[LoginSession]:
    chosen = select(LoginSession).where(LoginSession.person_id == person_id, LoginSession.ended_at.is_(None))
    if learners_only:
        chosen = chosen.where(LoginSession.learner)
    return list(session.scalars(chosen))


def _end(session: Session, events: Events, logins: Iterable[LoginSession], *, reason: SessionEnd) -> None:
    now = clock.now()
    for login in logins:
        over = login.expires_at <= now
        changed = session.execute(
            update(LoginSession)
            .where(LoginSession.id == login.id, LoginSession.ended_at.is_(None))
            .values(ended_at=min(now, login.expires_at), ended_reason=SessionEnd.EXPIRED if over else reason)
        )
        if changed.rowcount:  # type: ignore[attr-defined]
            event = LoginEnded(login.person_id, login.id, SessionEnd.EXPIRED if over else reason)
            after_commit(session, lambda event=event: events.publish(event))  # type: ignore[misc]
