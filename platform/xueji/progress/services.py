"""What is done to a sitting outside the beat path; how one begins: `opening`."""

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
from xueji.kernel.events import Events
from xueji.occasions.events import CheckWanted, ScheduleGrows
from xueji.occasions.open_check import OpenCheck
from xueji.progress.access import access_sitting
from xueji.progress.errors import LeaseLost, QuestionNotOpen, SittingEnded
from xueji.progress.leaves import MakeUpChanged
from xueji.progress.models import Lease as LeaseRow
from xueji.progress.models import Sitting
from xueji.progress.rules import MOST_MAKE_UP, SittingState, check_due, check_overdue, person_seen
from xueji.progress.terms import read_intervals, read_terms, write_intervals, write_terms
from xueji.rulebook.intervals import Interval, length, subtract
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
        state = person_seen(sitting.state, clock.to_ms(clock.now()))
        sitting.question_by_ms = None
        sitting.last_interaction_ms = state.last_interaction_ms
        sitting.used_until_ms = state.used_until_ms
    return sitting


def ask_check(session: Session, events: Events, *, actor: Actor, sitting_id: UUID) -> OpenCheck | None:
    """A check that the trainee wants, to have her time confirmed before she leaves.

    It does not change when the scheduled ones fall due. Raises NotFound, SittingEnded, LeaseLost, NoFaceChecks,
    CheckStillOpen.
    """
    sitting = access_sitting(session, actor, sitting_id, lock=True)
    refuse_ended(sitting)
    wanted = CheckWanted(session=session, occasion=sitting, scheduled_due=check_due(sitting.state) is not None)
    events.publish(wanted)
    return wanted.check


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
        checks = _schedule_anew(events, sitting.state)
        sitting.terms = write_terms(replace(terms, schedule=checks))
        # When checks are still to come is for nobody who is checked.
        schedule = json.dumps(list(checks), separators=(",", ":"))
        committed = trace.commit(
            session, schedule, chain=str(sitting.enrolment_id), field="schedule", person=str(sitting.person_id)
        )
    sitting.reports += 1  # It fills the log as beats do, so it is counted with them.
    changed = MakeUpChanged(sitting=str(sitting.id), make_up=json.loads(text), schedule=committed)
    trace.record(session, changed, chain=str(sitting.enrolment_id), who=sitting.who)
    return 1


def _schedule_anew(events: Events, state: SittingState) -> tuple[int, ...]:
    """The study times of checks, with those still to come drawn for all that can be studied from now on.

    A check that is owed comes before them, with the next study: while her page stands still she is asked nothing.
    """
    terms = state.terms
    new_ms = 0 if terms.only_make_up else terms.duration_ms - state.furthest_ms
    grows = ScheduleGrows(
        plan=terms.plan,
        remaining_ms=new_ms + length(state.make_up),
        carried_ms=0 if check_overdue(state) else state.since_check_ms,
    )
    events.publish(grows)
    return (*terms.schedule[: state.next_check], *(state.study_ms + at_ms for at_ms in grows.drawn))


def current_sitting(session: Session, person_id: UUID, enrolment_id: UUID) -> Sitting | None:
    """The sitting of this enrolment that she is in, locked; None when she is in none, or in another enrolment's."""
    lease = session.get(LeaseRow, person_id)
    if lease is None:
        return None
    sitting = session.get_one(Sitting, lease.sitting_id, with_for_update=True)
    return sitting if sitting.enrolment_id == enrolment_id and sitting.ended_ms is None else None
