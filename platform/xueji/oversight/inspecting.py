"""An inspector's access: one cohort, for a time, to read and nothing else; it ends by itself, each look is recorded.

A regulator sees a whole jurisdiction. Whoever is sent to look at one training, from another office or as an expert, is
given that one: its roster, and of each trainee the account and how her checks ended, with masked names and no faces.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from xueji.cohorts.models import Cohort
from xueji.enrolment.models import Enrolment
from xueji.identity import queries as identity
from xueji.identity.models import Membership, Organisation, Person
from xueji.identity.services.acting import record_in_enrolment, record_in_office
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import NotFound
from xueji.oversight.access import access_inspection, access_inspection_to_end, seen_cohorts
from xueji.oversight.errors import AlreadyInspecting, InspectionTooLong, NotAnInspector
from xueji.oversight.leaves import InspectionEnded, InspectionOpened, InspectorLooked
from xueji.oversight.models import Inspection
from xueji.rulebook.shanghai import DAY_MS, date_begins_ms
from xueji.trace.rules import COHORT
from xueji.trace.services import commit

LONGEST = timedelta(days=30)
"""From the day it is given; whoever needs longer is given it again."""
PER_PAGE = 20


def give_inspection(
    session: Session, keyring: Keyring, *, actor: Actor, account: str, cohort_id: UUID, last_day: date, reason: str
) -> Inspection:
    """Let an inspector read one cohort until the end of a day (Asia/Shanghai); a regulator above it may.

    ``reason`` in words, as `forms` has checked it. Raises NotFound (a cohort she does not see, an unknown account),
    NotAnInspector, InspectionTooLong, AlreadyInspecting.
    """
    if not actor.is_(Role.REGULATOR):
        raise NotFound
    # Locked, so that of two who give it at once the second finds the first's.
    seen = select(Cohort).where(Cohort.id == cohort_id, seen_cohorts(actor)).with_for_update()
    cohort = session.scalar(seen)
    if cohort is None:
        raise NotFound
    person_id = identity.person_of_account(session, account)
    _inspector(session, person_id, actor)
    today = clock.shanghai_day(clock.now())
    if not today <= last_day <= today + LONGEST:
        raise InspectionTooLong(latest=(today + LONGEST).isoformat())
    alive = select(Inspection.id).where(
        Inspection.person_id == person_id, Inspection.cohort_id == cohort_id, *_alive(clock.now())
    )
    if session.scalar(alive) is not None:
        raise AlreadyInspecting
    made = Inspection(
        id=uuid4(),
        cohort_id=cohort_id,
        person_id=person_id,
        given_by=actor.person_id,
        given_at=clock.now(),
        until=clock.from_ms(date_begins_ms(last_day) + DAY_MS),
        reason=reason,
    )
    session.add(made)
    chain = f"{COHORT}{cohort_id}"
    opened = InspectionOpened(
        inspection=str(made.id),
        until=clock.rfc3339(made.until),
        subject=commit(session, str(person_id), chain=chain, field="subject", person=str(person_id)),
        reason=commit(session, reason, chain=chain, field="reason", person=str(actor.person_id)),
    )
    record_in_office(session, keyring, opened, actor=actor, chain=chain)
    return made


def _inspector(session: Session, person_id: UUID, actor: Actor) -> None:
    """Raises NotAnInspector: for somebody without the office, and for oneself."""
    holds = select(Membership.id).where(Membership.person_id == person_id, Membership.role == Role.INSPECTOR)
    if session.scalar(holds.limit(1)) is None or identity.is_herself(session, person_id, actor.person_id):
        raise NotAnInspector


def end_inspection(session: Session, keyring: Keyring, *, actor: Actor, inspection_id: UUID) -> None:
    """Before its time; a regulator above the cohort may. What has ended stays ended. Raises NotFound."""
    found = access_inspection_to_end(session, actor, inspection_id)
    if found.ended_at is not None or clock.now() >= found.until:
        return
    found.ended_at, found.ended_by = clock.now(), actor.person_id
    chain = f"{COHORT}{found.cohort_id}"
    record_in_office(session, keyring, InspectionEnded(inspection=str(found.id)), actor=actor, chain=chain)


def look_at_cohort(
    session: Session, keyring: Keyring, *, actor: Actor, inspection_id: UUID
) -> tuple[Inspection, Cohort]:
    """The inspector opens the roster of her cohort; recorded on its chain. Raises NotFound."""
    found, cohort = access_inspection(session, actor, inspection_id)
    chain = f"{COHORT}{cohort.id}"
    record_in_office(session, keyring, InspectorLooked(inspection=str(found.id)), actor=actor, chain=chain)
    return found, cohort


def look_at_trainee(
    session: Session, keyring: Keyring, *, actor: Actor, inspection_id: UUID, enrolment_id: UUID
) -> tuple[Inspection, Enrolment]:
    """The inspector opens one trainee's account; recorded on her chain. Raises NotFound."""
    found, cohort = access_inspection(session, actor, inspection_id)
    enrolment = session.get(Enrolment, enrolment_id)
    if enrolment is None or enrolment.cohort_id != cohort.id:
        raise NotFound
    looked = InspectorLooked(inspection=str(found.id))
    record_in_enrolment(session, keyring, looked, actor=actor, enrolment_id=enrolment_id, person_id=enrolment.person_id)
    return found, enrolment


@dataclass(frozen=True, slots=True)
class InspectionLine:
    """Who may read which cohort until when; times are instants."""

    inspection_id: UUID
    cohort_id: UUID
    cohort: str
    institution: str
    inspector: str
    """Masked."""
    given_at: datetime
    until: datetime
    ended_at: datetime | None
    reason: str

    @property
    def alive(self) -> bool:
        return self.ended_at is None and clock.now() < self.until


def inspections(session: Session, actor: Actor, page: int) -> tuple[list[InspectionLine], int]:
    """A page of those that are the inspector's own and alive, or in a regulator's jurisdiction; the latest first."""
    mine, over = actor.is_(Role.INSPECTOR), actor.is_(Role.REGULATOR)
    if not mine and not over:
        return [], 0
    which: list[ColumnElement[bool]] = []
    if mine:
        alive_until, not_ended = _alive(clock.now())
        which.append(identity.same_person(Inspection.person_id, actor.person_id) & alive_until & not_ended)
    if over:
        which.append(seen_cohorts(actor))
    chosen = (
        select(
            Inspection.id,
            Cohort.id,
            Cohort.title,
            Organisation.name,
            Person.name_masked,
            Inspection.given_at,
            Inspection.until,
            Inspection.ended_at,
            Inspection.reason,
        )
        .join(Cohort, Cohort.id == Inspection.cohort_id)
        .join(Organisation, Organisation.id == Cohort.organisation_id)
        .join(Person, Person.id == Inspection.person_id)
        .where(or_(*which))
    )
    total = session.scalar(select(func.count()).select_from(chosen.subquery())) or 0
    latest = chosen.order_by(Inspection.given_at.desc(), Inspection.id)
    rows = session.execute(latest.limit(PER_PAGE).offset((page - 1) * PER_PAGE))
    return [InspectionLine(*row) for row in rows], total


def _alive(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Inspection.until > now, Inspection.ended_at.is_(None)
