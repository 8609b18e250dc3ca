"""What is done to a sitting outside the beat path; how one begins: `beginning`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from xueji.enrolment.events import StudyDaysChange, StudyEnds, WhoStudies
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.errors import NotFound
from xueji.kernel.events import Events
from xueji.progress.access import access_sitting
from xueji.progress.beat_recording import state_of
from xueji.progress.errors import (
    LeaseLost,
    QuestionNotOpen,
    SittingEnded,
)
from xueji.progress.events import (
    MakeUpGrows,
)
from xueji.progress.leaves import MakeUpChanged
from xueji.progress.models import Lease as LeaseRow
from xueji.progress.models import Sitting
from xueji.progress.open_check import OpenCheck, write_open_check
from xueji.progress.rules import MOST_MAKE_UP, person_seen
from xueji.progress.terms import read_intervals, read_terms, write_intervals, write_terms
from xueji.rulebook.intervals import Interval, subtract
from xueji.trace import services as trace

ENROLMENT_OVER = "enrolment_over"
"""``ended_reason`` of a sitting that no other has taken over from."""


def who_studies(asked: WhoStudies) -> None:
    """Those whose sitting was heard of within its lease."""
    running = select(Sitting).where(Sitting.enrolment_id.in_(asked.enrolment_ids), Sitting.ended_ms.is_(None))
    now_ms = clock.to_ms(clock.now())
    for sitting in asked.session.scalars(running):
        terms = read_terms(sitting.terms)
        if now_ms - sitting.last_contact_ms < terms.plan.lease_ms and not terms.only_make_up:
            asked.studying.add(sitting.enrolment_id)


def change_study_days(change: StudyDaysChange) -> None:
    """What is under way earns until the new last day; a sitting for making up keeps its own term."""
    running = select(Sitting).where(Sitting.enrolment_id.in_(change.enrolment_ids), Sitting.ended_ms.is_(None))
    for sitting in change.session.scalars(running.order_by(Sitting.id).with_for_update()):
        terms = read_terms(sitting.terms)
        if not terms.only_make_up:
            sitting.terms = write_terms(replace(terms, closes_ms=change.closes_ms))


def end_study(ends: StudyEnds) -> None:
    """What is under way in these enrolments ends now, whatever its page does."""
    running = (Sitting.enrolment_id.in_(ends.enrolment_ids), Sitting.ended_ms.is_(None))
    # In the order of the beat path, so that the two never wait for each other.
    ends.session.execute(select(Sitting.id).where(*running).order_by(Sitting.id).with_for_update()).all()
    now_ms = clock.to_ms(clock.now())
    ends.session.execute(update(Sitting).where(*running).values(ended_ms=now_ms, ended_reason=ENROLMENT_OVER))


def refuse_ended(sitting: Sitting) -> None:
    """Raises SittingEnded when the sitting ended with its enrolment, LeaseLost when study went on elsewhere."""
    if sitting.ended_ms is not None:
        raise SittingEnded if sitting.ended_reason == ENROLMENT_OVER else LeaseLost


def answer_presence(session: Session, *, actor: Actor, sitting_id: UUID, question_id: UUID) -> Sitting:
    """She says that she is there. A question already over costs the time since; the next beats earn again.

    The answer just given may be given again, and changes nothing. Raises NotFound, SittingEnded, LeaseLost,
    QuestionNotOpen.
    """
    sitting = access_sitting(session, actor, sitting_id, lock=True)
    refuse_ended(sitting)
    if sitting.question_id != question_id:
        raise QuestionNotOpen
    if sitting.question_by_ms is not None:
        state = person_seen(state_of(sitting), clock.to_ms(clock.now()))
        sitting.question_by_ms = None
        sitting.last_interaction_ms = state.last_interaction_ms
        sitting.used_until_ms = state.used_until_ms
    return sitting


def set_open_check(session: Session, sitting_id: UUID, check: OpenCheck | None, *, seen_ms: int | None) -> None:
    """Change what a sitting keeps of its open check; an answered check is also a sign of the person."""
    sitting = session.get(Sitting, sitting_id, with_for_update=True)
    if sitting is None:
        raise NotFound
    sitting.open_check = write_open_check(check)
    if seen_ms is not None:
        state = person_seen(state_of(sitting), seen_ms)
        sitting.question_id = sitting.question_by_ms = None
        sitting.last_interaction_ms = state.last_interaction_ms
        sitting.last_contact_ms = max(sitting.last_contact_ms, seen_ms)
        sitting.used_until_ms = state.used_until_ms


def renew_make_up(session: Session, events: Events, sitting: Sitting, make_up: Sequence[Interval]) -> int:
    """What is to be made up has changed while the sitting lasts: from now on it earns here; how many leaves say so.

    The sitting must be locked. Checks are drawn for what is more, so that none of them can be foreseen.
    """
    wanted = make_up[:MOST_MAKE_UP]
    text = write_intervals(list(wanted))
    if sitting.ended_ms is not None or text == sitting.make_up:
        return 0
    more = subtract(wanted, read_intervals(sitting.make_up))
    sitting.make_up = text
    committed = None
    if more and sitting.valid_until_ms is None:
        terms = read_terms(sitting.terms)
        grows = MakeUpGrows(state_of(sitting), terms.schedule)
        events.publish(grows)
        sitting.terms = write_terms(replace(terms, schedule=grows.schedule))
        # When checks are still to come is for nobody who is checked.
        schedule = json.dumps(list(grows.schedule), separators=(",", ":"))
        committed = trace.commit(
            session, schedule, chain=str(sitting.enrolment_id), field="schedule", person=str(sitting.person_id)
        )
    sitting.reports += 1  # It fills the log as beats do, so it is counted with them.
    changed = MakeUpChanged(sitting=str(sitting.id), make_up=json.loads(text), schedule=committed)
    trace.record(session, changed, chain=str(sitting.enrolment_id), who=sitting.who)
    return 1


def current_sitting(session: Session, *, person_id: UUID, enrolment_id: UUID) -> Sitting | None:
    """The sitting of this enrolment that she is in, locked; None when she is in none, or in another enrolment's."""
    lease = session.get(LeaseRow, person_id)
    if lease is None:
        return None
    sitting = session.get_one(Sitting, lease.sitting_id, with_for_update=True)
    return sitting if sitting.enrolment_id == enrolment_id and sitting.ended_ms is None else None
