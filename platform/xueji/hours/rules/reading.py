"""From the leaves of an enrolment's chain to `Evidence`: tolerant of events it does not know, strict about the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, replace
from typing import Final

from xueji.hours.rules.attendance import Register
from xueji.hours.rules.checkins import Desk
from xueji.hours.rules.leaf_values import Leaf, Values, at_ms
from xueji.hours.rules.records import (
    EVER,
    CheckStanding,
    Clearance,
    CreditedSegment,
    DecidedCheck,
    EnrolmentTerms,
    Evidence,
    Irregular,
    MalformedLeaf,
    MalformedTrace,
    Mark,
    Refusal,
    SyllabusLesson,
)
from xueji.hours.rules.references import References
from xueji.python38 import dataclass
from xueji.rulebook import reviewing
from xueji.rulebook.intervals import subtract, union
from xueji.rulebook.reviewing import Decision, Office, Word
from xueji.rulebook.vocabulary import (
    OFFERS_NOT_TAKEN,
    Category,
    CheckKind,
    Clearer,
    Method,
    Outcome,
    Part,
    Reason,
    ReviewOutcome,
    Training,
)

TERMS: Final = frozenset(
    {
        "cohort", "rules", "rulebook", "jurisdiction", "category", "industry", "subject", "high_risk", "training",
        "total_ms", "theory_ms", "practical_ms", "online_ms", "in_person_ms", "starts", "ends", "plan", "lessons",
    }
)  # fmt: skip
"""Everything an account takes from the opening leaf. Since the second edition each must be said, if only as null."""


AMENDABLE: Final = frozenset({"ends", "industry", "subject", "high_risk"})
"""Which terms two people may put right after the opening; all others are what the hours were earned under."""


def evidence(leaves: Iterable[Leaf]) -> Evidence:
    """What the leaves of one chain say about hours, whatever order they come in.

    Raises MalformedLeaf naming the leaf and the value, or MalformedTrace when the chain has no opening or two, names
    two chains, or has two leaves of one number. Whether leaves are missing is the log's question, not this one.
    """
    reading = _Reading()
    count = 0
    for leaf in sorted(leaves, key=_number):
        reading.take(leaf)
        count += 1
    return reading.result(count)


def bears_on_hours(event: str) -> bool:
    """Whether a leaf of this event is read at all; every other leaf leaves the hours as they are."""
    return event in _READERS


def _number(leaf: Leaf) -> int:
    n = leaf.get("n")
    if type(n) is not int or n < 0:
        raise MalformedLeaf(leaf, "n", "must be a whole number")
    return n


_BY_PEOPLE: Final[Mapping[Decision, CheckStanding]] = {
    Decision.ACCEPTED: CheckStanding.GOOD,
    Decision.REJECTED: CheckStanding.REJECTED,
    Decision.STRUCK: CheckStanding.FAILED,
}


@dataclass(slots=True)
class _CheckStory:
    """What has been read of one check so far."""

    kind: str
    answer_by_ms: int = 0
    """end of the latest window"""
    answered_ms: int | None = None
    """when the pictures of the attempt now under way arrived"""
    seen_ms: int | None = None
    """when pictures last arrived, in any attempt"""
    outcome: str | None = None
    references: tuple[str, ...] = ()
    decided_n: int = 0
    decided_ms: int = 0
    review: str | None = None
    """what the last leaf of a person decided, where one person's word was enough"""
    case: reviewing.Case = field(default_factory=reviewing.Case)
    """what people have said, where the edition of the rules asks who may decide"""
    pictured: bool = False
    """whether any attempt has pictures to look at"""
    owes_from_ms: int | None = None
    """end of the first window of the attempt now under way; None once it is answered"""
    owed: list[tuple[int, int]] = field(default_factory=list)
    """server time in which an answer was owed: from the end of an attempt's first window to its answer"""

    def decided(self, check: str, *, hers: bool) -> DecidedCheck | None:
        """The boundary the check is, or None when it bounds nothing: undecided, engine down, an offer not taken.

        ``hers``: whether what it was compared with is known to show her.
        """
        if self.decision is not None:
            standing = _BY_PEOPLE[self.decision]
        elif self.outcome == Outcome.MATCH:
            standing = CheckStanding.GOOD if hers else CheckStanding.AWAITED
        elif self.outcome in (None, Outcome.SERVICE_DOWN) or (self.kind, self.outcome) in OFFERS_NOT_TAKEN:
            return None
        else:
            standing = CheckStanding.FAILED
        if self.answered_ms is not None:
            moment = self.answered_ms
        elif self.outcome in (None, Outcome.MISSED):
            moment = self.answer_by_ms
        elif self.seen_ms is not None:
            # The last attempt was left alone; what the one before showed stands.
            moment = self.seen_ms
        else:
            moment = min(self.decided_ms, self.answer_by_ms)
        return DecidedCheck(self.decided_n, check, self.kind, moment, self.outcome or "", standing)

    @property
    def decision(self) -> Decision | None:
        """What people decided about it."""
        if self.case.decision is not None or self.review is None:
            return self.case.decision
        return Decision.ACCEPTED if self.review == ReviewOutcome.ACCEPT else Decision.REJECTED

    def due(self, answer_by_ms: int) -> None:
        """Another attempt: the check is open again until its verdict."""
        self.answer_by_ms = answer_by_ms
        self.answered_ms = self.outcome = None
        self.owes_from_ms = answer_by_ms if self.kind == CheckKind.SCHEDULED else None

    def settle(self, at_ms: int) -> None:
        """What was owed is owed no longer, from this instant on."""
        if self.owes_from_ms is not None and at_ms > self.owes_from_ms:
            self.owed.append((self.owes_from_ms, at_ms))
        self.owes_from_ms = None

    def all_owed(self) -> list[tuple[int, int]]:
        """Every interval in which an answer was owed; none when a person has accepted the check."""
        if self.decision is Decision.ACCEPTED:
            return []
        return self.owed if self.owes_from_ms is None else [*self.owed, (self.owes_from_ms, EVER)]


@dataclass(slots=True)
class _Reading:
    """The fold over the leaves of a chain, in the order of their numbers."""

    enrolment: EnrolmentTerms | None = None
    chain: object = None
    last_n: int = -1
    last_at_ms: int = 0
    sittings: dict[str, str] = field(default_factory=dict)
    segments: list[CreditedSegment] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    checks: dict[str, _CheckStory] = field(default_factory=dict)
    elsewhere: dict[str, _CheckStory] = field(default_factory=dict)
    """checks of occasions that are no sittings of this chain: read to the end, and without effect on any time"""
    desk: Desk = field(default_factory=Desk)
    register: Register = field(default_factory=Register)
    withdrawn: bool = False
    furthest: dict[str, int] = field(default_factory=dict)
    references: References = field(default_factory=References)
    marks: Counter[str] = field(default_factory=Counter)
    irregular: list[Irregular] = field(default_factory=list)
    clearances: dict[str, Clearance] = field(default_factory=dict)
    shown: list[int] = field(default_factory=list)
    handed_out: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """by sitting: media, a union"""
    unplayed: list[CreditedSegment] = field(default_factory=list)

    def take(self, leaf: Leaf) -> None:
        n = leaf["n"]
        if n == self.last_n:
            raise MalformedTrace(f"two leaves have the number {n}")
        if self.last_n == -1:
            self.chain = leaf.get("chain")
        elif leaf.get("chain") != self.chain:
            raise MalformedLeaf(leaf, "chain", "is another one")
        moment = at_ms(leaf)
        if moment < self.last_at_ms:
            self.irregular.append(Irregular("clock_back", (f"n:{n}",), self.last_at_ms - moment))
        self.last_n, self.last_at_ms = n, max(moment, self.last_at_ms)
        event = leaf.get("event")
        reader = _READERS.get(event) if isinstance(event, str) else None
        if reader is not None:
            reader(self, n, moment, Values(leaf, leaf.get("values")))

    def result(self, count: int) -> Evidence:
        if self.enrolment is None:
            raise MalformedTrace("no enrolment.open")
        decided = {
            check: story.decided(check, hers=self.references.vouch_for(story.references, self.enrolment))
            for check, story in self.checks.items()
        }
        return Evidence(
            enrolment=self.enrolment,
            leaves=count,
            sittings=self.sittings,
            segments=tuple(self.segments),
            refusals=tuple(self.refusals),
            checks=(*(check for check in decided.values() if check is not None), *self.desk.confirmations()),
            presences=tuple(self.desk.presences(self.enrolment)),
            attendance=tuple(self.register.entered.values()),
            undecided=tuple(
                check for check, story in self.checks.items() if story.outcome is None and story.decision is None
            ),
            furthest_ms=self.furthest,
            marks=self.marks,
            irregular=(*self.irregular, *self.register.irregular),
            clearances=tuple(self.clearances.values()),
            shown_ms=tuple(sorted([*self.shown, *(look.at_ms for look in self.desk.confirmations())])),
            owed=tuple(union(interval for story in self.checks.values() for interval in story.all_owed())),
            withdrawn=self.withdrawn,
            unplayed=tuple(self.unplayed),
            references={name: self.references.state(name, self.enrolment) for name in self.references.known},
        )

    @property
    def rules(self) -> int:
        """Edition of the rules; a chain's opening is its first leaf."""
        return 1 if self.enrolment is None else self.enrolment.rules

    def enrolment_open(self, n: int, at: int, values: Values) -> None:
        if self.enrolment is not None:
            raise values.wrong("event", "comes a second time")
        lessons = tuple(
            SyllabusLesson(
                inner.text("lesson"),
                inner.one_of("part", Part),
                inner.whole("duration_ms"),
                inner.text_or_none("film") or "",
            )
            for inner in values.each("lessons")
        )
        if len({lesson.lesson for lesson in lessons}) != len(lessons):
            raise values.wrong("lessons", "names a lesson twice")
        rules = values.whole_or("rules", 1)
        if rules > 1:
            values.must_say(TERMS)
        self.enrolment = EnrolmentTerms(
            enrolment=str(self.chain),
            cohort=values.text("cohort"),
            rulebook=values.text("rulebook"),
            jurisdiction=values.text("jurisdiction"),
            category=values.one_of("category", Category),
            industry=values.text_or_none("industry"),
            subject=values.text_or_none("subject"),
            high_risk=values.flag("high_risk"),
            training=values.one_of("training", Training),
            total_ms=values.whole("total_ms"),
            theory_ms=values.whole("theory_ms"),
            practical_ms=values.whole("practical_ms"),
            online_ms=values.whole("online_ms"),
            in_person_ms=values.whole("in_person_ms"),
            starts=values.day("starts"),
            ends=values.day("ends"),
            plan=values.plan("plan"),
            lessons=lessons,
            rules=rules,
            opened_ms=at,
        )

    def enrolment_correct(self, n: int, at: int, values: Values) -> None:
        """Put a term right that the opening leaf of the first edition left out; later ones say all of them."""
        if self.enrolment is None:
            raise values.wrong("event", "comes before the opening")
        if self.enrolment.rules > 1 or self.enrolment.subject is not None:
            raise values.wrong("subject", "stands in the opening already")
        self.enrolment = replace(self.enrolment, subject=values.text("subject"), corrected=True)

    def enrolment_amend(self, n: int, at: int, values: Values) -> None:
        """Terms that two people have put right since the opening (`AMENDABLE`): nothing earned is lost by it.

        A window may only grow. What the terms called for before goes on holding where it is stricter (`assess`). After
        the time to make up nothing is amended any more.
        """
        before = self.enrolment
        if before is None:
            raise values.wrong("event", "comes before the opening")
        if values.text("asked_by") == values.who:
            raise values.wrong("asked_by", "is who decided, and two people are needed")
        if at >= before.settles_ms:
            self.marks["late_amendment"] += 1
            return
        terms = values.inside("terms")
        terms.must_say_only(AMENDABLE)
        ends = terms.day("ends") if terms.has("ends") else before.ends
        if ends < before.ends:
            raise terms.wrong("ends", "comes before the last day of the opening")
        after = replace(
            before,
            ends=ends,
            industry=terms.text_or_none("industry") if terms.has("industry") else before.industry,
            subject=terms.text_or_none("subject") if terms.has("subject") else before.subject,
            high_risk=terms.flag("high_risk") if terms.has("high_risk") else before.high_risk,
        )
        old = before.readings[0]
        self.enrolment = after if after.readings[0] == old else replace(after, earlier=(old, *before.earlier))

    def sitting_open(self, n: int, at: int, values: Values) -> None:
        self.sittings[values.text("sitting")] = values.one_of("method", Method)
        if values.has("from_page") and not values.flag("from_page"):
            self.marks[Mark.NO_PAGE] += 1

    def beat(self, n: int, at: int, values: Values) -> None:
        sitting, lesson = values.text("sitting"), values.text("lesson")
        credited = values.spans("credited")
        handed_out = self._handed_out(sitting, values)
        if credited:
            begins, ends = values.span("server")
            if ends > at:
                self.irregular.append(Irregular("ahead_of_clock", (f"n:{n}",), ends - at))
            passed = min(ends, at) if self.rules >= 2 else ends
            for first, last in credited:
                excess = last - first - (ends - begins)
                if excess > 0:
                    self.irregular.append(Irregular("longer_than_server_time", (f"n:{n}", sitting), excess))
                spent = max(0, min(last - first, passed - begins))
                if spent:
                    self.segments.append(CreditedSegment(n, sitting, lesson, first, first + spent, begins))
                    if handed_out is not None:
                        self._look_at_film(self.segments[-1], handed_out)
                if spent < last - first:
                    self.refusals.append(Refusal(n, sitting, lesson, first + spent, last, Reason.IMPOSSIBLE))
                begins += spent
        for inner in values.each("refused"):
            first, last = inner.whole("from_ms"), inner.whole("to_ms")
            if last < first:
                raise values.wrong("refused", "must be intervals")
            self.refusals.append(Refusal(n, sitting, lesson, first, last, inner.one_of("reason", Reason)))
        self.furthest[lesson] = max(values.whole("furthest_ms"), self.furthest.get(lesson, 0))

    def _handed_out(self, sitting: str, values: Values) -> list[tuple[int, int]] | None:
        """What the sitting was handed of its film by this leaf; None where the plan does not ask."""
        if self.enrolment is None or self.rules < 2 or not self.enrolment.plan.film_handed_out:
            return None
        parts = values.handed_out()
        if parts:
            self.handed_out[sitting] = union([*self.handed_out.get(sitting, ()), *parts])
        return self.handed_out.get(sitting, [])

    def _look_at_film(self, segment: CreditedSegment, handed_out: list[tuple[int, int]]) -> None:
        pieces = subtract([(segment.from_ms, segment.to_ms)], handed_out)
        if pieces:
            self.marks[Mark.NOT_HANDED_OUT] += 1
        for first, last in pieces:
            begins = segment.server_ms + first - segment.from_ms
            self.unplayed.append(replace(segment, from_ms=first, to_ms=last, server_ms=begins))

    def beat_conflict(self, n: int, at: int, values: Values) -> None:
        self.marks["conflict"] += 1

    def beat_refused(self, n: int, at: int, values: Values) -> None:
        self.marks[values.text("reason")] += 1

    def check_due(self, n: int, at: int, values: Values) -> None:
        """A check bounds study only where it was asked in a sitting: one of an examination says nothing of a lesson."""
        check, kind = values.text("check"), values.one_of("kind", CheckKind)
        answer_by = values.instant("answer_by_ms")
        stories = self.checks if values.text_or_none("sitting") in self.sittings else self.elsewhere
        stories.setdefault(check, _CheckStory(kind)).due(answer_by)

    def check_redeliver(self, n: int, at: int, values: Values) -> None:
        story = self._story(values)
        story.answer_by_ms = values.instant("answer_by_ms")
        if self.rules >= 2 and self._bounds_study(values):
            self.marks["retold"] += 1

    def check_extend(self, n: int, at: int, values: Values) -> None:
        self._story(values).answer_by_ms = values.instant("answer_by_ms")

    def check_answer(self, n: int, at: int, values: Values) -> None:
        story = self._story(values)
        story.answered_ms = story.seen_ms = min(at, values.whole_or("arrived_ms", at))
        story.settle(story.answered_ms)
        story.pictured = story.pictured or (values.has("frames") and bool(values.each("frames")))
        if self._bounds_study(values):
            self.shown.append(story.answered_ms)

    def check_verdict(self, n: int, at: int, values: Values) -> None:
        story, outcome = self._story(values), values.one_of("outcome", Outcome)
        if values.flag("final"):
            story.outcome, story.decided_n, story.decided_ms = outcome, n, at
            story.settle(at)
            story.references = values.texts_or_none("references")

    def check_appeal(self, n: int, at: int, values: Values) -> None:
        story = self._story(values)
        story.case = reviewing.appeal(story.case)

    def check_word(self, n: int, at: int, values: Values) -> None:
        """What a person said about a check. Since the second edition the account itself asks who may decide."""
        story = self._story(values)
        outcome = values.one_of("outcome", ReviewOutcome)
        if self.enrolment is not None and self.rules >= 2 and at >= self.enrolment.reviews_end_ms:
            self.marks["late_review"] += self._bounds_study(values)
            return
        if self.rules >= 2:
            by = values.text("by") if values.has("by") else values.who
            office = values.one_of("office", Office) if values.has("office") else Office.INSTITUTION.value
            story.case = reviewing.speak(story.case, Word(by, office, outcome), picture=story.pictured)
        elif values.leaf["event"] == "check.review":
            story.review, story.case = outcome, reviewing.Case()
        elif values.leaf["event"] == "check.strike":
            story.review, story.case = None, reviewing.Case(Decision.STRUCK)
        elif values.leaf["event"] == "check.reopen":
            story.review, story.case = None, reviewing.Case()
        if story.decision is not None:
            story.decided_n = n

    def reference_stand(self, n: int, at: int, values: Values) -> None:
        self.references.stand(values)

    def reference_enrol(self, n: int, at: int, values: Values) -> None:
        self.references.enrol(values)

    def reference_confirm(self, n: int, at: int, values: Values) -> None:
        self._decide_reference(at, values, confirmed=True)

    def reference_refuse(self, n: int, at: int, values: Values) -> None:
        self._decide_reference(at, values, confirmed=False)

    def _decide_reference(self, at: int, values: Values, *, confirmed: bool) -> None:
        """After the time to make up nothing changes the account any more."""
        if self.enrolment is not None and at < self.enrolment.settles_ms:
            self.references.decide(values, confirmed=confirmed)

    def flag_clear(self, n: int, at: int, values: Values) -> None:
        """A regulator, or two people of the institution; one of hers alone clears nothing."""
        code, by, proposed_by = values.text("code"), values.one_of("by", Clearer), values.text("proposed_by")
        if by == Clearer.INSTITUTION and proposed_by == values.leaf.get("who"):
            return
        self.clearances[code] = Clearance(n, code, values.texts("ids"), values.whole("ms"), by)

    def flag_restore(self, n: int, at: int, values: Values) -> None:
        self.clearances.pop(values.text("code"), None)

    def enrolment_withdrawn(self, n: int, at: int, values: Values) -> None:
        self.withdrawn = True

    def enrolment_readmitted(self, n: int, at: int, values: Values) -> None:
        self.withdrawn = False

    def _bounds_study(self, values: Values) -> bool:
        """Whether the check of this leaf was asked in a sitting of this chain."""
        return values.text("check") in self.checks

    def _story(self, values: Values) -> _CheckStory:
        check = values.text("check")
        story = self.checks.get(check) or self.elsewhere.get(check)
        if story is None:
            raise values.wrong("check", "was never due")
        return story


_READERS: Final[Mapping[str, Callable[[_Reading, int, int, Values], None]]] = {
    "enrolment.open": _Reading.enrolment_open,
    "enrolment.correct": _Reading.enrolment_correct,
    "enrolment.amend": _Reading.enrolment_amend,
    "sitting.open": _Reading.sitting_open,
    "beat": _Reading.beat,
    "beat.conflict": _Reading.beat_conflict,
    "beat.refused": _Reading.beat_refused,
    "check.due": _Reading.check_due,
    "check.redeliver": _Reading.check_redeliver,
    "check.retold": _Reading.check_redeliver,  # how earlier releases called it
    "check.extend": _Reading.check_extend,
    "check.answer": _Reading.check_answer,
    "check.verdict": _Reading.check_verdict,
    "check.appeal": _Reading.check_appeal,
    "check.propose": _Reading.check_word,
    "check.review": _Reading.check_word,
    "check.strike": _Reading.check_word,
    "check.reopen": _Reading.check_word,
    "reference.stand": _Reading.reference_stand,
    "reference.enrol": _Reading.reference_enrol,
    "reference.confirm": _Reading.reference_confirm,
    "reference.refuse": _Reading.reference_refuse,
    "checkin.confirm": lambda reading, n, at, values: reading.desk.confirm(n, at, values),
    "checkin.end": lambda reading, n, at, values: reading.desk.end(n, at, values),
    "checkin.code": lambda reading, n, at, values: reading.desk.code(n, at, values),
    "checkin.revoke": lambda reading, n, at, values: reading.desk.revoke(n, at, values),
    "checkin.restore": lambda reading, n, at, values: reading.desk.restore(n, at, values),
    "enrolment.withdraw": _Reading.enrolment_withdrawn,
    "enrolment.readmit": _Reading.enrolment_readmitted,
    "attendance": lambda reading, n, at, values: reading.register.enter(n, at, values),
    "attendance.revoke": lambda reading, n, at, values: reading.register.revoke(n, at, values),
    "attendance.confirm": lambda reading, n, at, values: reading.register.confirm(n, at, values),
    "attendance.sign": lambda reading, n, at, values: reading.register.sign(n, at, values),
    "attendance.deny": lambda reading, n, at, values: reading.register.deny(n, at, values),
    "attendance.settle": lambda reading, n, at, values: reading.register.settle(n, at, values),
    "flag.clear": _Reading.flag_clear,
    "flag.restore": _Reading.flag_restore,
}
