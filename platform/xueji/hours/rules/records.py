"""What the trace of one enrolment says, as plain facts: the evidence that hours are worked out from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date
from typing import Any, Final

from xueji.python38 import StrEnum, dataclass
from xueji.rulebook.intervals import Interval
from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.shanghai import DAY_MS, date_begins_ms
from xueji.rulebook.vocabulary import HerWord

EVER: Final = 1 << 62
"""later than anything (epoch ms)"""


class Mark(StrEnum):
    """What is remarked about how study was reported, beside the reasons of requests refused whole."""

    NO_PAGE = "no_page"
    """a sitting opened by whoever had not loaded the lesson's page"""
    NOT_HANDED_OUT = "not_handed_out"
    """a report of media that had not been handed out"""


class CheckStanding(StrEnum):
    """What a decided check says about the time around it."""

    GOOD = "good"
    AWAITED = "awaited"
    """a match with a reference photo that nobody has confirmed yet: holds the time on both sides until somebody does"""
    FAILED = "failed"
    """holds the time on both sides until it is made up or a person accepts the check"""
    REJECTED = "rejected"
    """a person looked and rejected it: the time on both sides is refused"""


@dataclass(frozen=True, slots=True)
class SyllabusLesson:
    """A lesson of the enrolment's frozen syllabus."""

    lesson: str
    part: str
    duration_ms: int
    film: str = ""
    """SHA-256 of the film's file; empty in openings that did not name it"""


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """Which law an enrolment's terms called for before they were amended."""

    industry: str | None
    subject: str | None
    high_risk: bool


@dataclass(frozen=True, slots=True)
class Syllabus:
    """What the frozen syllabus asks for; all in milliseconds."""

    total_ms: int
    theory_ms: int
    practical_ms: int
    online_ms: int
    """of the total, how much is studied online"""
    in_person_ms: int
    """of the total, how much is taught in a room"""


@dataclass(frozen=True, slots=True)
class EnrolmentTerms(Syllabus):
    """The terms an enrolment was opened under, and what two people have put right in them since (`enrolment.amend`)."""

    enrolment: str
    """name of its chain in the log"""
    cohort: str
    rulebook: str
    jurisdiction: str
    category: str
    industry: str | None
    """code in the rulebook; None where the cohort opened before industries were asked for"""
    subject: str | None
    """key of the subject in the rulebook, where the region has hours for it"""
    high_risk: bool
    training: str
    starts: date
    ends: date
    """last day"""
    plan: ProctoringPlan
    lessons: tuple[SyllabusLesson, ...]
    corrected: bool = False
    """whether a later leaf put something right that the opening had left out"""
    rules: int = 1
    """which edition of the account's rules it was opened under (`rulebook.vocabulary.RULES`); a later edition that asks
    for more judges only who was enrolled under it"""
    opened_ms: int = 0
    """when she was enrolled (epoch ms)"""
    earlier: tuple[LegalBasis, ...] = ()
    """what amended terms said before; of all readings the strictest holds"""

    @property
    def syllabus(self) -> Syllabus:
        """What the syllabus asks for, by itself."""
        return Syllabus(self.total_ms, self.theory_ms, self.practical_ms, self.online_ms, self.in_person_ms)

    @property
    def readings(self) -> tuple[LegalBasis, ...]:
        """Every law that any reading of the terms calls for, the one in force first."""
        return (LegalBasis(self.industry, self.subject, self.high_risk), *self.earlier)

    @property
    def settles_ms(self) -> int:
        """From when on nothing can be made up any more (epoch ms)."""
        return date_begins_ms(self.ends) + (1 + self.plan.settle_days) * DAY_MS

    @property
    def reviews_end_ms(self) -> int:
        """From when on a person may decide about a check no more (epoch ms)."""
        return self.settles_ms + self.plan.appeal_days * DAY_MS


@dataclass(frozen=True, slots=True)
class CreditedSegment:
    """Media credited in one piece, and the server time it took: the same length, left to right."""

    n: int
    """number of its leaf in the enrolment's chain"""
    sitting: str
    lesson: str
    from_ms: int
    to_ms: int
    server_ms: int
    """server time at which it begins (epoch ms)"""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Media of a beat that earned nothing, with the reason given at the time."""

    n: int
    sitting: str
    lesson: str
    from_ms: int
    to_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class DecidedCheck:
    """A check, or a confirmation by staff, that bounds the time before and after it."""

    n: int
    """number of the leaf that decided it"""
    check: str
    kind: str
    """scheduled, closing, voluntary or supervised"""
    at_ms: int
    """the instant it speaks of (epoch ms): the answer, or the end of the window of a missed one"""
    outcome: str
    standing: CheckStanding


@dataclass(frozen=True, slots=True)
class ConfirmedPresence:
    """A span of server time for which staff vouch for the person; empty when she left as she came."""

    checkin: str
    from_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class AttendanceFacts:
    """Presence at an in-person session."""

    n: int
    session: str
    part: str
    began_ms: int
    """of the session"""
    ended_ms: int
    from_ms: int
    """of her part in it"""
    to_ms: int
    exact: bool = True
    """whether the leaf says from when to when; the first releases said only for how long, and then it may have been
    at any time of the session"""
    at_ms: int = 0
    """when it was entered"""
    who: str = ""
    """the pseudonym of whoever entered it"""
    planned_ms: int | None = None
    """when the session was planned"""
    reasoned: bool = False
    """whether a reason was given, and the entry left to a second person"""
    overlaps: bool = False
    """whether she studied online or was elsewhere at the time, in whichever enrolment"""
    word: HerWord = HerWord.SILENT
    denied_ms: int | None = None
    settled: bool = False
    """whether somebody else decided that it stands"""
    by_regulator: bool = False
    """whether that was a regulator"""

    @property
    def ms(self) -> int:
        return self.to_ms - self.from_ms

    @property
    def occupied(self) -> Interval:
        """When she cannot have been anywhere else."""
        return (self.from_ms, self.to_ms) if self.exact else (self.began_ms, self.ended_ms)


@dataclass(frozen=True, slots=True)
class Clearance:
    """A person's word that an impossible sum has been looked into: the sum as it stood then, and who says so."""

    n: int
    code: str
    ids: tuple[str, ...]
    ms: int
    by: str
    """capacity: regulator or institution"""


@dataclass(frozen=True, slots=True)
class Irregular:
    """A leaf that says something which cannot be, found while reading: its code, its ids, what cannot be."""

    code: str
    ids: tuple[str, ...]
    ms: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything in one enrolment's chain that bears on hours, in no particular order."""

    enrolment: EnrolmentTerms
    leaves: int
    sittings: Mapping[str, str]
    """how each sitting is vouched for: face or supervised"""
    segments: tuple[CreditedSegment, ...]
    refusals: tuple[Refusal, ...]
    checks: tuple[DecidedCheck, ...]
    presences: tuple[ConfirmedPresence, ...]
    attendance: tuple[AttendanceFacts, ...]
    undecided: tuple[str, ...]
    """checks that were due and have no final outcome yet"""
    furthest_ms: Mapping[str, int]
    """the frontier of each lesson"""
    marks: Mapping[str, int]
    """how often a request was refused whole, or a beat contradicted itself, by reason"""
    irregular: tuple[Irregular, ...]
    clearances: tuple[Clearance, ...] = ()
    """those that stand, by their leaf"""
    shown_ms: tuple[int, ...] = ()
    """when she answered a check, whatever became of it, or staff confirmed her (epoch ms), ascending"""
    owed: tuple[Interval, ...] = ()
    """server time in which a scheduled check waited for its answer beyond its first window: a union"""
    withdrawn: bool = False
    """whether she was let out of the cohort"""
    unplayed: tuple[CreditedSegment, ...] = ()
    """what was credited of media that the sitting had not been handed by then, where the plan asks for that"""
    references: Mapping[str, str] = field(default_factory=dict)
    """what is known of each reference photo (`ReferenceState`), by its commitment"""


class MalformedTrace(ValueError):
    """The chain does not say what it must: its leaves cannot be evidence."""


class MalformedLeaf(MalformedTrace):
    """One leaf is missing a value or has a wrong one; `n`, `event` and `field` say which."""

    def __init__(self, leaf: Mapping[str, Any], field: str, problem: str) -> None:
        self.n = leaf.get("n")
        self.event = leaf.get("event")
        self.field = field
        self.problem = problem
        super().__init__(f"leaf {self.n} ({self.event}): {field} {problem}")
