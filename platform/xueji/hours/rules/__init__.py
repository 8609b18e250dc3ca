"""Class hours as pure functions, standard library and rulebook only: the offline verifier runs exact copies of these.

`evidence(leaves)` reads an enrolment's chain, `assess(rulebook, evidence, as_of)` works out its `Statement`
(`assess_media` also where in the films its sums lie), `explain(statement)` gives the reasons as stable codes.
"""

from __future__ import annotations

from xueji.hours.rules.assessment import Assessed, Media, WrongRulebook, assess, assess_media
from xueji.hours.rules.person import person_flags
from xueji.hours.rules.reading import bears_on_hours, evidence
from xueji.hours.rules.records import (
    AttendanceFacts,
    CheckStanding,
    Clearance,
    ConfirmedPresence,
    CreditedSegment,
    DecidedCheck,
    EnrolmentTerms,
    Evidence,
    Irregular,
    MalformedLeaf,
    MalformedTrace,
    Mark,
    Refusal,
    Syllabus,
    SyllabusLesson,
)
from xueji.hours.rules.statement import (
    AttendanceLine,
    AttendanceStanding,
    CapLine,
    Cleared,
    Explanation,
    Flag,
    FlagCode,
    InPersonSums,
    LessonLine,
    Missing,
    MissingCode,
    OnlineSums,
    RefusedSum,
    Share,
    Statement,
    Statutory,
    Totals,
    explain,
)
from xueji.hours.rules.worth import Ahead, Span, Status, ahead

__all__ = [
    "Ahead",
    "Assessed",
    "AttendanceFacts",
    "AttendanceLine",
    "AttendanceStanding",
    "CapLine",
    "CheckStanding",
    "Clearance",
    "Cleared",
    "ConfirmedPresence",
    "CreditedSegment",
    "DecidedCheck",
    "EnrolmentTerms",
    "Evidence",
    "Explanation",
    "Flag",
    "FlagCode",
    "InPersonSums",
    "Irregular",
    "LessonLine",
    "MalformedLeaf",
    "MalformedTrace",
    "Mark",
    "Media",
    "Missing",
    "MissingCode",
    "OnlineSums",
    "Refusal",
    "RefusedSum",
    "Share",
    "Span",
    "Statement",
    "Status",
    "Statutory",
    "Syllabus",
    "SyllabusLesson",
    "Totals",
    "WrongRulebook",
    "ahead",
    "assess",
    "assess_media",
    "bears_on_hours",
    "evidence",
    "explain",
    "person_flags",
]
