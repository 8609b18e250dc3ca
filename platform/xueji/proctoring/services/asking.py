"""Asking for a check: drawn when an occasion opens, due in its time, delivered, redelivered, and missed in the end.

For any host: see `xueji.occasions`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from secrets import SystemRandom, token_urlsafe
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from xueji.enrolment.events import StudyEnds
from xueji.identity import queries as identity
from xueji.identity.rules import ProofRoute
from xueji.kernel import clock
from xueji.occasions.errors import CheckStillOpen, NoFaceChecks
from xueji.occasions.events import (
    CheckFallsDue,
    CheckLeft,
    CheckMoves,
    CheckWanted,
    ConditionsWanted,
    ContactDuringCheck,
    OccasionOpens,
    OccasionsCome,
    ScheduleGrows,
)
from xueji.occasions.hosts import host_of, locked_occasion, with_open_checks
from xueji.occasions.models import Occasion
from xueji.occasions.open_check import OpenCheck
from xueji.proctoring import rules
from xueji.proctoring.conditions import offer_not_taken
from xueji.proctoring.errors import CheckInNeeded, RoomCodeNeeded, RouteNotReady
from xueji.proctoring.models import Check, CheckIn
from xueji.proctoring.rules import CheckState, Contact, Delivery
from xueji.proctoring.services import check_entries
from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.reviewing import Decision
from xueji.rulebook.vocabulary import CheckKind, Method, Outcome
from xueji.trace import services as trace
from xueji.trace.leaf import Entry

RANDOM = SystemRandom()
MOST_IN_A_SWEEP = 200
STUDY_ENDED = "study_ended"
"""She was let out or her cohort closed while the check waited."""


def check_left(left: CheckLeft) -> None:
    """Before anybody says what her time is worth: a check that is over by now is decided, one that is not goes on.

    A check that still waits for its answer goes on here, with the rest of its window: neither a closed page nor another
    device is a way around one, nor a reason to have missed one.
    """
    if left.opens.check_left:
        left.opens.check_waits = _waiting(left.opens)


def occasions_come(come: OccasionsCome) -> None:
    """Ask at once how each of these people is to be known."""
    identity.proofs_ahead(come.session, come.people)


def conditions_wanted(wanted: ConditionsWanted) -> None:
    """Say how the person will be known in it, and draw its checks.

    Raises CheckInNeeded, RoomCodeNeeded, RouteNotReady."""
    opens = wanted.opens
    session = opens.session
    proof = identity.proof_of(session, opens.person_id)
    if proof.route is ProofRoute.SUPERVISED:
        opens.check_waits = None
        opens.valid_until_ms = _open_check_in(session, opens, proof.reset_at).until_ms
        opens.method = Method.SUPERVISED
        return
    if not (proof.consented and proof.has_photo):
        raise RouteNotReady
    owed = opens.check_waits is not None and opens.check_waits.kind == CheckKind.SCHEDULED
    opens.check_first = not owed and _failed_last(session, opens, proof.reset_at)
    if opens.check_first:
        # The check at the door is the one that was owed.
        opens.carried_ms = 0
    opens.schedule = rules.draw_schedule(
        RANDOM,
        opens.remaining_ms,
        opens.plan,
        opens.carried_ms,
        at_least_one=not (opens.studied and _asked_before(session, opens)),
    )


def _asked_before(session: Session, opens: OccasionOpens) -> bool:
    """Whether an earlier occasion of the same subject has had a scheduled check."""
    asked = exists().where(
        Check.occasion_kind == opens.occasion_kind,
        Check.occasion_id.in_(opens.of_this_subject),
        Check.kind == CheckKind.SCHEDULED,
    )
    return bool(session.scalar(select(asked)))


def _waiting(opens: OccasionOpens) -> OpenCheck | None:
    """The enrolment's check that waits for its answer, taken out of the occasion it was asked in; None when over."""
    session, goes_on = opens.session, None
    for earlier in with_open_checks(session, opens.occasion_kind, opens.enrolment_id):
        waits, earlier.open_check = earlier.open_check, None
        check = session.get(Check, UUID(waits.check_id), with_for_update=True) if waits is not None else None
        if waits is None or check is None or check.state != CheckState.DUE:
            continue
        step, waits = rules.deliver(waits, earlier.plan, opens.now_ms, Contact.OPENING)
        left, entries = _apply(check, step, waits, earlier.who)
        trace.record_many(session, entries)
        goes_on = left or goes_on
    return goes_on


def schedule_grows(grows: ScheduleGrows) -> None:
    """Draw the checks that are still to come."""
    grows.drawn = rules.draw_schedule(RANDOM, grows.remaining_ms, grows.plan, grows.carried_ms, at_least_one=False)


def check_moves(moves: CheckMoves) -> None:
    """The waiting check belongs to the occasion she is in now; recorded, for its answer comes from there."""
    check = moves.session.get_one(Check, UUID(moves.check.check_id))
    moves.entries.append(check_entries.moved(check, moves.occasion_id, moves.who))
    check.occasion_kind, check.occasion_id = moves.occasion_kind, moves.occasion_id


def _open_check_in(session: Session, opens: OccasionOpens, reset: datetime | None) -> CheckIn:
    here = session.scalar(
        select(CheckIn).where(
            CheckIn.enrolment_id == opens.enrolment_id,
            CheckIn.closed_ms.is_(None),
            # Whoever was let in before others reset her account may not be who signs in with it now.
            CheckIn.opened_ms >= (clock.to_ms(reset) if reset is not None else 0),
            CheckIn.until_ms > opens.now_ms,
        )
    )
    if here is None:
        raise CheckInNeeded
    if opens.plan.room_code and here.code_ms is None:
        raise RoomCodeNeeded
    return here


def _failed_last(session: Session, opens: OccasionOpens, reset: datetime | None) -> bool:
    """Whether the enrolment's last word on her identity was no good check, or others have reset her account since.

    After a failed one all time is held until a good one; after one whose pictures we lost it waits for the next.
    """
    if not opens.studied:
        return reset is not None
    last = session.scalar(
        select(Check)
        .where(
            Check.enrolment_id == opens.enrolment_id,
            Check.outcome.is_not(None),
            # An offer that was left alone says nothing, so it hides no failure before it.
            ~offer_not_taken(),
        )
        .order_by(Check.decided_ms.desc())
        .limit(1)
    )
    if reset is not None and (last is None or (last.decided_ms or 0) < clock.to_ms(reset)):
        return True
    if last is None:
        return False
    return last.decision != Decision.ACCEPTED if last.decision is not None else last.outcome != Outcome.MATCH


def check_falls_due(due: CheckFallsDue) -> None:
    """A new check, delivered with the answer to the report that made it due. An offer that stood open is withdrawn."""
    if due.instead_of is not None:
        offer = due.session.get_one(Check, UUID(due.instead_of.check_id), with_for_update=True)
        if offer.state == CheckState.DUE:
            due.entries.append(_end_unanswered(offer, min(due.now_ms, offer.answer_by_ms)))
    check = Check(
        occasion_kind=due.occasion_kind,
        occasion_id=due.occasion_id,
        enrolment_id=due.enrolment_id,
        person_id=due.person_id,
        kind=due.kind,
    )
    opened = _open_new(due.session, check, due.plan, due.now_ms)
    due.check = replace(opened, delivered_seq=due.delivered_seq)
    due.entries.append(check_entries.due(check, due.who, due.now_ms))


def study_ends(ends: StudyEnds) -> None:
    """Checks that wait in these enrolments end as nobody's fault: she could not have answered any more."""
    session, now_ms = ends.session, clock.to_ms(clock.now())
    waiting = select(Check).where(Check.enrolment_id.in_(ends.enrolment_ids), Check.state == CheckState.DUE)
    for found in session.scalars(waiting.order_by(Check.occasion_id)).all():
        occasion = locked_occasion(session, found.occasion_kind, found.occasion_id)
        check = session.get_one(Check, found.id, with_for_update=True, populate_existing=True)
        if check.state == CheckState.DUE:
            decide(check, Outcome.SERVICE_DOWN, now_ms)
            occasion.open_check = None
            trace.record_many(
                session, [check_entries.verdict(check, Outcome.SERVICE_DOWN, final=True, why=STUDY_ENDED)]
            )


def check_wanted(wanted: CheckWanted) -> None:
    """A check that the person herself wants. It does not change when the scheduled ones fall due.

    Raises NoFaceChecks, CheckStillOpen.
    """
    session, occasion = wanted.session, wanted.occasion
    if occasion.method != Method.FACE or occasion.valid_until_ms is not None:
        raise NoFaceChecks
    # A scheduled check whose time has come goes first: no row of offers keeps it waiting.
    if occasion.open_check is not None or wanted.scheduled_due:
        raise CheckStillOpen
    now_ms = clock.to_ms(clock.now())
    check = Check(
        occasion_kind=occasion.KIND,
        occasion_id=occasion.id,
        enrolment_id=occasion.enrolment_id,
        person_id=occasion.person_id,
        kind=CheckKind.VOLUNTARY,
    )
    wanted.check = _open_new(session, check, occasion.plan, now_ms)
    occasion.keep(wanted.check, seen_ms=now_ms)
    trace.record_many(session, [check_entries.due(check, occasion.who, now_ms)])


def _open_new(session: Session, check: Check, plan: ProctoringPlan, now_ms: int) -> OpenCheck:
    """Write a new check that is due now; what its occasion keeps of it."""
    prompts = rules.draw_prompts(RANDOM, plan)
    check.state = rules.move(CheckState.SCHEDULED, CheckState.DUE)
    check.due_ms, check.answer_by_ms = now_ms, now_ms + plan.answer_ms
    check.attempt, check.redelivered, check.excused_ms = 1, 0, 0
    check.nonce, check.prompts = new_nonce(), list(prompts)
    check.pulses = [list(pulse) for pulse in rules.draw_pulses(RANDOM, prompts)]
    session.add(check)
    session.flush()
    return _open(check, now_ms)


def new_nonce() -> str:
    return token_urlsafe(24)


def _open(check: Check, now_ms: int) -> OpenCheck:
    """What an occasion keeps of a check whose window begins now."""
    return OpenCheck(
        check_id=str(check.id),
        nonce=check.nonce,
        prompts=tuple(check.prompts),
        kind=check.kind,
        attempt=check.attempt,
        delivered_ms=now_ms,
        answer_by_ms=check.answer_by_ms,
        excused_ms=check.excused_ms,
        redelivered=check.redelivered,
        camera=check.camera,
        pulses=tuple(tuple(pulse) for pulse in check.pulses),
    )


def ask_again(check: Check, plan: ProctoringPlan, now_ms: int) -> OpenCheck:
    """Open the check for another attempt, with a new nonce and new movements; what its occasion keeps of it."""
    check.state = rules.move(CheckState(check.state), CheckState.DUE)
    check.attempt += 1
    check.nonce = new_nonce()
    failed = any(attempt.outcome != Outcome.SERVICE_DOWN for attempt in check.attempts)
    prompts = rules.draw_prompts(RANDOM, plan, failed=failed)
    check.prompts = list(prompts)
    check.pulses = [list(pulse) for pulse in rules.draw_pulses(RANDOM, prompts)]
    check.answer_by_ms = now_ms + plan.answer_ms
    return _open(check, now_ms)


def contact_during_check(contact: ContactDuringCheck) -> None:
    """Her page was in contact while a check waits: the window may begin again, or the check turn out to be missed."""
    before = contact.check
    if before is None:
        return
    kind = Contact.BEATS if contact.numbers else Contact.OPENING
    step, check = rules.deliver(before, contact.plan, contact.now_ms, kind, contact.numbers)
    if step is Delivery.WAITING:
        contact.check = check
        return
    row = contact.session.get_one(Check, UUID(before.check_id), with_for_update=True)
    contact.check, entries = _apply(row, step, check, contact.who)
    contact.entries += entries
    contact.owed = contact.check is None and rules.holds_time(row.kind, row.outcome)


def owe_next(session: Session, check: Check) -> None:
    """After a check that holds her time the next is due as soon as she goes on, wherever in the enrolment she is."""
    occasion = _current(session, check) if rules.holds_time(check.kind, check.outcome) else None
    if occasion is not None:
        occasion.owe_check()


def settle_owed(session: Session, check: Check) -> None:
    """She has shown herself: a check that is owed is no longer."""
    occasion = _current(session, check)
    if occasion is not None:
        occasion.settle_check()


def _current(session: Session, check: Check) -> Occasion | None:
    """The occasion of the check's kind and enrolment that its person is in now, locked."""
    return host_of(check.occasion_kind).current(session, check.person_id, check.enrolment_id)


def sweep_missed(session: Session) -> int:
    """Decide the checks whose window is over and whose delivery is known to have arrived; how many were decided.

    Reads only what is overdue; each is decided at the end of its window, however late that is noticed.
    """
    now_ms = clock.to_ms(clock.now())
    overdue = session.scalars(
        select(Check)
        .where(Check.state == CheckState.DUE, Check.answer_by_ms < now_ms - rules.STORING_MS)
        .order_by(Check.answer_by_ms)
        .limit(MOST_IN_A_SWEEP)
    ).all()
    missed = 0
    for found in overdue:
        # The occasion first, as on the beat path, so that the two never wait for each other.
        occasion = locked_occasion(session, found.occasion_kind, found.occasion_id)
        check = session.get_one(Check, found.id, with_for_update=True, populate_existing=True)
        # One that has just moved to another occasion is looked at there, the next time.
        if check.state == CheckState.DUE and check.occasion_id == occasion.id:
            missed += _look_at_overdue(session, check, occasion, now_ms)
    return missed


def _look_at_overdue(session: Session, check: Check, occasion: Occasion, now_ms: int) -> bool:
    """Whether nothing can excuse any more that there is no answer: then it is decided."""
    waits = occasion.open_check
    if waits is None or not occasion.keeps(check.id):
        # It is delivered to no page any more.
        waits = replace(_open(check, check.due_ms), acknowledged=True)
    step, waits = rules.deliver(waits, occasion.plan, now_ms, Contact.NOTHING)
    if step is not Delivery.MISSED:
        return False
    _, entries = _apply(check, step, waits, occasion.who)
    trace.record_many(session, entries)
    if occasion.keeps(check.id):
        occasion.open_check = None
    owe_next(session, check)
    return True


def _apply(check: Check, step: Delivery, waits: OpenCheck, who: str) -> tuple[OpenCheck | None, list[Entry]]:
    """Work into the check what a contact did to it; what its occasion keeps of it afterwards, None when it is over."""
    if step is Delivery.MISSED:
        return None, [_end_unanswered(check, check.answer_by_ms)]
    if step is Delivery.WAITING:
        return waits, []
    # The account reads the end of the window from what the trace last said of it.
    check.answer_by_ms, check.excused_ms, check.redelivered = waits.answer_by_ms, waits.excused_ms, waits.redelivered
    return waits, [check_entries.redelivered(check, who)]


def _end_unanswered(check: Check, decided_ms: int) -> Entry:
    outcome = rules.unanswered(attempt.outcome for attempt in check.attempts)
    decide(check, outcome, decided_ms)
    return check_entries.verdict(check, outcome, final=True)


def decide(check: Check, outcome: Outcome, decided_ms: int) -> None:
    check.state = rules.move(CheckState(check.state), CheckState.DECIDED)
    check.outcome = outcome
    check.decided_ms = decided_ms
