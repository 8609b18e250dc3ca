"""Asking for a check: drawn when the sitting opens, due by study time, told, told again, and missed in the end."""

from __future__ import annotations

import json
from secrets import SystemRandom, token_urlsafe
from typing import Any
from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from xueji.identity import queries as identity
from xueji.identity.models import Person
from xueji.identity.rules import ProofRoute
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.progress.access import access_sitting
from xueji.progress.events import CheckFallsDue, ContactDuringCheck, SittingOpens
from xueji.progress.models import Sitting
from xueji.progress.record import state_of
from xueji.progress.rules import check_due
from xueji.progress.services import refuse_ended, set_open_check
from xueji.progress.terms import read_terms
from xueji.rulebook.intervals import length
from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.vocabulary import CheckKind, Method, Outcome, ReviewOutcome
from xueji.snapshots import rules
from xueji.snapshots.errors import CheckInNeeded, CheckStillOpen, NoFaceChecks, RouteNotReady
from xueji.snapshots.models import Check, CheckIn
from xueji.snapshots.rules import CheckState, Contact, Told
from xueji.snapshots.services import leaves
from xueji.trace import services as trace
from xueji.trace.rules import Entry

RANDOM = SystemRandom()
MOST_IN_A_SWEEP = 200


def sitting_opens(opens: SittingOpens) -> None:
    """Say how the person will be known in this sitting, and draw its checks. Raises CheckInNeeded, RouteNotReady.

    Another sitting ends a check that still waits for its answer: closing the page is no way around one.
    """
    session, person_id = opens.session, opens.facts.person_id
    waiting = select(Check).where(Check.person_id == person_id, Check.state == CheckState.DUE)
    for check in session.scalars(waiting.with_for_update()):
        sitting = session.get_one(Sitting, check.sitting_id)
        entries = _contact(session, check, sitting, Contact.NEW_SITTING, opens.now_ms)
        trace.record_many(session, entries)
    person = session.get_one(Person, person_id)
    if person.proof_route is ProofRoute.SUPERVISED:
        here = _open_check_in(session, opens)
        opens.method, opens.valid_until_ms = Method.SUPERVISED, here.until_ms
        return
    if identity.standing_consent(session, person_id) is None or not identity.reference_photos(session, person_id):
        raise RouteNotReady
    opens.check_first = _failed_last(session, opens)
    asked_before = exists().where(
        Check.sitting_id == Sitting.id,
        Sitting.enrolment_id == opens.facts.enrolment_id,
        Sitting.lesson_id == opens.lesson.lesson_id,
        Check.kind == CheckKind.SCHEDULED,
    )
    opens.schedule = rules.draw_schedule(
        RANDOM,
        (0 if opens.only_make_up else opens.lesson.duration_ms - opens.furthest_ms) + length(opens.make_up),
        opens.facts.cohort.plan,
        opens.carried_ms,
        at_least_one=not session.scalar(select(asked_before)),
    )


def _open_check_in(session: Session, opens: SittingOpens) -> CheckIn:
    here = session.scalar(
        select(CheckIn).where(
            CheckIn.enrolment_id == opens.facts.enrolment_id,
            CheckIn.closed_ms.is_(None),
            CheckIn.until_ms > opens.now_ms,
        )
    )
    if here is None:
        raise CheckInNeeded
    return here


def _failed_last(session: Session, opens: SittingOpens) -> bool:
    """Whether the enrolment's last word on her identity was no good check.

    After a failed one all time is held until a good one; after one whose pictures we lost it waits for the next.
    """
    last = session.scalar(
        select(Check)
        .where(
            Check.enrolment_id == opens.facts.enrolment_id,
            Check.outcome.is_not(None),
            # An offer that was not taken says nothing, so it hides no failure before it.
            or_(Check.outcome != Outcome.MISSED, Check.kind.in_(filter(rules.missed_counts, CheckKind))),
        )
        .order_by(Check.decided_ms.desc())
        .limit(1)
    )
    if last is None or last.outcome == Outcome.MATCH:
        return False
    accepted = any(appeal.decision == ReviewOutcome.ACCEPT for appeal in last.appeals)
    return not accepted


def check_falls_due(due: CheckFallsDue) -> None:
    """A new check, told with the answer to the beat that made it due."""
    plan = due.state.terms.plan
    check = _new_check(
        due.session,
        sitting_id=due.sitting_id,
        enrolment_id=due.enrolment_id,
        person_id=due.person_id,
        kind=due.kind,
        plan=plan,
        now_ms=due.now_ms,
    )
    due.told = _told(check, due.now_ms)
    due.entries.append(leaves.due(check, due.who, due.now_ms))


def ask_now(session: Session, *, actor: Actor, sitting_id: UUID) -> Check:
    """A check the trainee wants, to have her time confirmed before she leaves.

    Raises NotFound, SittingEnded, LeaseLost, NoFaceChecks, CheckStillOpen. It does not change when the
    scheduled ones fall due.
    """
    sitting = access_sitting(session, actor, sitting_id, lock=True)
    refuse_ended(sitting)
    if sitting.method != Method.FACE:
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
    set_open_check(session, sitting.id, _told(check, now_ms), seen_ms=now_ms)
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
        prompts=list(rules.draw_prompts(RANDOM, plan)),
    )
    session.add(check)
    session.flush()
    return check


def new_nonce() -> str:
    return token_urlsafe(24)


def _told(check: Check, now_ms: int, telling: rules.Telling | None = None) -> dict[str, Any]:
    """What a sitting keeps of its open check: what its page is told, and how the telling went."""
    telling = telling or rules.Telling(now_ms, check.answer_by_ms)
    return {
        "check_id": str(check.id),
        "nonce": check.nonce,
        "prompts": check.prompts,
        "answer_by_ms": check.answer_by_ms,
        "kind": check.kind,
        "attempt": check.attempt,
        "told_ms": telling.told_ms,
        "again": telling.again,
        "heard": telling.heard,
    }


def ask_again(check: Check, plan: ProctoringPlan, now_ms: int) -> dict[str, Any]:
    """Open the check for another attempt, with a new nonce and new movements; what its page is told."""
    check.state = rules.move(CheckState(check.state), CheckState.DUE)
    check.attempt += 1
    check.nonce = new_nonce()
    check.prompts = list(rules.draw_prompts(RANDOM, plan))
    check.answer_by_ms = now_ms + plan.answer_ms
    return _told(check, now_ms)


def contact_during_check(heard: ContactDuringCheck) -> None:
    """A beat came while a check waits: it may start the window again, or show that the check was missed."""
    if heard.told is None:
        return
    contact = Contact.SAME_BEAT if heard.same_beat else Contact.SAME_SITTING
    step, telling = rules.tell(_telling(heard.told), heard.state.terms.plan, heard.now_ms, contact)
    if step is Told.WAITING and telling.heard == heard.told["heard"]:
        return
    check = heard.session.get_one(Check, UUID(heard.told["check_id"]), with_for_update=True)
    heard.told, entries = _apply(check, step, telling, heard.who)
    heard.entries += entries


def sweep_missed(session: Session) -> int:
    """Decide the checks whose window is over and whose telling is known to have arrived; how many were decided.

    Reads only what is overdue; each is decided at the end of its window, however late that is noticed.
    """
    now_ms = clock.to_ms(clock.now())
    overdue = session.scalars(
        select(Check)
        .where(Check.state == CheckState.DUE, Check.answer_by_ms < now_ms)
        .order_by(Check.answer_by_ms)
        .limit(MOST_IN_A_SWEEP)
    ).all()
    missed = 0
    for found in overdue:
        # The sitting first, as on the beat path, so that the two never wait for each other.
        sitting = session.get_one(Sitting, found.sitting_id, with_for_update=True, populate_existing=True)
        check = session.get_one(Check, found.id, with_for_update=True, populate_existing=True)
        if check.state == CheckState.DUE:
            trace.record_many(session, _contact(session, check, sitting, Contact.NOTHING, now_ms))
            missed += check.state == CheckState.DECIDED
    return missed


def _contact(session: Session, check: Check, sitting: Sitting, contact: Contact, now_ms: int) -> list[Entry]:
    """Work a contact into the check and into what its sitting keeps of it."""
    kept = json.loads(sitting.open_check) if sitting.open_check else _told(check, check.due_ms)
    step, telling = rules.tell(_telling(kept), read_terms(sitting.terms).plan, now_ms, contact)
    told, entries = _apply(check, step, telling, sitting.who)
    set_open_check(session, sitting.id, told, seen_ms=None)
    return entries


def _apply(check: Check, step: Told, telling: rules.Telling, who: str) -> tuple[dict[str, Any] | None, list[Entry]]:
    entries: list[Entry] = []
    check.retold = telling.again
    if telling.answer_by_ms is not None and telling.answer_by_ms != check.answer_by_ms:
        # The account reads the end of the window from what the trace last said of it.
        check.answer_by_ms = telling.answer_by_ms
        entries.append(leaves.retold(check, who))
    if step is Told.MISSED:
        # Who did answer, and was asked again only because we lost it, has missed nothing.
        lost = bool(check.attempts) and check.attempts[-1].outcome == Outcome.SERVICE_DOWN
        outcome = Outcome.SERVICE_DOWN if lost else Outcome.MISSED
        decide(check, outcome, check.answer_by_ms)
        entries.append(leaves.verdict(check, outcome, final=True))
        return None, entries
    return _told(check, check.due_ms, telling), entries


def decide(check: Check, outcome: Outcome, decided_ms: int) -> None:
    check.state = rules.move(CheckState(check.state), CheckState.DECIDED)
    check.outcome = outcome
    check.decided_ms = decided_ms


def _telling(told: dict[str, Any]) -> rules.Telling:
    return rules.Telling(told["told_ms"], told["answer_by_ms"], told["again"], told["heard"])
