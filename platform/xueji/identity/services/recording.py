"""How identity writes into the traceability log: nobody is named, and nothing here belongs to one enrolment."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from xueji.identity.models import AccountAct
from xueji.identity.rules import TOLD, TOLD_OF_ONESELF
from xueji.identity.services.acting import Acting
from xueji.kernel import clock
from xueji.kernel.crypto import Keyring
from xueji.kernel.database import after_commit
from xueji.trace.leaf import OfPower, OfStaff, OfTrainee
from xueji.trace.rules import PLATFORM, SYSTEM, Event
from xueji.trace.services import commit, record, record_many

log = structlog.get_logger(__name__)


def record_of_person(session: Session, keyring: Keyring, leaf: OfTrainee | OfStaff, person_id: UUID) -> None:
    """In the caller's transaction, under the person's pseudonym on the platform's chain; staff are named."""
    if isinstance(leaf, OfStaff):
        record_many(session, [Acting.by_id(session, keyring, person_id).in_office(session, leaf)])
        return
    record(session, leaf, chain=PLATFORM, who=keyring.pseudonym(person_id, PLATFORM))


def record_power(
    session: Session,
    keyring: Keyring,
    leaf: OfPower,
    *,
    actor: UUID | None,
    subject: UUID | None,
    news: bool = True,
) -> None:
    """What somebody did by her power over accounts, organisations and cohorts: a leaf of the platform's chain.

    ``actor`` None is the installation itself, ``subject`` the person whose account it was done to, if any. Both stand
    in the leaf as commitments to their ids. Whoever was acted on by another is told until she has read it, unless it is
    no ``news`` to her.
    """
    named = {
        name: commit(session, str(person), chain=PLATFORM, field=name, person=str(person))
        for name, person in (("actor", actor), ("subject", subject))
        if person is not None
    }
    event, who = leaf.EVENT, keyring.pseudonym(actor, PLATFORM) if actor is not None else SYSTEM
    recorded = record(session, replace(leaf, **named), chain=PLATFORM, who=who)
    if subject is not None and event is not Event.SIGNIN_OPEN:
        unread = news and event in (TOLD if actor != subject else TOLD_OF_ONESELF)
        act = AccountAct(
            person_id=subject, actor_id=actor, event=event, place=recorded.n, happened_at=clock.now(), told=unread
        )
        session.add(act)
    ids = {name: str(person) for name, person in (("actor", actor), ("subject", subject)) if person is not None}
    after_commit(session, lambda: log.info("power", act=event.value, **ids))
