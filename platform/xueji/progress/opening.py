"""Sittings begin: those of a class in the same minute, judged one by one, asked about and written down together.

Of whoever is refused nothing is written. Who has a check that waits, who asks for a sitting that stands, and the second
opening of one person are opened by themselves.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, cast
from uuid import UUID

from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session

from xueji.cohorts.models import CohortState
from xueji.cohorts.queries import LessonFacts
from xueji.enrolment.access import OwnLesson, access_own_lessons
from xueji.enrolment.models import EnrolmentState
from xueji.enrolment.queries import EnrolmentFacts
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.crypto import Keyring
from xueji.kernel.database import after_commit
from xueji.kernel.errors import Problem
from xueji.kernel.events import Announcement, Events
from xueji.occasions.events import (
    CheckFallsDue,
    CheckLeft,
    CheckMoves,
    ConditionsWanted,
    ContactDuringCheck,
    OccasionsCome,
)
from xueji.progress.beat_recording import changes_worth
from xueji.progress.errors import (
    CheckElsewhere,
    LeaseHeld,
    LessonNotReady,
    NotOnline,
    OutsideDates,
    SittingClash,
    SittingEnded,
)
from xueji.progress.events import LedgerShown, LineWanted, OpeningsCome, SittingOpens, StudyCredited
from xueji.progress.leaves import LeaseExpired, LeaseTaken, SittingOpened
from xueji.progress.models import SITTING, Sitting
from xueji.progress.opening_facts import (
    AskedOpening,
    Before,
    EarlierSitting,
    LockedPerson,
    NewSitting,
    add_check,
    add_sittings,
    before_openings,
    end_sittings,
    lock_openings,
)
from xueji.progress.rules import MOST_MAKE_UP, LeaseAnswer, LeaseState, SittingTerms, may_take, reports_owed
from xueji.progress.terms import read_terms, write_intervals, write_terms
from xueji.rulebook.shanghai import day_of
from xueji.rulebook.vocabulary import CheckKind, Part
from xueji.trace import services as trace
from xueji.trace.leaf import Entry
from xueji.trace.queries import chain_length
from xueji.trace.sealing import keys_ahead


class OpeningRequest(NamedTuple):
    """Who wants to open which sitting.

    ``from_page``: whether the lesson's page was loaded before, by whoever asks; the opening's leaf says so.
    """

    actor: Actor
    sitting_id: UUID
    enrolment_id: UUID
    lesson_id: UUID
    device: str
    continue_here: bool
    from_page: bool = True


@dataclass(frozen=True)
class OpenedSitting:
    """A sitting as its page is told about it."""

    sitting: Sitting | NewSitting
    terms: SittingTerms
    lesson: LessonFacts
    line: dict[str, Any] | None
    """of the statement; None when it has to be reckoned first"""

    @property
    def lease_until_ms(self) -> int:
        return self.sitting.last_contact_ms + self.terms.plan.lease_ms


class _Coming(NamedTuple):
    """Who may study this lesson, and what lies before her opening."""

    opening: OpeningRequest
    facts: EnrolmentFacts
    lesson: LessonFacts
    turn: LockedPerson
    before: Before


class _TakenOver(NamedTuple):
    """A sitting that another takes over from."""

    old: EarlierSitting
    answer: LeaseAnswer
    sitting_id: UUID
    """of the other"""


@dataclass(slots=True)
class _Begun:
    """An opening that nobody has refused, before anything of it is written."""

    lesson: LessonFacts
    opens: SittingOpens
    terms: SittingTerms
    sitting: NewSitting
    from_page: bool
    over: Sequence[_TakenOver]


def open_sittings(
    session: Session, openings: Sequence[OpeningRequest], *, keyring: Keyring, events: Events
) -> list[OpenedSitting | Problem | None]:
    """Begin to study, or get the same answer again for the same ``sitting_id``; for each what came of it.

    None: to be opened by herself, in a transaction of her own. Of her, and of whoever is refused, nothing is written;
    only where somebody is alone and refused, her transaction must not be committed.
    Refused with NotFound, SittingClash, SittingEnded, NotOnline, LessonNotReady, OutsideDates, CheckElsewhere,
    LeaseHeld, and whatever those refuse with who listen to `SittingOpens` and `ConditionsWanted`.
    """
    return _Group(session, keyring, events, openings).open()


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
) -> OpenedSitting:
    """One by itself. Raises what it is refused with; then the transaction must not be committed."""
    opening = OpeningRequest(actor, sitting_id, enrolment_id, lesson_id, device, continue_here, from_page)
    (outcome,) = open_sittings(session, [opening], keyring=keyring, events=events)
    if isinstance(outcome, Problem):
        raise outcome
    return cast(OpenedSitting, outcome)


class _Group:
    """Of one transaction: what is asked and what is written is so for all of them at once."""

    def __init__(self, session: Session, keyring: Keyring, events: Events, openings: Sequence[OpeningRequest]) -> None:
        self._session, self._keyring, self._events, self._openings = session, keyring, events, openings
        self._alone = len(openings) == 1
        self._outcomes: list[OpenedSitting | Problem | None] = [None] * len(openings)
        self._now_ms = 0

    def open(self) -> list[OpenedSitting | Problem | None]:
        coming = self._look()
        self._ask_ahead(coming.values())
        begun: dict[int, _Begun] = {}
        for place, each in coming.items():
            try:
                begun[place] = self._begin(each)
            except Problem as problem:
                self._outcomes[place] = problem
        self._write(begun)
        return self._outcomes

    def _look(self) -> dict[int, _Coming]:
        """Lock, in the order that holds everywhere, and read what decides; those who go on, by their place."""
        openings = self._openings
        wanted = [OwnLesson(each.actor.person_id, each.enrolment_id, each.lesson_id) for each in openings]
        lessons = access_own_lessons(self._session, wanted)
        turns, standing = lock_openings(
            self._session, {each.person_id for each in wanted}, {each.sitting_id for each in openings}
        )
        self._now_ms = clock.to_ms(clock.now())
        going_on: dict[int, tuple[EnrolmentFacts, LessonFacts, LockedPerson]] = {}
        taken: set[UUID] = set()
        for place, (opening, lesson) in enumerate(zip(openings, lessons, strict=True)):
            turn = turns[opening.actor.person_id]
            if isinstance(lesson, Problem):
                self._outcomes[place] = lesson
            elif opening.sitting_id in standing:
                self._outcomes[place] = self._again(opening, *lesson) if self._alone else None
            elif taken.isdisjoint(turn.files):
                taken.update(turn.files)
                going_on[place] = *lesson, turn
        before = before_openings(
            self._session,
            [
                AskedOpening(openings[place].sitting_id, facts.enrolment_id, lesson.lesson_id, turn.files)
                for place, (facts, lesson, turn) in going_on.items()
            ],
        )
        coming = {
            place: _Coming(openings[place], *each, before[openings[place].sitting_id])
            for place, each in going_on.items()
        }
        # A check that waits is locked before the chain, and decided before anything else; so whoever has one is alone.
        return {place: each for place, each in coming.items() if self._alone or not each.before.check_waits}

    def _ask_ahead(self, coming: Collection[_Coming]) -> None:
        """What each would ask by herself. Nobody adds to a chain once it is held, so what is read of it stays true."""
        some = [each for each in coming if not each.before.check_waits]
        if not some:
            return
        own = {each.facts.chain for each in some}
        trace.hold_chains(self._session, own | {str(old.enrolment_id) for each in some for old in each.turn.leased})
        people = {each.facts.person_id for each in some}
        keys_ahead(self._session, map(str, people))
        beginners, others = (
            tuple(each.facts.enrolment_id for each in some if each.before.studied is studied)
            for studied in (False, True)
        )
        self._events.publish(OccasionsCome(session=self._session, people=tuple(people)))
        self._events.publish(OpeningsCome(self._session, beginners, others))

    def _begin(self, coming: _Coming) -> _Begun:
        """Raises the Problem that refuses it."""
        opening, facts, lesson, turn, before = coming
        only_make_up = _may_study(facts, lesson, self._now_ms)
        over = [each for old in turn.leased if (each := self._take_over(old, opening)) is not None]
        if before.check_waits:
            trace.record_many(self._session, list(map(_ending, over)))
            self._end(over)
            over = []
        opens = SittingOpens(
            session=self._session,
            occasion_kind=SITTING,
            occasion_id=opening.sitting_id,
            enrolment_id=facts.enrolment_id,
            person_id=facts.person_id,
            facts=facts,
            lesson=lesson,
            # Under the pseudonym her chain began with, be it in a file that was joined to the one she signs in with.
            who=self._keyring.pseudonym(facts.person_id, facts.enrolment_id),
            plan=facts.cohort.plan,
            now_ms=self._now_ms,
            furthest_ms=before.furthest_ms,
            carried_ms=before.carried_ms,
            studied=before.studied,
            check_left=before.check_waits,
            only_make_up=only_make_up,
        )
        self._events.publish(CheckLeft(opens))
        # What may be made up follows from the check that is over now, and the schedule of checks counts it.
        self._events.publish(opens)
        self._events.publish(ConditionsWanted(opens))
        self._events.publish(LineWanted(opens))
        if only_make_up and not opens.make_up and not opens.waiting_ms:
            raise OutsideDates(_("培训班的学习日期已过，这一课没有需要补学或确认的时间。"))
        opens.make_up = opens.make_up[:MOST_MAKE_UP]
        terms = _terms(opens)
        sitting = _new_sitting(opens, before, terms, opening.device)
        return _Begun(lesson, opens, terms, sitting, opening.from_page, over)

    def _write(self, begun: Mapping[int, _Begun]) -> None:
        session, all_ = self._session, list(begun.values())
        if not all_:
            return
        commitments = iter(trace.commit_many(session, [wish for each in all_ for wish in _wishes(each)]))
        over = [ended for each in all_ for ended in each.over]
        entries = list(map(_ending, over))
        last: list[int] = []
        for each in all_:
            opened = _leaf(each, *islice(commitments, 2))
            entries += [*each.opens.entries, Entry(opened, each.opens.facts.chain, each.opens.who)]
            last.append(len(entries) - 1)
        recorded = trace.record_many(session, entries)
        self._end(over)
        for each, place in zip(all_, last, strict=True):
            each.sitting.ledger_leaves = recorded[place].n + 1
        # Before its row: what has changed of the sitting it is taken from.
        session.flush()
        add_sittings(session, [each.sitting for each in all_])
        for place, each in begun.items():
            sitting, opens = each.sitting, each.opens
            if opens.check_waits is not None or opens.check_first:
                _first_check(session, self._events, sitting, opens)
                sitting.ledger_leaves = chain_length(session, opens.facts.chain)
                add_check(session, sitting)
            self._outcomes[place] = OpenedSitting(sitting, each.terms, each.lesson, _shown(self._events, sitting))

    def _take_over(self, old: EarlierSitting, opening: OpeningRequest) -> _TakenOver | None:
        """None: it is over already. Raises CheckElsewhere, LeaseHeld."""
        now_ms = self._now_ms
        _refuse_to_leave_a_check(old, opening.enrolment_id, now_ms)
        terms = read_terms(old.terms)
        if old.ended_ms is not None or _is_over(old, terms, now_ms):
            return None
        held = LeaseState(str(old.id), old.last_contact_ms, terms.plan.lease_ms)
        answer = may_take(held, str(opening.sitting_id), now_ms, continue_here=opening.continue_here)
        if answer is LeaseAnswer.HELD:
            seconds = (held.seen_ms + held.lease_ms - now_ms + 999) // 1000
            raise LeaseHeld(device=old.device, free_in_seconds=seconds)
        return _TakenOver(old, answer, opening.sitting_id)

    def _end(self, over: Sequence[_TakenOver]) -> None:
        """Write that these have ended, whose leaves are recorded, and tell their pages."""
        end_sittings(self._session, [(each.old.id, self._now_ms, each.answer.value) for each in over])
        for each in over:
            if each.answer is LeaseAnswer.TAKEN:
                said = Announcement(f"sitting:{each.old.id}", "lease.lost", {"sitting_id": str(each.old.id)})
                after_commit(self._session, partial(self._events.publish, said))

    def _again(self, opening: OpeningRequest, facts: EnrolmentFacts, lesson: LessonFacts) -> OpenedSitting | Problem:
        sitting = self._session.get_one(Sitting, opening.sitting_id, with_for_update=True)
        try:
            return _opened_again(self._session, self._events, sitting, facts, lesson, self._now_ms)
        except Problem as problem:
            return problem


def _opened_again(
    session: Session, events: Events, sitting: Sitting, facts: EnrolmentFacts, lesson: LessonFacts, now_ms: int
) -> OpenedSitting:
    same = (sitting.person_id, sitting.enrolment_id, sitting.lesson_id)
    if same != (facts.person_id, facts.enrolment_id, lesson.lesson_id):
        raise SittingClash
    terms = read_terms(sitting.terms)
    if sitting.ended_ms is not None or _is_over(sitting, terms, now_ms):
        raise SittingEnded
    sitting.last_contact_ms = max(sitting.last_contact_ms, now_ms)
    if sitting.open_check is not None:
        contact = ContactDuringCheck(
            session=session,
            check=sitting.open_check,
            numbers=frozenset(),
            plan=terms.plan,
            who=sitting.who,
            now_ms=now_ms,
        )
        events.publish(contact)
        sitting.open_check = contact.check
        if contact.owed:
            sitting.owe_check()
        trace.record_many(session, contact.entries)
        if changes_worth(contact.entries):
            sitting.ledger = None
    return OpenedSitting(sitting, terms, lesson, _line(session, events, sitting))


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


def _refuse_to_leave_a_check(old: EarlierSitting, enrolment_id: UUID, now_ms: int) -> None:
    """A check that waits in another of her enrolments belongs to that chain, and is answered there first.

    Else whoever goes on elsewhere would miss it without seeing it. Raises CheckElsewhere, for as long as its window.
    """
    check = old.open_check
    if old.enrolment_id == enrolment_id or old.ended_ms is not None or check is None:
        return
    if check.kind == CheckKind.SCHEDULED and now_ms < check.answer_by_ms:
        seconds = (check.answer_by_ms - now_ms + 999) // 1000
        detail = _(
            "请先回到那门培训完成核验，再来这里学习；如果那个页面已经打不开，请在 %(seconds)s 秒后再试。",
            seconds=seconds,
        )
        raise CheckElsewhere(detail, enrolment_id=str(old.enrolment_id), free_in_seconds=seconds)


def _is_over(sitting: Sitting | EarlierSitting, terms: SittingTerms, now_ms: int) -> bool:
    """Whether it can earn no more, so that study needs another: its days are over, or nobody vouches any more."""
    vouched_until_ms = sitting.valid_until_ms
    return now_ms >= terms.closes_ms or (vouched_until_ms is not None and now_ms >= vouched_until_ms)


def _ending(over: _TakenOver) -> Entry:
    old, answer, sitting_id = over
    if answer is LeaseAnswer.TAKEN:
        taken = LeaseTaken(sitting=str(sitting_id), from_sitting=str(old.id))
        return Entry(taken, str(old.enrolment_id), old.who)
    return Entry(LeaseExpired(sitting=str(old.id)), str(old.enrolment_id), old.who)


def _first_check(session: Session, events: Events, sitting: NewSitting, opens: SittingOpens) -> None:
    """What she is asked before anything is played: a check that waits for her, or one because the last failed."""
    check = opens.check_waits
    if check is not None:
        moves = CheckMoves(session=session, check=check, occasion_kind=SITTING, occasion_id=sitting.id, who=sitting.who)
        events.publish(moves)
        trace.record_many(session, moves.entries)
    if opens.check_first:
        due = CheckFallsDue(
            session=session,
            occasion_kind=SITTING,
            occasion_id=sitting.id,
            enrolment_id=sitting.enrolment_id,
            person_id=sitting.person_id,
            who=sitting.who,
            kind=CheckKind.SCHEDULED,
            plan=opens.plan,
            now_ms=sitting.opened_ms,
            instead_of=check,
        )
        events.publish(due)
        check = due.check
        trace.record_many(session, due.entries)
    sitting.open_check = check
    if check is not None and check.kind == CheckKind.SCHEDULED and sitting.ledger is not None:
        owed = StudyCredited(sitting.ledger, (), check.answer_by_ms)
        events.publish(owed)
        sitting.ledger = owed.ledger


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
        id=opens.occasion_id,
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


def _wishes(begun: _Begun) -> tuple[trace.Wish, trace.Wish]:
    """The commitments of `_leaf`: device and schedule."""
    sitting, schedule = begun.sitting, json.dumps(list(begun.terms.schedule), separators=(",", ":"))
    chain, person = str(sitting.enrolment_id), str(sitting.person_id)
    # When checks are still to come is for nobody who is checked.
    return trace.Wish(sitting.device, chain, "device", person), trace.Wish(schedule, chain, "schedule", person)


def _leaf(begun: _Begun, device: str, schedule: str) -> SittingOpened:
    sitting = begun.sitting
    return SittingOpened(
        sitting=str(sitting.id),
        lesson=str(sitting.lesson_id),
        method=str(sitting.method),
        resume_ms=sitting.resume_ms,
        furthest_ms=sitting.furthest_ms,
        make_up=json.loads(sitting.make_up),
        rulebook=sitting.rulebook,
        device=device,
        schedule=schedule,
        lease=str(sitting.id),
        from_page=begun.from_page,
    )
