"""The statement of hours: every figure a screen, an export or an auditor shows, in whole milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from xueji.hours.rules.records import Syllabus
from xueji.python38 import Self, StrEnum, dataclass
from xueji.rulebook.intervals import Interval


class FlagCode(StrEnum):
    """Sums and facts that cannot be true; found before a regulator finds them."""

    CLOCK_BACK = "clock_back"
    """a leaf's time is before the previous leaf's"""
    AHEAD_OF_CLOCK = "ahead_of_clock"
    """server time was spent that had not passed yet"""
    LONGER_THAN_SERVER_TIME = "longer_than_server_time"
    SERVER_TIME_TWICE = "server_time_twice"
    """the same server time was spent on two pieces of media"""
    BEYOND_DURATION = "beyond_duration"
    UNKNOWN_LESSON = "unknown_lesson"
    OVER_DAILY_MAXIMUM = "over_daily_maximum"
    DAY_OVER_24_HOURS = "day_over_24_hours"
    IN_PERSON_WHILE_ONLINE = "in_person_while_online"
    TWO_SESSIONS_AT_ONCE = "two_sessions_at_once"
    LONGER_THAN_SESSION = "longer_than_session"
    ATTENDED_TWICE = "attended_twice"
    BEFORE_BEGINNING = "before_beginning"
    """attendance from before she was enrolled"""
    LATE_ENTRY = "late_entry"
    """attendance entered after its term, and no second person stands for it"""
    NOT_PLANNED = "not_planned"
    """a session that was planned when it had begun, and no second person stands for it"""
    ATTENDANCE_DENIED = "attendance_denied"
    """the trainee says that she was not there, and nobody has settled it"""


class AttendanceStanding(StrEnum):
    """What an attendance is worth."""

    COUNTED = "counted"
    HELD = "held"
    """waits for a second person or the regulator"""
    REFUSED = "refused"


class MissingCode(StrEnum):
    """What an account lacks before its hours are complete."""

    THEORY_SHORT = "theory_short"
    PRACTICAL_SHORT = "practical_short"
    TOTAL_SHORT = "total_short"
    IN_PERSON_SHORT = "in_person_short"
    """fewer hours in a room than were filed (003 art. 8, 13)"""
    THEORY_IN_PERSON_SHORT = "theory_in_person_short"
    """of the theory that was filed to be taught in a room"""
    ONLINE_SHARE_OF_DELIVERED = "online_share_of_delivered"
    """online hours exceed the allowed share of what has been delivered so far"""
    IMPOSSIBLE_SUMS = "impossible_sums"


@dataclass(frozen=True, slots=True)
class RefusedSum:
    """All that was refused for one reason."""

    reason: str
    ms: int


@dataclass(frozen=True, slots=True)
class Flag:
    """One kind of impossible sum, with everything it concerns: leaves as "n:17", days, sittings, sessions."""

    code: str
    ids: tuple[str, ...]
    ms: int


@dataclass(frozen=True, slots=True)
class Cleared:
    """An impossible sum that a person looked into and cleared with a reason: it holds nothing back any more, and what
    cannot be still does not count."""

    code: str
    ids: tuple[str, ...]
    ms: int
    n: int
    """number of the leaf that says so"""
    by: str
    """in which capacity: regulator, or two people of the institution"""


@dataclass(frozen=True, slots=True)
class Missing:
    """What is missing, and how much of it."""

    code: str
    ms: int


@dataclass(frozen=True, slots=True)
class LessonLine:
    """One lesson. A millisecond of its media is counted, provisional, held or refused by the account: one of them."""

    lesson: str
    part: str
    duration_ms: int
    furthest_ms: int
    counted_ms: int
    provisional_ms: int
    held_ms: int
    refused: tuple[RefusedSum, ...]
    make_up: tuple[Interval, ...]
    """media that earns again when it is watched again: what is held, and what a failed check lost"""
    awaited_ms: int = 0
    """of what is held: what staff release by confirming her reference photo, and is not to be watched again"""
    unplayed_ms: int = 0
    """of what is held: what was reported as watched before the film was handed out, and counts once it is played"""

    @property
    def gone_ms(self) -> int:
        """Of the film: watched, and does not count. What was refused besides is no part of it."""
        return max(0, self.furthest_ms - self.counted_ms - self.provisional_ms - self.held_ms)


@dataclass(frozen=True, slots=True)
class OnlineSums:
    """Online study in all lessons together."""

    counted_ms: int
    provisional_ms: int
    """watched, and waiting for the next good check"""
    held_ms: int
    """next to a failed check: to be made up, reviewed or lost"""
    refused: tuple[RefusedSum, ...]
    awaited_ms: int = 0
    """of what is held: what waits for staff to confirm her reference photo"""
    unplayed_ms: int = 0
    """of what is held: what was reported as watched before the film was handed out"""


@dataclass(frozen=True, slots=True)
class CapLine:
    """The limit on online hours and what it did."""

    applies: bool
    percent: int | None
    document: str
    article: str
    limit_ms: int
    used_ms: int
    over_ms: int
    note: str
    filed_ms: int | None = None
    """the online hours filed, where they limit as well"""


@dataclass(frozen=True, slots=True)
class InPersonSums:
    """Attendance in person that counts."""

    theory_ms: int
    practical_ms: int
    refused: tuple[RefusedSum, ...] = ()
    """attendance that was entered and does not count"""


@dataclass(frozen=True, slots=True)
class AttendanceLine:
    """One class session; times in epoch ms."""

    session: str
    part: str
    from_ms: int
    to_ms: int
    entered_ms: int
    planned_ms: int | None
    """when the session was planned; None where that was not recorded"""
    counted_ms: int
    standing: str
    """`AttendanceStanding`"""
    doubts: tuple[str, ...]
    """`Doubt`: the bounds it does not keep by itself, also when a second person stands for it"""
    settled: bool
    """whether a second person or the regulator decided that it stands"""
    word: str
    """`HerWord`"""

    @property
    def ms(self) -> int:
        return self.to_ms - self.from_ms


@dataclass(frozen=True, slots=True)
class Totals:
    """What counts altogether."""

    theory_ms: int
    practical_ms: int
    delivered_ms: int


@dataclass(frozen=True, slots=True)
class Share:
    """An exact share of two sums."""

    part_ms: int
    whole_ms: int

    @property
    def per_mille(self) -> int:
        """The share in thousandths, rounded down, for display only; 0 of nothing is 0."""
        return self.part_ms * 1_000 // self.whole_ms if self.whole_ms else 0


@dataclass(frozen=True, slots=True)
class Statutory:
    """The least total the law asks for, beside the syllabus; None where no figure is known."""

    total_ms: int | None
    per_year: bool
    """whether a year's trainings together must reach it, not this one alone"""
    met: bool | None
    document: str
    article: str
    questions: tuple[str, ...]
    theory_ms: int | None = None
    """the least theory of the region's table"""
    practical_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """One enrolment's hours as of an instant, under one rulebook.

    A field that came with a later edition of the rules has a value that says nothing, and is then left out of the
    JSON: so a statement made before the field was known stays what it was, to the byte.
    """

    enrolment: str
    rulebook: str
    as_of_ms: int
    leaves: int
    """how many leaves of the chain it rests on"""
    settled: bool
    """whether the time to make up has passed: nothing is provisional or held any more"""
    class_hour_ms: int
    online: OnlineSums
    lessons: tuple[LessonLine, ...]
    cap: CapLine
    in_person: InPersonSums
    totals: Totals
    syllabus: Syllabus
    online_of_syllabus: Share
    online_of_delivered: Share
    statutory: Statutory
    complete: bool
    missing: tuple[Missing, ...]
    flags: tuple[Flag, ...]
    marks: tuple[tuple[str, int], ...]
    """requests refused whole and beats that contradicted themselves: how often, by reason"""
    cleared: tuple[Cleared, ...] = ()
    rules: int = 1
    """edition of the account's rules the enrolment was opened under"""
    attendance: tuple[AttendanceLine, ...] = ()
    """each class session; empty for enrolments of the first edition of the rules"""
    withdrawn: bool = False
    """whether she was let out of the cohort; always False in the first edition"""

    def to_dict(self) -> dict[str, Any]:
        """The statement as JSON values: whole numbers, texts, flags, lists."""
        values: dict[str, Any] = _plain(self)
        for name in ("online_of_syllabus", "online_of_delivered"):
            values[name]["per_mille"] = getattr(self, name).per_mille
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The statement that `to_dict` wrote. Raises KeyError or TypeError for anything else."""
        return cls(
            enrolment=values["enrolment"],
            rulebook=values["rulebook"],
            as_of_ms=values["as_of_ms"],
            leaves=values["leaves"],
            settled=values["settled"],
            class_hour_ms=values["class_hour_ms"],
            online=OnlineSums(**{**values["online"], "refused": _sums(values["online"]["refused"])}),
            lessons=tuple(
                LessonLine(
                    **{
                        **line,
                        "refused": _sums(line["refused"]),
                        "make_up": tuple((first, last) for first, last in line["make_up"]),
                    }
                )
                for line in values["lessons"]
            ),
            cap=CapLine(**values["cap"]),
            in_person=InPersonSums(**{**values["in_person"], "refused": _sums(values["in_person"].get("refused", []))}),
            totals=Totals(**values["totals"]),
            syllabus=Syllabus(**values["syllabus"]),
            online_of_syllabus=_share(values["online_of_syllabus"]),
            online_of_delivered=_share(values["online_of_delivered"]),
            statutory=Statutory(
                **{**values["statutory"], "questions": tuple(values["statutory"]["questions"])},
            ),
            complete=values["complete"],
            missing=tuple(Missing(**item) for item in values["missing"]),
            flags=tuple(Flag(item["code"], tuple(item["ids"]), item["ms"]) for item in values["flags"]),
            marks=tuple((reason, count) for reason, count in values["marks"]),
            cleared=tuple(Cleared(**{**item, "ids": tuple(item["ids"])}) for item in values.get("cleared", [])),
            rules=values.get("rules", 1),
            attendance=tuple(
                AttendanceLine(**{**line, "doubts": tuple(line["doubts"])}) for line in values.get("attendance", ())
            ),
            withdrawn=values.get("withdrawn", False),
        )


@dataclass(frozen=True, slots=True)
class Explanation:
    """One thing to tell the reader: a stable code that the screens put into words, and how much it concerns."""

    code: str
    ms: int
    ids: tuple[str, ...] = ()


def explain(statement: Statement) -> tuple[Explanation, ...]:
    """Why the account stands as it does, most important first: flags, missing, held, provisional, refused, notes."""
    told = [Explanation(f"flag.{flag.code}", flag.ms, flag.ids) for flag in statement.flags]
    told += [Explanation(f"missing.{item.code}", item.ms) for item in statement.missing]
    if statement.online.held_ms:
        told.append(Explanation("held", statement.online.held_ms))
    if statement.online.awaited_ms:
        told.append(Explanation("awaited", statement.online.awaited_ms))
    if statement.online.unplayed_ms:
        told.append(Explanation("unplayed", statement.online.unplayed_ms))
    if statement.online.provisional_ms:
        told.append(Explanation("provisional", statement.online.provisional_ms))
    told += [Explanation(f"refused.{item.reason}", item.ms) for item in statement.online.refused]
    told.append(Explanation(f"cap.{statement.cap.note}", statement.cap.limit_ms))
    if statement.statutory.met is False:
        code = "note.below_yearly_minimum" if statement.statutory.per_year else "note.below_statutory_minimum"
        told.append(Explanation(code, statement.statutory.total_ms or 0))
    for part, least_ms, filed_ms in (
        ("theory", statement.statutory.theory_ms, statement.syllabus.theory_ms),
        ("practical", statement.statutory.practical_ms, statement.syllabus.practical_ms),
    ):
        if least_ms is not None and filed_ms < least_ms:
            told.append(Explanation(f"note.below_statutory_{part}", least_ms))
    told += [Explanation(f"cleared.{item.code}", item.ms, item.ids) for item in statement.cleared]
    told += [Explanation(f"open.{question}", 0) for question in statement.statutory.questions]
    return tuple(told)


def _sums(items: list[Mapping[str, Any]]) -> tuple[RefusedSum, ...]:
    return tuple(RefusedSum(**item) for item in items)


def _share(values: Mapping[str, Any]) -> Share:
    return Share(values["part_ms"], values["whole_ms"])


def _plain(value: Any) -> Any:
    """Records as objects without what they leave unsaid, tuples as lists and words as plain text, all the way down."""
    if is_dataclass(value):
        said = ((field, getattr(value, field.name)) for field in fields(value))
        return {
            field.name: _plain(inner) for field, inner in said if field.default is MISSING or inner != field.default
        }
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value
