"""Opening a sitting and what else is done to one outside the beat path."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from xueji.enrolment.access import access_own_lesson
from xueji.enrolment.events import StudyDaysChange, StudyEnds, WhoStudies
from xueji.enrolment.models import CohortState, EnrolmentState
from xueji.enrolment.queries import EnrolmentFacts, LessonFacts
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.crypto import Keyring
from xueji.kernel.database import after_commit
from xueji.kernel.errors import NotFound
from xueji.kernel.events import Announcement, Events
from xueji.progress.access import access_sitting
from xueji.progress.before import Before, NewSitting, add_check, add_sitting, before_opening, lock_openings, set_lease
from xueji.progress.errors import (
    CheckElsewhere,
    LeaseHeld,
    LeaseLost,
    LessonNotReady,
    NotOnline,
    OutsideDates,
    QuestionNotOpen,
    SittingClash,
    SittingEnded,
)
from xueji.progress.events import (
    CheckFallsDue,
    CheckMoves,
    ContactDuringCheck,
    LedgerShown,
    MakeUpGrows,
    SittingOpens,
    StudyCredited,
)
from xueji.progress.models import Lease as LeaseRow
from xueji.progress.models import Sitting
from xueji.progress.open_check import OpenCheck, read_open_check, write_open_check
from xueji.progress.record import changes_worth, state_of
from xueji.progress.rules import MOST_MAKE_UP, Lease, LeaseAnswer, SittingTerms, may_take, person_seen, reports_owed
from xueji.progress.terms import read_intervals, read_terms, write_intervals, write_terms
from xueji.rulebook.intervals import Interval, subtract
from xueji.rulebook.shanghai import day_of
from xueji.rulebook.vocabulary import CheckKind, Part
from xueji.trace import services as trace
from xueji.trace.queries import chain_length
from xueji.trace.rules import Entry, Event

ENROLMENT_OVER = "enrolment_over"
"""``ended_reason`` of a sitting that no other has taken over from."""


@dataclass(frozen=True)
class Opened:
    """A sitting as its page is told about it."""

    sitting: Sitting | NewSitting
    terms: SittingTerms
    lesson: LessonFacts
    line: dict[str, Any] | None
    """of the statement; None when it has to be reckoned first"""

    @property
    def lease_until_ms(self) -> int:
        return self.sitting.last_contact_ms + self.terms.plan.lease_ms


def open_sitting(
    session: Session,
    *,
    actor: Actor,
    keyring: Keyring,
    events: Events,
    sitting_id: UUID,
    enrolment_id: UUID,
    lesson_id: UUID,
    device: str,
    continue_here: bool = False,
    from_page: bool = True,
) -> Opened:
    """Begin to study, or get the same answer again for the same ``sitting_id``.

    ``from_page``: whether the lesson's page was loaded before, by whoever asks; the opening's leaf says so.
    Raises NotFound, SittingClash, SittingEnded, NotOnline, LessonNotReady, OutsideDates, LeaseHeld, and whatever
    those who listen to `SittingOpens` refuse with.
    """
    facts, lesson = access_own_lesson(session, actor, enrolment_id, lesson_id)
    turn = lock_openings(session, actor.person_id, sitting_id)
    now_ms = clock.to_ms(clock.now())
    if turn.opened:
        existing = session.get_one(Sitting, sitting_id, with_for_update=True)
        return _again(session, events, existing, facts, lesson, now_ms)
    only_make_up = _may_study(facts, lesson, now_ms)
    # Under the pseudonym her chain began with, be it in a file that was joined to the one she signs in with.
    who = keyring.pseudonym(facts.person_id, enrolment_id)
    for person_id in turn.leased:
        _refuse_to_leave_a_check(session, person_id, enrolment_id, now_ms)
        _take_lease(session, events, person_id, sitting_id, now_ms, continue_here=continue_here)
    before = before_opening(session, files=turn.files, enrolment_id=enrolment_id, lesson_id=lesson_id)

    opens = SittingOpens(
        session,
        facts,
        lesson,
        sitting_id,
        who,
        now_ms,
        furthest_ms=before.furthest_ms,
        carried_ms=before.carried_ms,
        studied=before.studied,
        only_make_up=only_make_up,
    )
    events.publish(opens)
    if only_make_up and not opens.make_up and not opens.waiting_ms:
        raise OutsideDates(_("培训班的学习日期已过，这一课没有需要补学或确认的时间。"))
    opens.make_up = opens.make_up[:MOST_MAKE_UP]
    terms = _terms(opens)
    sitting = _new_sitting(opens, before, terms, device)
    values = {**_leaf(session, sitting, terms), "from_page": from_page}
    leaf = Entry(Event.SITTING_OPEN, facts.chain, who, values)
    sitting.ledger_leaves = trace.record_many(session, [*opens.entries, leaf])[-1].n + 1
    # Before its row: what has changed of the sitting it is taken from.
    session.flush()
    add_sitting(session, sitting)
    set_lease(session, facts.person_id, sitting_id)
    if opens.check_waits is not None or opens.check_first:
        _first_check(session, events, sitting, opens)
        sitting.ledger_leaves = chain_length(session, facts.chain)
        add_check(session, sitting)
    return Opened(sitting, terms, lesson, _shown(events, sitting))


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


def _first_check(session: Session, events: Events, sitting: NewSitting, opens: SittingOpens) -> None:
    """What she is asked before anything is played: a check that waits for her, or one because the last failed."""
    check = opens.check_waits
    if check is not None:
        moves = CheckMoves(session, check, sitting.id, sitting.who)
        events.publish(moves)
        trace.record_many(session, moves.entries)
    if opens.check_first:
        due = CheckFallsDue(
            session,
            sitting.id,
            sitting.enrolment_id,
            sitting.person_id,
            sitting.who,
            CheckKind.SCHEDULED,
            state_of(sitting),
            sitting.opened_ms,
            instead_of=check,
        )
        events.publish(due)
        check = due.check
        trace.record_many(session, due.entries)
    if check is not None:
        sitting.open_check = write_open_check(check)
    if check is not None and check.kind == CheckKind.SCHEDULED and sitting.ledger is not None:
        owed = StudyCredited(sitting.ledger, (), check.answer_by_ms)
        events.publish(owed)
        sitting.ledger = owed.ledger


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
    values: dict[str, Any] = {"sitting": str(sitting.id), "make_up": json.loads(text)}
    if more and sitting.valid_until_ms is None:
        terms = read_terms(sitting.terms)
        grows = MakeUpGrows(state_of(sitting), terms.schedule)
        events.publish(grows)
        sitting.terms = write_terms(replace(terms, schedule=grows.schedule))
        values["schedule"] = _committed_schedule(session, sitting, grows.schedule)
    sitting.reports += 1  # It fills the log as beats do, so it is counted with them.
    trace.record(session, event=Event.SITTING_MAKE_UP, chain=str(sitting.enrolment_id), who=sitting.who, values=values)
    return 1


def _is_over(sitting: Sitting, terms: SittingTerms, now_ms: int) -> bool:
    """Whether it can earn no more, so that study needs another: its days are over, or nobody vouches any more."""
    vouched_until_ms = sitting.valid_until_ms
    return now_ms >= terms.closes_ms or (vouched_until_ms is not None and now_ms >= vouched_until_ms)


def current_sitting(session: Session, *, person_id: UUID, enrolment_id: UUID) -> Sitting | None:
    """The sitting of this enrolment that she is in, locked; None when she is in none, or in another enrolment's."""
    lease = session.get(LeaseRow, person_id)
    if lease is None:
        return None
    sitting = session.get_one(Sitting, lease.sitting_id, with_for_update=True)
    return sitting if sitting.enrolment_id == enrolment_id and sitting.ended_ms is None else None


def _line(session: Session, events: Events, sitting: Sitting) -> dict[str, Any] | None:
    """None when anything but this sitting's own beats has been recorded since: then it is reckoned anew."""
    stands = sitting.ledger is not None and chain_length(session, str(sitting.enrolment_id)) == sitting.ledger_leaves
    return _shown(events, sitting) if stands else None


def _shown(events: Events, sitting: Sitting | NewSitting) -> dict[str, Any] | None:
    if sitting.ledger is None:
        return None
    shown = LedgerShown(sitting.ledger)
    events.publish(shown)
    return shown.line


def _again(
    session: Session, events: Events, sitting: Sitting, facts: EnrolmentFacts, lesson: LessonFacts, now_ms: int
) -> Opened:
    same = (sitting.person_id, sitting.enrolment_id, sitting.lesson_id)
    if same != (facts.person_id, facts.enrolment_id, lesson.lesson_id):
        raise SittingClash
    terms = read_terms(sitting.terms)
    if sitting.ended_ms is not None or _is_over(sitting, terms, now_ms):
        raise SittingEnded
    sitting.last_contact_ms = max(sitting.last_contact_ms, now_ms)
    check = read_open_check(sitting.open_check)
    if check is not None:
        heard = ContactDuringCheck(
            session, sitting.id, check, frozenset(), state_of(sitting), sitting.who, sitting.enrolment_id, now_ms
        )
        events.publish(heard)
        sitting.open_check = write_open_check(heard.check)
        sitting.since_check_ms = heard.state.since_check_ms
        trace.record_many(session, heard.entries)
        if changes_worth(heard.entries):
            sitting.ledger = None
    return Opened(sitting, terms, lesson, _line(session, events, sitting))


def _may_study(facts: EnrolmentFacts, lesson: LessonFacts, now_ms: int) -> bool:
    """Whether it is for making up only: in the days after the cohort in which held time may still be made up.

    Raises OutsideDates, NotOnline, LessonNotReady.
    """
    cohort = facts.cohort
    if facts.state is not EnrolmentState.ACTIVE or cohort.state is CohortState.DRAFT:
        raise OutsideDates
    if not cohort.opens_ms <= now_ms < cohort.settles_ms:
        days = {"starts_on": str(cohort.starts_on), "ends_on": str(cohort.ends_on)}
        said = _("本班的学习日期是%(starts_on)s至%(ends_on)s，请在此期间学习；如有疑问，请联系培训机构。", **days)
        raise OutsideDates(said, **days)
    if lesson.part is not Part.THEORY:
        raise NotOnline
    if not lesson.film_ready:
        raise LessonNotReady
    return cohort.state is CohortState.CLOSED or now_ms >= cohort.closes_ms


def _refuse_to_leave_a_check(session: Session, person_id: UUID, enrolment_id: UUID, now_ms: int) -> None:
    """A check that waits in another of her enrolments belongs to that chain, and is answered there first.

    Else whoever goes on elsewhere would miss it without seeing it. Raises CheckElsewhere, for as long as its window.
    """
    row = session.get_one(LeaseRow, person_id)
    old = session.get_one(Sitting, row.sitting_id, with_for_update=True)
    check = read_open_check(old.open_check)
    if old.enrolment_id == enrolment_id or old.ended_ms is not None or check is None:
        return
    if check.kind == CheckKind.SCHEDULED and now_ms < check.answer_by_ms:
        seconds = (check.answer_by_ms - now_ms + 999) // 1000
        detail = _(
            "请先回到那门培训完成核验，再来这里学习；如果那个页面已经打不开，请在 %(seconds)s 秒后再试。",
            seconds=seconds,
        )
        raise CheckElsewhere(detail, enrolment_id=str(old.enrolment_id), free_in_seconds=seconds)


def _take_lease(
    session: Session, events: Events, person_id: UUID, sitting_id: UUID, now_ms: int, *, continue_here: bool
) -> None:
    row = session.get_one(LeaseRow, person_id, with_for_update=True)
    old = session.get_one(Sitting, row.sitting_id, with_for_update=True)
    terms = read_terms(old.terms)
    if old.ended_ms is not None or _is_over(old, terms, now_ms):
        return
    held = Lease(str(old.id), old.last_contact_ms, terms.plan.lease_ms)
    answer = may_take(held, str(sitting_id), now_ms, continue_here=continue_here)
    if answer is LeaseAnswer.HELD:
        seconds = (held.seen_ms + held.lease_ms - now_ms + 999) // 1000
        raise LeaseHeld(device=old.device, free_in_seconds=seconds)
    old.ended_ms, old.ended_reason = now_ms, answer.value
    chain = str(old.enrolment_id)
    if answer is LeaseAnswer.TAKEN:
        values = {"sitting": str(sitting_id), "from_sitting": str(old.id)}
        trace.record(session, event=Event.LEASE_TAKE, chain=chain, who=old.who, values=values)
        said = Announcement(f"sitting:{old.id}", "lease.lost", {"sitting_id": str(old.id)})
        after_commit(session, lambda: events.publish(said))
    else:
        trace.record(session, event=Event.LEASE_EXPIRE, chain=chain, who=old.who, values={"sitting": str(old.id)})


def _terms(opens: SittingOpens) -> SittingTerms:
    cohort = opens.facts.cohort
    return SittingTerms(
        duration_ms=opens.lesson.duration_ms,
        plan=cohort.plan,
        schedule=opens.schedule,
        opens_ms=cohort.opens_ms,
        closes_ms=cohort.settles_ms if opens.only_make_up else cohort.closes_ms,
        part=opens.lesson.part,
        only_make_up=opens.only_make_up,
        film=str(opens.lesson.film_id or ""),
    )


def _new_sitting(opens: SittingOpens, before: Before, terms: SittingTerms, device: str) -> NewSitting:
    facts, now_ms = opens.facts, opens.now_ms
    ended = opens.only_make_up or opens.furthest_ms >= terms.duration_ms
    resume_ms = opens.make_up[0][0] if opens.make_up and ended else before.resume_ms
    day = day_of(now_ms)
    return NewSitting(
        id=opens.sitting_id,
        enrolment_id=facts.enrolment_id,
        person_id=facts.person_id,
        lesson_id=opens.lesson.lesson_id,
        who=opens.who,
        method=opens.method.value,
        rulebook=facts.cohort.rulebook,
        device=device[:200],
        terms=write_terms(terms),
        opened_ms=now_ms,
        last_contact_ms=now_ms,
        valid_until_ms=opens.valid_until_ms,
        # A person's time is spent once: a sitting never starts before the one before it stopped earning.
        used_until_ms=max(now_ms, before.used_until_ms),
        furthest_ms=opens.furthest_ms,
        resume_ms=min(resume_ms, opens.furthest_ms),
        make_up=write_intervals(opens.make_up),
        since_check_ms=opens.carried_ms,
        last_interaction_ms=now_ms,
        day=day,
        day_used_ms=before.day_used_ms if before.day == day else 0,
        reports=reports_owed(before.opened_ms, before.reports, now_ms),
        ledger=opens.ledger,
    )


def _leaf(session: Session, sitting: NewSitting, terms: SittingTerms) -> dict[str, Any]:
    chain = str(sitting.enrolment_id)
    return {
        "sitting": str(sitting.id),
        "lesson": str(sitting.lesson_id),
        "method": str(sitting.method),
        "resume_ms": sitting.resume_ms,
        "furthest_ms": sitting.furthest_ms,
        "make_up": json.loads(sitting.make_up),
        "rulebook": sitting.rulebook,
        "device": trace.commit(session, sitting.device, chain=chain, field="device", person=str(sitting.person_id)),
        "schedule": _committed_schedule(session, sitting, terms.schedule),
        "lease": str(sitting.id),
    }


def _committed_schedule(session: Session, sitting: Sitting | NewSitting, schedule: Sequence[int]) -> str:
    """When checks are still to come is for nobody who is checked."""
    text = json.dumps(list(schedule), separators=(",", ":"))
    chain, person = str(sitting.enrolment_id), str(sitting.person_id)
    return trace.commit(session, text, chain=chain, field="schedule", person=person)
