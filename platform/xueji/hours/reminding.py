"""Reminding trainees who are behind or owe a check: one act for many, each told once a day at most, each act recorded.

What she is told is worked out when she reads it: how far she is then, not how far she was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from xueji.cohorts.access import access_own_cohort
from xueji.cohorts.models import Cohort, CohortState
from xueji.enrolment.models import Enrolment
from xueji.hours.errors import NobodyToRemind
from xueji.hours.leaves import TraineeReminded
from xueji.hours.models import Reminder
from xueji.hours.roster import Figures, figures_of
from xueji.identity.models import Organisation
from xueji.identity.queries import is_herself, same_person
from xueji.identity.services.acting import Acting
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import NotFound
from xueji.trace.services import record_many

MOST_AT_ONCE = 200
"""People told in one act; the rest take another."""
MOST_SHOWN = 20
"""Reminders that one person is shown."""


@dataclass(frozen=True, slots=True)
class Reminded:
    """How many of those somebody chose were told, and why others were not."""

    told: int
    today: int
    """Told on this day already."""
    needless: int
    """Let out, complete, or with nothing left that could still be done."""
    left: int
    """More than one act tells."""


def may_be_reminded(line: Figures, cohort: Cohort, now: datetime) -> bool:
    """Whether she owes something that she can still do: study while the cohort lasts, make up until it settles."""
    if not line.owes or not line.readable or now >= cohort.settles_at:
        return False
    lasts = cohort.state is CohortState.OPEN and clock.shanghai_day(now) <= cohort.last_day
    return lasts or line.held_ms > 0 or line.waiting_ms > 0


def remind(
    session: Session, keyring: Keyring, *, actor: Actor, cohort_id: UUID, enrolment_ids: Collection[UUID]
) -> Reminded:
    """Tell those of a cohort who owe something. Nobody is told twice on one day (Asia/Shanghai), by whomever.

    Raises NotFound for a cohort that is not the institution's own or somebody not in it, NobodyToRemind.
    """
    cohort = access_own_cohort(session, actor, cohort_id, lock=True)
    found = {line.enrolment_id: line for line in figures_of(session, cohort_id)}
    if set(enrolment_ids) - found.keys():
        raise NotFound
    now = clock.now()
    today = clock.shanghai_day(now)
    wanted = [each for each in found if each in set(enrolment_ids) and may_be_reminded(found[each], cohort, now)]
    if not wanted:
        raise NobodyToRemind
    told = set(
        session.scalars(
            select(Reminder.enrolment_id)
            .join(Enrolment, Enrolment.id == Reminder.enrolment_id)
            .where(Enrolment.cohort_id == cohort_id, Reminder.day == today)
        )
    )
    due = [each for each in wanted if each not in told]
    _tell(session, keyring, actor, due[:MOST_AT_ONCE], today)
    return Reminded(
        told=len(due[:MOST_AT_ONCE]),
        today=len(wanted) - len(due),
        needless=len(set(enrolment_ids)) - len(wanted),
        left=len(due[MOST_AT_ONCE:]),
    )


def _tell(session: Session, keyring: Keyring, actor: Actor, enrolment_ids: list[UUID], today: date) -> None:
    acting = Acting.of(session, keyring, actor)
    rows = session.execute(select(Enrolment.id, Enrolment.person_id).where(Enrolment.id.in_(enrolment_ids)))
    people = {row.id: row.person_id for row in rows}
    entries = []
    for enrolment_id in enrolment_ids:
        made = Reminder(
            id=uuid4(), enrolment_id=enrolment_id, by=actor.person_id, day=today, at=clock.now(), read_at=None
        )
        session.add(made)
        entries.append(
            acting.in_enrolment(
                session,
                TraineeReminded(reminder=str(made.id)),
                enrolment_id=enrolment_id,
                person_id=people[enrolment_id],
            )
        )
    record_many(session, entries)


@dataclass(frozen=True, slots=True)
class ReminderLine:
    """The latest reminder of one training that she has not read."""

    reminder_id: UUID
    enrolment_id: UUID
    institution: str
    at: datetime


def unread_reminders(session: Session, person_id: UUID) -> dict[UUID, ReminderLine]:
    """By enrolment, in whichever of her files, the latest of each; what is older is read with it."""
    rows = session.execute(
        select(Reminder.id, Reminder.enrolment_id, Organisation.name, Reminder.at)
        .join(Enrolment, Enrolment.id == Reminder.enrolment_id)
        .join(Cohort, Cohort.id == Enrolment.cohort_id)
        .join(Organisation, Organisation.id == Cohort.organisation_id)
        .where(same_person(Enrolment.person_id, person_id), Reminder.read_at.is_(None))
        .order_by(Reminder.at.desc(), Reminder.id)
        .limit(MOST_SHOWN)
    )
    found: dict[UUID, ReminderLine] = {}
    for row in rows:
        found.setdefault(row[1], ReminderLine(*row))
    return found


def read_reminder(session: Session, *, actor: Actor, reminder_id: UUID) -> None:
    """She has read it, and with it those before of the same training. Raises NotFound for what is not hers."""
    found = session.get(Reminder, reminder_id)
    if found is None or not is_herself(
        session, session.get_one(Enrolment, found.enrolment_id).person_id, actor.person_id
    ):
        raise NotFound
    earlier = select(Reminder).where(
        Reminder.enrolment_id == found.enrolment_id, Reminder.at <= found.at, Reminder.read_at.is_(None)
    )
    for each in session.scalars(earlier):
        each.read_at = clock.now()


def last_reminded(session: Session, enrolment_ids: Iterable[UUID]) -> dict[UUID, datetime]:
    """When each was reminded last; those who never were are left out."""
    rows = session.execute(
        select(Reminder.enrolment_id, func.max(Reminder.at))
        .where(Reminder.enrolment_id.in_(list(enrolment_ids)))
        .group_by(Reminder.enrolment_id)
    )
    return {row[0]: row[1] for row in rows}
