"""Asking for a check: drawn when the sitting opens, due by study time, told, told again, and missed in the end."""

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
from xueji.kernel.actor import Actor
from xueji.proctoring import rules
from xueji.proctoring.conditions import offer_not_taken
from xueji.proctoring.errors import CheckInNeeded, CheckStillOpen, NoFaceChecks, RoomCodeNeeded, RouteNotReady
from xueji.proctoring.models import Check, CheckIn
from xueji.proctoring.rules import CheckState, Contact, OpenCheck, Told
from xueji.proctoring.services import leaves
from xueji.progress.access import access_sitting
from xueji.progress.beat_recording import state_of
from xueji.progress.events import CheckFallsDue, CheckMoves, ContactDuringCheck, MakeUpGrows, OpeningsCome, SittingOpens
from xueji.progress.models import Sitting
from xueji.progress.open_check import read_open_check
from xueji.progress.rules import check_due, check_overdue, owe_check
from xueji.progress.services import current_sitting, refuse_ended, set_open_check
from xueji.progress.terms import read_terms
from xueji.rulebook.intervals import length
from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.reviewing import Decision
from xueji.rulebook.vocabulary import CheckKind, Method, Outcome
from xueji.trace import services as trace
from xueji.trace.leaf import Entry

RANDOM = SystemRandom()
MOST_IN_A_SWEEP = 200
STUDY_ENDED = "study_ended"
"""She was let out or her cohort closed while the check waited."""


def waiting_check_goes_on(opens: SittingOpens) -> None:
    """Before anybody says what her time is worth: a check that is over by now is decided, one that is not goes on.

    A check that still waits for its answer goes on here, with the rest of its window: neither a closed page nor another
    device is a way around one, nor a reason to have missed one.
    """
    if opens.check_left:
        opens.check_waits = _waiting(opens.session, opens)


def openings_come(come: OpeningsCome) -> None:
    identity.proofs_ahead(come.session, come.people)


def sitting_opens(opens: SittingOpens) -> None:
    """Say how the person will be known in this sitting, and draw its checks.

    Raises CheckInNeeded, RoomCodeNeeded, RouteNotReady."""
    session = opens.session
    proof = identity.proof_of(session, opens.facts.person_id)
    if proof.route is ProofRoute.SUPERVISED:
        here = _open_check_in(session, opens, proof.reset_at)
        opens.check_waits = None
        opens.method, opens.valid_until_ms = Method.SUPERVISED, here.until_ms
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
        (0 if opens.only_make_up else opens.lesson.duration_ms - opens.furthest_ms) + length(opens.make_up),
        opens.facts.cohort.plan,
        opens.carried_ms,
        at_least_one=not (opens.studied and _asked_before(session, opens)),
    )


def _asked_before(session: Session, opens: SittingOpens) -> bool:
    """Whether this lesson has had a scheduled check in an earlier sitting."""
    asked = exists().where(
        Check.sitting_id == Sitting.id,
        Sitting.enrolment_id == opens.facts.enrolment_id,
        Sitting.lesson_id == opens.lesson.lesson_id,
        Check.kind == CheckKind.SCHEDULED,
    )
    return bool(session.scalar(select(asked)))


def _waiting(session: Session, opens: SittingOpens) -> OpenCheck | None:
    """The enrolment's check that waits for its answer, taken out of the sitting it was asked in; None when over."""
    left = session.scalars(
        select(Sitting)
        .where(Sitting.enrolment_id == opens.facts.enrolment_id, Sitting.open_check.is_not(None))
        .order_by(Sitting.opened_ms)
        .with_for_update()
    ).all()
    goes_on = None
    for sitting in left:
        kept = read_open_check(sitting.open_check)
        sitting.open_check = None
        check = session.get(Check, UUID(kept.check_id), with_for_update=True) if kept is not None else None
        if kept is None or check is None or check.state != CheckState.DUE:
            continue
        step, kept = rules.tell(kept, read_terms(sitting.terms).plan, opens.now_ms, Contact.OPENING)
        waits, entries = _apply(check, step, kept, sitting.who)
        trace.record_many(session, entries)
        goes_on = waits or goes_on
    return goes_on


def make_up_grows(grows: MakeUpGrows) -> None:
    """Draw the checks that are still to come anew, for all that can be studied in the sitting from now on.

    A check that is owed comes before them, with the next study: while her page stands still she is asked nothing.
    """
    state = grows.state
    terms = state.terms
    carried_ms = 0 if check_overdue(state) else state.since_check_ms
    new_ms = 0 if terms.only_make_up else terms.duration_ms - state.furthest_ms
    drawn = rules.draw_schedule(RANDOM, new_ms + length(state.make_up), terms.plan, carried_ms, at_least_one=False)
    grows.schedule = (*terms.schedule[: state.next_check], *(state.study_ms + at for at in drawn))


def check_moves(moves: CheckMoves) -> None:
    """The waiting check belongs to the sitting she is in now; recorded, for its answer comes from there."""
    check = moves.session.get_one(Check, UUID(moves.check.check_id))
    moves.entries.append(leaves.moved(check, moves.sitting_id, moves.who))
    check.sitting_id = moves.sitting_id


def _open_check_in(session: Session, opens: SittingOpens, reset: datetime | None) -> CheckIn:
    here = session.scalar(
        select(CheckIn).where(
            CheckIn.enrolment_id == opens.facts.enrolment_id,
            CheckIn.closed_ms.is_(None),
            # Whoever was let in before others reset her account may not be who signs in with it now.
            CheckIn.opened_ms >= (clock.to_ms(reset) if reset is not None else 0),
            CheckIn.until_ms > opens.now_ms,
        )
    )
    if here is None:
        raise CheckInNeeded
    if opens.facts.cohort.plan.room_code and here.code_ms is None:
        raise RoomCodeNeeded
    return here


def _failed_last(session: Session, opens: SittingOpens, reset: datetime | None) -> bool:
    """Whether the enrolment's last word on her identity was no good check, or others have reset her account since.

    After a failed one all time is held until a good one; after one whose pictures we lost it waits for the next.
    """
    if not opens.studied:
        return reset is not None
    last = session.scalar(
        select(Check)
        .where(
            Check.enrolment_id == opens.facts.enrolment_id,
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
    """A new check, told with the answer to the beat that made it due. An offer that stood open is withdrawn."""
    plan = due.state.terms.plan
    if due.instead_of is not None:
        offer = due.session.get_one(Check, UUID(due.instead_of.check_id), with_for_update=True)
        if offer.state == CheckState.DUE:
            due.entries.append(_end_unanswered(offer, min(due.now_ms, offer.answer_by_ms)))
    check = _new_check(
        due.session,
        sitting_id=due.sitting_id,
        enrolment_id=due.enrolment_id,
        person_id=due.person_id,
        kind=due.kind,
        plan=plan,
        now_ms=due.now_ms,
    )
    due.check = replace(_open(check, due.now_ms), told_seq=due.told_seq)
    due.entries.append(leaves.due(check, due.who, due.now_ms))


def study_ends(ends: StudyEnds) -> None:
    """Checks that wait in these enrolments end as nobody's fault: she could not have answered any more."""
    session, now_ms = ends.session, clock.to_ms(clock.now())
    waiting = select(Check).where(Check.enrolment_id.in_(ends.enrolment_ids), Check.state == CheckState.DUE)
    for found in session.scalars(waiting.order_by(Check.sitting_id)).all():
        sitting = session.get_one(Sitting, found.sitting_id, with_for_update=True, populate_existing=True)
        check = session.get_one(Check, found.id, with_for_update=True, populate_existing=True)
        if check.state == CheckState.DUE:
            decide(check, Outcome.SERVICE_DOWN, now_ms)
            sitting.open_check = None
            trace.record_many(session, [leaves.verdict(check, Outcome.SERVICE_DOWN, final=True, why=STUDY_ENDED)])


def ask_now(session: Session, *, actor: Actor, sitting_id: UUID) -> Check:
    """A check the trainee wants, to have her time confirmed before she leaves.

    Raises NotFound, SittingEnded, LeaseLost, NoFaceChecks, CheckStillOpen. It does not change when the
    scheduled ones fall due.
    """
    sitting = access_sitting(session, actor, sitting_id, lock=True)
    refuse_ended(sitting)
    if sitting.method != Method.FACE or sitting.valid_until_ms is not None:
        raise NoFaceChecks
    state = state_of(sitting)
    # A scheduled check whose study time has come goes first: no row of offers keeps it waiting.
    if sitting.open_check is not None or check_due(state) is not None:
        raise CheckStillOpen
    now_ms = clock.to_ms(clock.now())
    check = _new_check(
        session,
        sitting_id=sitting.id,
        enrolment_id=sitting.enrolment_id,
        person_id=sitting.person_id,
        kind=CheckKind.VOLUNTARY,
        plan=state.terms.plan,
        now_ms=now_ms,
    )
    set_open_check(session, sitting.id, _open(check, now_ms), seen_ms=now_ms)
    trace.record_many(session, [leaves.due(check, sitting.who, now_ms)])
    return check


def _new_check(
    session: Session,
    *,
    sitting_id: UUID,
    enrolment_id: UUID,
    person_id: UUID,
    kind: CheckKind,
    plan: ProctoringPlan,
    now_ms: int,
) -> Check:
    prompts = rules.draw_prompts(RANDOM, plan)
    check = Check(
        sitting_id=sitting_id,
        enrolment_id=enrolment_id,
        person_id=person_id,
        kind=kind,
        state=rules.move(CheckState.SCHEDULED, CheckState.DUE),
        due_ms=now_ms,
        answer_by_ms=now_ms + plan.answer_ms,
        attempt=1,
        retold=0,
        nonce=new_nonce(),
        prompts=list(prompts),
        pulses=[list(pulse) for pulse in rules.draw_pulses(RANDOM, prompts)],
    )
    session.add(check)
    session.flush()
    return check


def new_nonce() -> str:
    return token_urlsafe(24)


def _open(check: Check, now_ms: int) -> OpenCheck:
    """What a sitting keeps of a check whose window begins now."""
    return OpenCheck(
        check_id=str(check.id),
        nonce=check.nonce,
        prompts=tuple(check.prompts),
        kind=check.kind,
        attempt=check.attempt,
        told_ms=now_ms,
        answer_by_ms=check.answer_by_ms,
        excused_ms=check.excused_ms,
        again=check.retold,
        camera=check.camera,
        pulses=tuple(tuple(pulse) for pulse in check.pulses),
    )


def ask_again(check: Check, plan: ProctoringPlan, now_ms: int) -> OpenCheck:
    """Open the check for another attempt, with a new nonce and new movements; what its sitting keeps of it."""
    check.state = rules.move(CheckState(check.state), CheckState.DUE)
    check.attempt += 1
    check.nonce = new_nonce()
    failed = any(attempt.outcome != Outcome.SERVICE_DOWN for attempt in check.attempts)
    prompts = rules.draw_prompts(RANDOM, plan, failed=failed)
    check.prompts = list(prompts)
    check.pulses = [list(pulse) for pulse in rules.draw_pulses(RANDOM, prompts)]
    check.answer_by_ms = now_ms + plan.answer_ms
    return _open(check, now_ms)


def contact_during_check(heard: ContactDuringCheck) -> None:
    """Her page was heard of while a check waits: the window may begin again, or the check turn out to be missed."""
    before = heard.check
    if before is None:
        return
    contact = Contact.BEATS if heard.numbers else Contact.OPENING
    step, check = rules.tell(before, heard.state.terms.plan, heard.now_ms, contact, heard.numbers)
    if step is Told.WAITING:
        heard.check = check
        return
    row = heard.session.get_one(Check, UUID(before.check_id), with_for_update=True)
    heard.check, entries = _apply(row, step, check, heard.who)
    heard.entries += entries
    if heard.check is None and rules.holds(CheckKind(row.kind), Outcome(row.outcome or "")):
        heard.state = owe_check(heard.state)


def owe_next(session: Session, check: Check) -> None:
    """After a check that holds her time the next is due as soon as she studies on, wherever in the enrolment she is."""
    if not rules.holds(CheckKind(check.kind), Outcome(check.outcome or "")):
        return
    sitting = current_sitting(session, person_id=check.person_id, enrolment_id=check.enrolment_id)
    if sitting is not None and sitting.method == Method.FACE:
        sitting.since_check_ms = owe_check(state_of(sitting)).since_check_ms


def settle_owed(session: Session, check: Check) -> None:
    """She has shown herself: a check that is owed is no longer."""
    sitting = current_sitting(session, person_id=check.person_id, enrolment_id=check.enrolment_id)
    if sitting is not None and sitting.since_check_ms >= read_terms(sitting.terms).plan.checks_max_gap_ms:
        sitting.since_check_ms = 0


def sweep_missed(session: Session) -> int:
    """Decide the checks whose window is over and whose telling is known to have arrived; how many were decided.

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
        # The sitting first, as on the beat path, so that the two never wait for each other.
        sitting = session.get_one(Sitting, found.sitting_id, with_for_update=True, populate_existing=True)
        check = session.get_one(Check, found.id, with_for_update=True, populate_existing=True)
        # One that has just moved to another sitting is looked at there, the next time.
        if check.state == CheckState.DUE and check.sitting_id == sitting.id:
            missed += _look_at_overdue(session, check, sitting, now_ms)
    return missed


def _look_at_overdue(session: Session, check: Check, sitting: Sitting, now_ms: int) -> bool:
    """Whether nothing can excuse any more that there is no answer: then it is decided."""
    kept = read_open_check(sitting.open_check)
    if kept is None or kept.check_id != str(check.id):
        # No page is told of it any more.
        kept = replace(_open(check, check.due_ms), heard=True)
    step, kept = rules.tell(kept, read_terms(sitting.terms).plan, now_ms, Contact.NOTHING)
    if step is not Told.MISSED:
        return False
    _, entries = _apply(check, step, kept, sitting.who)
    trace.record_many(session, entries)
    open_now = read_open_check(sitting.open_check)
    if open_now is not None and open_now.check_id == str(check.id):
        sitting.open_check = None
    owe_next(session, check)
    return True


def _apply(check: Check, step: Told, kept: OpenCheck, who: str) -> tuple[OpenCheck | None, list[Entry]]:
    """Work into the check what a contact did to it; what its sitting keeps of it afterwards, None when it is over."""
    if step is Told.MISSED:
        return None, [_end_unanswered(check, check.answer_by_ms)]
    if step is Told.WAITING:
        return kept, []
    # The account reads the end of the window from what the trace last said of it.
    check.answer_by_ms, check.excused_ms, check.retold = kept.answer_by_ms, kept.excused_ms, kept.again
    return kept, [leaves.redelivered(check, who)]


def _end_unanswered(check: Check, decided_ms: int) -> Entry:
    outcome = rules.unanswered(attempt.outcome for attempt in check.attempts)
    decide(check, outcome, decided_ms)
    return leaves.verdict(check, outcome, final=True)


def decide(check: Check, outcome: Outcome, decided_ms: int) -> None:
    check.state = rules.move(CheckState(check.state), CheckState.DECIDED)
    check.outcome = outcome
    check.decided_ms = decided_ms
