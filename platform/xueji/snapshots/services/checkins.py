"""The route without a camera: staff confirm in person who studies, at the beginning, in rounds, and at the end.

Each confirmation is a good check made by a person; time between two of them is confirmed like time between two
matching pictures. Whoever confirms is in the trace under her own pseudonym.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from xueji.enrolment.access import access_own_enrolment
from xueji.enrolment.errors import NotForOneself
from xueji.identity.models import Person
from xueji.identity.rules import ProofRoute
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.crypto import Keyring
from xueji.progress.models import Sitting
from xueji.snapshots.access import access_check_in
from xueji.snapshots.errors import AlreadyCheckedIn, CheckInClosed, NotOnThisRoute
from xueji.snapshots.models import CheckIn
from xueji.trace import services as trace
from xueji.trace.rules import Event

LONGEST = timedelta(hours=5)
"""One half-day: after a break people are looked at again."""


def check_in(
    session: Session, keyring: Keyring, *, actor: Actor, enrolment_id: UUID, place: str, lasts: timedelta
) -> CheckIn:
    """Confirm a trainee who is here; she may then open sittings until it ends.

    Raises NotFound, NotForOneself, NotOnThisRoute, AlreadyCheckedIn, ValueError.
    """
    if not timedelta() < lasts <= LONGEST:
        raise ValueError("a check-in lasts up to five hours")
    enrolment, _cohort = access_own_enrolment(session, actor, enrolment_id)
    if enrolment.person_id == actor.person_id:
        raise NotForOneself
    person = session.get_one(Person, enrolment.person_id)
    if person.proof_route is not ProofRoute.SUPERVISED:
        raise NotOnThisRoute
    now = clock.now()
    now_ms = clock.to_ms(now)
    open_ = select(CheckIn.id).where(
        CheckIn.person_id == person.id, CheckIn.closed_ms.is_(None), CheckIn.until_ms > now_ms
    )
    if session.scalar(open_) is not None:
        raise AlreadyCheckedIn
    here = CheckIn(
        enrolment_id=enrolment_id,
        person_id=person.id,
        supervisor_id=actor.person_id,
        place=place,
        opened_ms=now_ms,
        until_ms=clock.to_ms(now + lasts),
        confirmed_ms=now_ms,
    )
    session.add(here)
    session.flush()
    _record(session, keyring, actor, here, "open", now_ms)
    return here


def confirm_presence(session: Session, keyring: Keyring, *, actor: Actor, check_in_id: UUID) -> CheckIn:
    """A round through the room: she is still here. Raises NotFound, CheckInClosed."""
    here = _still_open(session, actor, check_in_id)
    here.confirmed_ms = clock.to_ms(clock.now())
    _record(session, keyring, actor, here, "round", here.confirmed_ms)
    return here


def confirm_everybody(
    session: Session, keyring: Keyring, *, actor: Actor, check_in_ids: Iterable[UUID]
) -> list[CheckIn]:
    """A round through the room that found all of these there. Raises NotFound, CheckInClosed for any: then none."""
    return [
        confirm_presence(session, keyring, actor=actor, check_in_id=check_in_id) for check_in_id in sorted(check_in_ids)
    ]


def check_out(session: Session, keyring: Keyring, *, actor: Actor, check_in_id: UUID) -> CheckIn:
    """She leaves, seen by staff; her sittings here earn no further. Raises NotFound, CheckInClosed."""
    here = _still_open(session, actor, check_in_id)
    here.closed_ms = here.confirmed_ms = here.until_ms = clock.to_ms(clock.now())
    session.execute(
        update(Sitting)
        .where(Sitting.enrolment_id == here.enrolment_id, Sitting.valid_until_ms > here.closed_ms)
        .values(valid_until_ms=here.closed_ms)
    )
    _record(session, keyring, actor, here, "close", here.closed_ms)
    return here


def _still_open(session: Session, actor: Actor, check_in_id: UUID) -> CheckIn:
    here = access_check_in(session, actor, check_in_id)
    if here.person_id == actor.person_id:
        raise NotForOneself
    if here.closed_ms is not None or here.until_ms <= clock.to_ms(clock.now()):
        raise CheckInClosed
    return here


def _record(session: Session, keyring: Keyring, actor: Actor, here: CheckIn, kind: str, at_ms: int) -> None:
    chain = str(here.enrolment_id)
    values = {
        "checkin": str(here.id),
        "kind": kind,
        "at_ms": at_ms,
        "method": "supervised",
        "place": trace.commit(session, here.place, chain=chain, field="place"),
        "until_ms": here.until_ms,
    }
    who = keyring.pseudonym(actor.person_id, here.enrolment_id)
    trace.record(session, event=Event.CHECKIN_CONFIRM, chain=chain, who=who, values=values)
