"""What enrolments write into the log. See `xueji.trace.leaf`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, NotRequired, TypedDict

from xueji.trace.leaf import (
    Commitment,
    Day,
    Division,
    Flag,
    Hidden,
    Id,
    InOffice,
    MediaMs,
    Members,
    Ms,
    OfPerson,
    OfPlace,
    OfPlatform,
    OfStaff,
    Pseudonym,
    Sha256,
    Text,
    Unit,
    Word,
    WordOrNull,
    Words,
    leaf,
)
from xueji.trace.rules import Event

PersonOrNull = Annotated[str | None, Commitment(Hidden.PERSON)]


class About(TypedDict):
    """Whom and what a chain is about."""

    person_name: OfPerson
    person_number: OfPerson
    masked_name: OfPerson
    number_end: OfPerson
    institution: OfPlace
    cohort_title: OfPlace
    lesson_titles: OfPlace
    """of all lessons, as one JSON list"""


class Declared(TypedDict):
    """What was declared of her post and employer; words about her are commitments."""

    post: Word
    industry: Word
    employer: PersonOrNull
    earlier: PersonOrNull
    reason: PersonOrNull
    misfits: Words
    trained_before: Flag


class OnlineLesson(TypedDict):
    """An online lesson, frozen at the opening."""

    lesson: Id
    part: Word
    duration_ms: MediaMs
    film: Sha256
    """of the uploaded film"""


class AmendedTerms(TypedDict):
    """The corrected terms alone."""

    ends: NotRequired[Day]
    industry: NotRequired[WordOrNull]
    subject: NotRequired[WordOrNull]
    high_risk: NotRequired[Flag]


AboutWhom = Annotated[About, Unit("object of commitments")]


@leaf(Event.ENROLMENT_OPEN)
class EnrolmentOpened(OfStaff):
    """A trainee is let into a cohort under these terms. Always leaf 0 of the chain."""

    cohort: Id
    rules: Annotated[int, Unit("number")]
    """edition of the account's rules"""
    rulebook: Text
    jurisdiction: Division
    category: Word
    industry: WordOrNull
    high_risk: Flag
    training: Word
    subject: WordOrNull
    total_ms: Ms
    theory_ms: Ms
    practical_ms: Ms
    online_ms: Ms
    in_person_ms: Ms
    starts: Day
    ends: Day
    plan: Annotated[dict[str, Any], Unit("object"), Members(Unit("see `ProctoringPlan`"))]
    lessons: Annotated[list[OnlineLesson], Unit("list of objects")]
    declared: Annotated[Declared | None, Unit("object")]
    about: AboutWhom | None = None


@leaf(Event.ENROLMENT_CORRECT)
class OpeningCorrected(OfPlatform):
    """What an opening of the first release left out."""

    subject: WordOrNull


@leaf(Event.ENROLMENT_IDENTIFY)
class SubjectIdentified(OfPlatform):
    """Whom the chain is about: where an early opening did not say it, and again after a correction."""

    about: AboutWhom
    of: Pseudonym
    """that leaf 0 gave her"""
    correction: Id | None = None
    """present after a name or number was corrected, with both who decided it"""
    asked_by: Pseudonym | None = None
    decided_by: Pseudonym | None = None


@leaf(Event.ENROLMENT_AMEND)
class EnrolmentAmended(OfStaff):
    """Two people corrected terms of the opening."""

    amendment: Id
    terms: Annotated[AmendedTerms, Unit("object")]
    asked_by: Pseudonym
    reason: OfPerson


@leaf(Event.ENROLMENT_WITHDRAW)
class TraineeWithdrawn(OfStaff):
    """She is let out of the cohort."""

    reason: OfPerson


@leaf(Event.ENROLMENT_READMIT)
class TraineeReadmitted(OfStaff):
    """A withdrawal by mistake is taken back."""

    reason: OfPerson


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesDecided(InOffice):
    """What was decided of this file and another."""

    joining: Id
    stands: Flag
    """whether this file's account goes on"""
    asked_by: Pseudonym
    reason: OfPerson


@leaf(Event.ENROLMENT_JOIN)
class EnrolmentJoined(FilesDecided):
    """This file and another were found to be one person's."""


@leaf(Event.ENROLMENT_PART)
class EnrolmentParted(FilesDecided):
    """They were found to be two people's after all."""


class StandingReference(TypedDict):
    """A photo that stands when the enrolment opens."""

    reference: Annotated[str, Commitment(Hidden.PERSON, "reference")]
    model: Text
    confirmed: Flag


@leaf(Event.REFERENCE_STAND)
class ReferencesStand(OfPlatform):
    """Photos that stand when the enrolment opens."""

    references: Annotated[list[StandingReference], Unit("list of objects")]
