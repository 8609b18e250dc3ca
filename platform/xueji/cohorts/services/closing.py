"""Closing a cohort: at once, or with a last day."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.cohorts.access import access_own_cohort
from xueji.cohorts.errors import (
    CohortNotOpen,
    LastDayRefused,
    StudyUnderWay,
)
from xueji.cohorts.events import CohortCloses, LastDayChanges, StudyingAsked
from xueji.cohorts.models import Cohort, CohortState
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.events import Events
from xueji.rulebook.shanghai import DAY_MS, date_begins_ms


def close_cohort(
    session: Session, events: Events, *, actor: Actor, cohort_id: UUID, last_day: date | None = None
) -> Cohort:
    """End enrolment and new study with a last day, today or later; at once, without one, while nobody studies.

    Until it is over the day may be chosen anew, also the planned one again. What was earned stays, and the plan's days
    to make up run as they would have run. Raises NotFound, CohortNotOpen, LastDayRefused, StudyUnderWay.
    """
    cohort = access_own_cohort(session, actor, cohort_id, lock=True)
    if cohort.state is not CohortState.OPEN:
        raise CohortNotOpen
    today = clock.shanghai_day(clock.now())
    if last_day is None:
        asked = StudyingAsked(session, cohort_id)
        events.publish(asked)
        if asked.studying:
            raise StudyUnderWay(studying=asked.studying)
        cohort.closes_on, cohort.state = min(today, cohort.ends_on), CohortState.CLOSED
        events.publish(CohortCloses(session, cohort_id))
        return cohort
    if not max(today, cohort.starts_on) <= last_day <= cohort.ends_on:
        raise LastDayRefused(earliest=max(today, cohort.starts_on).isoformat(), latest=cohort.ends_on.isoformat())
    cohort.closes_on = None if last_day == cohort.ends_on else last_day
    session.flush()
    events.publish(LastDayChanges(session, cohort_id, date_begins_ms(last_day) + DAY_MS))
    return cohort


def close_due_cohorts(session: Session, events: Events) -> int:
    """Close the cohorts whose chosen last day is over; how many."""
    today = clock.shanghai_day(clock.now())
    due = select(Cohort).where(Cohort.state == CohortState.OPEN, Cohort.closes_on < today).order_by(Cohort.id)
    found = session.scalars(due.with_for_update()).all()
    for cohort in found:
        cohort.state = CohortState.CLOSED
        events.publish(CohortCloses(session, cohort.id))
    return len(found)
