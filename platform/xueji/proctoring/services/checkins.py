"""The route without a camera: staff confirm in person who studies, at the beginning, in rounds, and at the end.

Each confirmation is a good check made by a person; time between two of them is confirmed like time between two
matching pictures, as long as they are no further apart than the plan's rounds. Whoever confirms is in the trace under
her own pseudonym. The trainee types the code shown in the room, once for each check-in.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.cohorts.access import access_own_cohort
from xueji.enrolment.access import access_own_enrolment
from xueji.enrolment.errors import NotForOneself
from xueji.enrolment.models import Enrolment
from xueji.identity.models import Person
from xueji.identity.queries import files_of, is_herself, same_person, standing_file
from xueji.identity.rules import ProofRoute
from xueji.identity.services.acting import record_in_enrolment
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.crypto import Keyring
from xueji.occasions.hosts import end_vouching
from xueji.proctoring.access import access_check_in
from xueji.proctoring.errors import (
    AlreadyCheckedIn,
    CheckInClosed,
    CheckInNeeded,
    NobodyHere,
    NotOnThisRoute,
    PlaceUnknown,
)
from xueji.proctoring.leaves import CheckInEnded, PresenceConfirmed, RoomCodeTyped
from xueji.proctoring.models import CheckIn, CheckInLook
from xueji.proctoring.queries import places_of
from xueji.trace import services as trace
from xueji.trace.leaf import OfStaff

LONGEST = timedelta(hours=5)
"""One half-day: after a break people are looked at again."""
CODE_LASTS_MS = 5 * 60_000
"""So long a code is shown; it is taken for as long again."""
MOST_TRIES = 10
"""Wrong codes for one check-in; then staff check her in anew."""
ABSENT, ELSEWHERE = "absent", "elsewhere"


def check_in(
    session: Session, keyring: Keyring, *, actor: Actor, enrolment_id: UUID, place: str, lasts: timedelta
) -> CheckIn:
    """Confirm a trainee who is here; she may then open sittings until it ends.

    ``place`` is the cohort's or one of its sessions'. A check-in that is open elsewhere ends, recorded: she is here.
    Raises NotFound, NotForOneself, NotOnThisRoute, PlaceUnknown, AlreadyCheckedIn, ValueError.
    """
    if not timedelta() < lasts <= LONGEST:
        raise ValueError("a check-in lasts up to five hours")
    enrolment, cohort = access_own_enrolment(session, actor, enrolment_id)
    if is_herself(session, enrolment.person_id, actor.person_id):
        raise NotForOneself
    # Locked, so that two institutions do not check her in at the same moment: the file that stands, for all of hers.
    person = session.get_one(Person, standing_file(session, enrolment.person_id), with_for_update=True)
    if person.proof_route is not ProofRoute.SUPERVISED:
        raise NotOnThisRoute
    if place not in places_of(session, cohort):
        raise PlaceUnknown
    now_ms = clock.to_ms(clock.now())
    open_ = select(CheckIn).where(
        same_person(CheckIn.person_id, person.id), CheckIn.closed_ms.is_(None), CheckIn.until_ms > now_ms
    )
    for before in session.scalars(open_.order_by(CheckIn.id).with_for_update()):
        if (before.enrolment_id, before.place) == (enrolment_id, place) and before.code_tries < MOST_TRIES:
            raise AlreadyCheckedIn
        _end(session, keyring, actor, before, ELSEWHERE, now_ms)
    here = CheckIn(
        enrolment_id=enrolment_id,
        person_id=enrolment.person_id,
        supervisor_id=actor.person_id,
        place=place,
        opened_ms=now_ms,
        until_ms=now_ms + lasts // timedelta(milliseconds=1),
        confirmed_ms=now_ms,
        code_tries=0,
    )
    session.add(here)
    session.flush()
    _look(session, keyring, actor, here, "open", now_ms)
    return here


def confirm_presence(session: Session, keyring: Keyring, *, actor: Actor, check_in_id: UUID) -> CheckIn:
    """She is still here. Raises NotFound, CheckInClosed."""
    here = _still_open(session, actor, check_in_id)
    here.confirmed_ms = clock.to_ms(clock.now())
    _look(session, keyring, actor, here, "round", here.confirmed_ms)
    return here


def go_round(
    session: Session,
    keyring: Keyring,
    *,
    actor: Actor,
    cohort_id: UUID,
    seen: Collection[UUID],
    absent: Collection[UUID] = (),
) -> list[CheckIn]:
    """A round through the room: those ``seen`` are here and those ``absent`` are not, all by their check-in.

    Nobody is confirmed whom the list before the eyes of staff did not name; whoever of them has left meanwhile is
    passed over. Whoever is absent was last seen when she was last confirmed; what she studied since is held. Raises
    NotFound, NobodyHere, CheckInClosed for an absence of somebody who is not checked in here.
    """
    access_own_cohort(session, actor, cohort_id)
    now_ms = clock.to_ms(clock.now())
    open_ = session.scalars(
        select(CheckIn)
        .join(Enrolment, Enrolment.id == CheckIn.enrolment_id)
        .where(Enrolment.cohort_id == cohort_id, CheckIn.closed_ms.is_(None), CheckIn.until_ms > now_ms)
        .where(CheckIn.id.in_({*seen, *absent}), CheckIn.person_id.not_in(files_of(session, actor.person_id)))
        .order_by(CheckIn.id)
        .with_for_update(of=CheckIn)
    ).all()
    if set(absent) - {here.id for here in open_}:
        raise CheckInClosed
    if not open_:
        raise NobodyHere
    for here in open_:
        if here.id in absent:
            _end(session, keyring, actor, here, ABSENT, now_ms)
        else:
            here.confirmed_ms = now_ms
            _look(session, keyring, actor, here, "round", now_ms)
    return [here for here in open_ if here.id not in absent]


def check_out(session: Session, keyring: Keyring, *, actor: Actor, check_in_id: UUID) -> CheckIn:
    """She leaves, seen by staff; her sittings here earn no further. Raises NotFound, CheckInClosed."""
    here = _still_open(session, actor, check_in_id)
    here.closed_ms = here.confirmed_ms = here.until_ms = clock.to_ms(clock.now())
    end_vouching(session, here.enrolment_id, here.closed_ms)
    _look(session, keyring, actor, here, "close", here.closed_ms)
    return here


def room_code(keyring: Keyring, cohort_id: UUID, place: str, now_ms: int) -> str:
    """The six digits shown in a room now; another room, another cohort or five minutes later they are others."""
    return _code(keyring, cohort_id, place, now_ms // CODE_LASTS_MS)


def enter_code(session: Session, keyring: Keyring, *, actor: Actor, code: str) -> bool:
    """Whether it is the code of the room she is checked in to; a wrong one is counted.

    Typed once it is good for the whole check-in, and typing it again changes nothing. Raises CheckInNeeded.
    """
    now_ms = clock.to_ms(clock.now())
    here = session.scalar(
        select(CheckIn)
        .where(same_person(CheckIn.person_id, actor.person_id), CheckIn.closed_ms.is_(None), CheckIn.until_ms > now_ms)
        .with_for_update()
    )
    if here is None or here.code_tries >= MOST_TRIES:
        raise CheckInNeeded
    if here.code_ms is not None:
        return True
    cohort_id = session.get_one(Enrolment, here.enrolment_id).cohort_id
    window = now_ms // CODE_LASTS_MS
    # A telephone may write digits in full width.
    given = "".join(filter(str.isdigit, unicodedata.normalize("NFKC", code))).encode()
    shown = [_code(keyring, cohort_id, here.place, each).encode() for each in (window, window - 1)]
    if not any(hmac.compare_digest(given, each) for each in shown):
        here.code_tries += 1
        return False
    here.code_ms = now_ms
    session.flush()
    who = keyring.pseudonym(here.person_id, here.enrolment_id)
    trace.record(session, RoomCodeTyped(checkin=str(here.id)), chain=str(here.enrolment_id), who=who)
    return True


def _code(keyring: Keyring, cohort_id: UUID, place: str, window: int) -> str:
    said = f"{cohort_id}|{window}|{place}".encode()
    digest = hmac.digest(keyring.derived("room"), said, "sha256")
    return f"{int.from_bytes(digest[:8], 'big') % 1_000_000:06d}"


def _still_open(session: Session, actor: Actor, check_in_id: UUID) -> CheckIn:
    here = access_check_in(session, actor, check_in_id)
    if is_herself(session, here.person_id, actor.person_id):
        raise NotForOneself
    if here.closed_ms is not None or here.until_ms <= clock.to_ms(clock.now()):
        raise CheckInClosed
    return here


def _end(session: Session, keyring: Keyring, actor: Actor, here: CheckIn, why: str, now_ms: int) -> None:
    """It is over, and nobody saw her leave."""
    here.closed_ms = now_ms
    here.until_ms = here.confirmed_ms if why == ABSENT else now_ms
    here.ended_why = why
    end_vouching(session, here.enrolment_id, now_ms)
    _record(session, keyring, actor, here, CheckInEnded(checkin=str(here.id), why=why, at_ms=now_ms))


def _look(session: Session, keyring: Keyring, actor: Actor, here: CheckIn, kind: str, at_ms: int) -> None:
    """Staff saw her: recorded, and kept for the figures of whoever looked."""
    session.add(CheckInLook(check_in_id=here.id, by_id=actor.person_id, kind=kind, at_ms=at_ms))
    place = trace.commit(session, here.place, chain=str(here.enrolment_id), field="place", person=str(here.person_id))
    confirmed = PresenceConfirmed(
        checkin=str(here.id), kind=kind, at_ms=at_ms, method="supervised", place=place, until_ms=here.until_ms
    )
    _record(session, keyring, actor, here, confirmed)


def _record(session: Session, keyring: Keyring, actor: Actor, here: CheckIn, leaf: OfStaff) -> None:
    session.flush()
    record_in_enrolment(session, keyring, leaf, actor=actor, enrolment_id=here.enrolment_id, person_id=here.person_id)
