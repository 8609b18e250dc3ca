"""How identity writes into the traceability log: nobody is named, and nothing here belongs to one enrolment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from xueji.identity.models import AccountAct
from xueji.identity.rules import TOLD, TOLD_OF_ONESELF
from xueji.identity.services.acting import Acting
from xueji.kernel import clock
from xueji.kernel.crypto import Keyring
from xueji.kernel.database import after_commit
from xueji.trace.rules import BY, PLATFORM, SYSTEM, By, Event
from xueji.trace.services import commit, record, record_many

log = structlog.get_logger(__name__)


def record_of_person(
    session: Session, keyring: Keyring, event: Event, person_id: UUID, values: Mapping[str, Any]
) -> None:
    """In the caller's transaction, under the person's pseudonym on the platform's chain; staff are named."""
    if BY[event] is By.STAFF:
        record_many(session, [Acting.by_id(session, keyring, person_id).in_office(session, event, values)])
        return
    who = keyring.pseudonym(person_id, PLATFORM)
    record(session, event=event, chain=PLATFORM, who=who, values=values)


def record_power(
    session: Session,
    keyring: Keyring,
    event: Event,
    *,
    actor: UUID | None,
    subject: UUID | None,
    values: Mapping[str, Any] | None = None,
    news: bool = True,
) -> None:
    """What somebody did by her power over accounts, organisations and cohorts: a leaf of the platform's chain.

    ``actor`` None is the installation itself, ``subject`` the person whose account it was done to, if any. Both stand
    in the leaf as commitments to their ids. Whoever was acted on by another is told until she has read it, unless it is
    no ``news`` to her.
    """
    contents = dict(values or {})
    for name, person in (("actor", actor), ("subject", subject)):
        if person is not None:
            contents[name] = commit(session, str(person), chain=PLATFORM, field=name, person=str(person))
    who = keyring.pseudonym(actor, PLATFORM) if actor is not None else SYSTEM
    recorded = record(session, event=event, chain=PLATFORM, who=who, values=contents)
    if subject is not None and event is not Event.SIGNIN_OPEN:
        unread = news and event in (TOLD if actor != subject else TOLD_OF_ONESELF)
        act = AccountAct(
            person_id=subject, actor_id=actor, event=event, place=recorded.n, happened_at=clock.now(), told=unread
        )
        session.add(act)
    ids = {name: str(person) for name, person in (("actor", actor), ("subject", subject)) if person is not None}
    after_commit(session, lambda: log.info("power", act=event.value, **ids))
