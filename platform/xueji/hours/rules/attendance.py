"""Who was in a room, from when to when: what the leaves say of it, and how much of that counts.

Staff say it, and nothing measures it. So it is bounded: the session was planned before it began, the attendance was
entered within a term, or a second person stands for it with a reason; the trainee may deny it; nobody is in a room
before she was enrolled, or in two places at once. What fails a bound counts nothing, and the statement names the bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import Final

from xueji.hours.rules.impossible import Suspicions
from xueji.hours.rules.leaf_values import Values
from xueji.hours.rules.records import AttendanceFacts, EnrolmentTerms, Irregular
from xueji.hours.rules.statement import AttendanceLine, AttendanceStanding, FlagCode
from xueji.python38 import dataclass
from xueji.rulebook.attendance import denied_in_time, entry_doubts
from xueji.rulebook.vocabulary import Doubt, HerWord, Part, ReviewOutcome

REGULATOR: Final = "regulator"


@dataclass(slots=True)
class Register:
    """The attendances of one chain while its leaves are read, by session."""

    entered: dict[str, AttendanceFacts] = field(default_factory=dict)
    irregular: list[Irregular] = field(default_factory=list)

    def enter(self, n: int, at: int, values: Values) -> None:
        """Somebody of the institution entered that she was there."""
        session, part = values.text("session"), values.one_of("part", Part)
        began, ended = values.instant("began"), values.instant("ended")
        if ended < began:
            raise values.wrong("ended", "is before it began")
        exact = values.has("from")
        first = values.instant("from") if exact else began
        last = values.instant("to") if exact else began + values.whole("ms")
        if last < first:
            raise values.wrong("to", "is before she came")
        if session in self.entered:
            # The first entry stands until it is revoked with a reason: nothing counts twice, nothing shrinks silently.
            self.irregular.append(Irregular("attended_twice", (f"n:{n}", session), last - first))
            return
        outside = max(0, began - first) + max(0, last - max(first, ended))
        if outside:
            self.irregular.append(Irregular("longer_than_session", (f"n:{n}", session), outside))
            first, last = max(first, began), max(first, began, min(last, ended))
        self.entered[session] = AttendanceFacts(
            n=n,
            session=session,
            part=part,
            began_ms=began,
            ended_ms=ended,
            from_ms=first,
            to_ms=last,
            exact=exact,
            at_ms=at,
            who=values.who,
            planned_ms=values.instant("planned") if values.has("planned") else None,
            reasoned=values.has("reason"),
            overlaps=values.has("overlap"),
        )

    def revoke(self, n: int, at: int, values: Values) -> None:
        """Taken back with a reason; it may be entered anew."""
        self.entered.pop(values.text("session"), None)

    def confirm(self, n: int, at: int, values: Values) -> None:
        """The trainee herself says that she was there."""
        self._change(values, word=HerWord.CONFIRMED, denied_ms=None)

    def sign(self, n: int, at: int, values: Values) -> None:
        """Staff state that she signed the list on paper, which they keep. It takes back no denial."""
        known = self._known(values)
        if known is not None and known.word is HerWord.SILENT:
            self._change(values, word=HerWord.SIGNED)

    def deny(self, n: int, at: int, values: Values) -> None:
        """The trainee herself says that she was not there."""
        self._change(values, word=HerWord.DENIED, denied_ms=at, settled=False)

    def settle(self, n: int, at: int, values: Values) -> None:
        """A second person, or the regulator, decides with a reason. Whoever entered it settles nothing of it."""
        known = self._known(values)
        if known is None or values.who == known.who:
            return
        if values.one_of("outcome", ReviewOutcome) == ReviewOutcome.REJECT:
            self.entered.pop(known.session)
            return
        by_regulator = known.by_regulator or values.text("role") == REGULATOR
        self._change(values, settled=True, by_regulator=by_regulator)

    def _known(self, values: Values) -> AttendanceFacts | None:
        return self.entered.get(values.text("session"))

    def _change(self, values: Values, **changes: object) -> None:
        known = self._known(values)
        if known is not None:
            self.entered[known.session] = replace(known, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Judged:
    """An attendance and what it is worth."""

    attendance: AttendanceFacts
    standing: AttendanceStanding
    doubts: tuple[Doubt, ...]


def judge_attendance(enrolment: EnrolmentTerms, attendance: Sequence[AttendanceFacts]) -> tuple[Judged, ...]:
    """What each attendance is worth by itself. In the first edition of the rules all of it counts."""
    if enrolment.rules < 2:
        return tuple(Judged(each, AttendanceStanding.COUNTED, ()) for each in attendance)
    return tuple(_judged(enrolment, each) for each in attendance)


def who_counts(judged: Sequence[Judged]) -> tuple[AttendanceFacts, ...]:
    return tuple(each.attendance for each in judged if each.standing is AttendanceStanding.COUNTED)


def flag_attendance(suspicions: Suspicions, judged: Sequence[Judged]) -> None:
    """Flag what cannot be, and what nobody stands for; what waits for a second person is only held."""
    for each in judged:
        for doubt in each.doubts:
            if flag := _flag(each.attendance, doubt):
                suspicions.add(flag, each.attendance.ms, f"n:{each.attendance.n}", each.attendance.session)


def attendance_lines(judged: Sequence[Judged], stays: Mapping[str, int]) -> tuple[AttendanceLine, ...]:
    """Each attendance in the order of time; ``stays``: how much of each can be beside all else, by session."""
    lines = [_line(each, stays.get(each.attendance.session, 0)) for each in judged]
    return tuple(sorted(lines, key=lambda line: (line.from_ms, line.session)))


def _judged(enrolment: EnrolmentTerms, each: AttendanceFacts) -> Judged:
    never = [
        doubt
        for doubt, holds in (
            (Doubt.BEFORE_BEGINNING, each.from_ms < enrolment.opened_ms),
            (Doubt.AFTER_SETTLEMENT, each.at_ms >= enrolment.settles_ms),
        )
        if holds
    ]
    by_two = entry_doubts(
        enrolment.plan,
        planned_ms=each.planned_ms,
        began_ms=each.began_ms,
        ended_ms=each.ended_ms,
        entered_ms=each.at_ms,
    )
    doubts = (*never, *by_two, *([Doubt.OVERLAP] if each.overlaps else []))
    denied = each.denied_ms is not None and denied_in_time(enrolment.plan, each.at_ms, each.denied_ms)
    if denied:
        doubts = (*doubts, Doubt.DENIED)
    if never or (by_two and not each.settled and not each.reasoned):
        return Judged(each, AttendanceStanding.REFUSED, doubts)
    waits = not each.settled and bool(by_two or denied)
    if waits or (each.overlaps and not each.by_regulator):
        return Judged(each, AttendanceStanding.HELD, doubts)
    return Judged(each, AttendanceStanding.COUNTED, doubts)


def _flag(each: AttendanceFacts, doubt: Doubt) -> FlagCode | None:
    """What cannot be, or what nobody stands for, is flagged; what waits for a second person is only held."""
    if doubt is Doubt.BEFORE_BEGINNING:
        return FlagCode.BEFORE_BEGINNING
    if doubt is Doubt.DENIED:
        return None if each.settled else FlagCode.ATTENDANCE_DENIED
    if doubt is Doubt.AFTER_SETTLEMENT:
        return FlagCode.LATE_ENTRY
    if each.settled or each.reasoned:
        return None
    return {Doubt.LATE_ENTRY: FlagCode.LATE_ENTRY, Doubt.NOT_PLANNED: FlagCode.NOT_PLANNED}.get(doubt)


def _line(judged: Judged, counted_ms: int) -> AttendanceLine:
    each = judged.attendance
    return AttendanceLine(
        session=each.session,
        part=each.part,
        from_ms=each.from_ms,
        to_ms=each.to_ms,
        entered_ms=each.at_ms,
        planned_ms=each.planned_ms,
        counted_ms=counted_ms,
        standing=judged.standing.value,
        doubts=tuple(doubt.value for doubt in judged.doubts),
        settled=each.settled,
        word=each.word.value,
    )
