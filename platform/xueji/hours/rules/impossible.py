"""Sums and facts that cannot be true, collected while hours are worked out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from xueji.hours.rules.records import AttendanceFacts, Clearance, Irregular
from xueji.hours.rules.statement import Cleared, Flag, FlagCode
from xueji.rulebook.intervals import Interval, intersect, length, subtract, union
from xueji.rulebook.shanghai import DAY_MS, date_of, day_begins_ms, day_of


class Suspicions:
    """What has been found so far, by kind."""

    def __init__(self, irregular: Iterable[Irregular]) -> None:
        self._ids: dict[str, set[str]] = {}
        self._ms: Counter[str] = Counter()
        for found in irregular:
            self.add(FlagCode(found.code), found.ms, *found.ids)

    def add(self, code: FlagCode, ms: int, *ids: str) -> None:
        """Note `ms` milliseconds that cannot be, and what they concern."""
        self._ids.setdefault(code, set()).update(ids)
        self._ms[code] += ms

    def flags(self) -> tuple[Flag, ...]:
        """One flag for each kind found, in the order of `FlagCode`."""
        return tuple(
            Flag(code.value, tuple(sorted(self._ids[code])), self._ms[code]) for code in FlagCode if code in self._ids
        )


def sort_out(flags: Iterable[Flag], clearances: Iterable[Clearance]) -> tuple[tuple[Flag, ...], tuple[Cleared, ...]]:
    """The flags that stand, and those that a person cleared.

    A clearance speaks of the sum as it stood then: what has grown since, or concerns something else as well, stands
    again and must be looked into anew.
    """
    spoken_of = {clearance.code: clearance for clearance in clearances}
    standing: list[Flag] = []
    cleared: list[Cleared] = []
    for flag in flags:
        found = spoken_of.get(flag.code)
        if found is not None and flag.ms <= found.ms and set(flag.ids) <= set(found.ids):
            cleared.append(Cleared(flag.code, flag.ids, flag.ms, found.n, found.by))
        else:
            standing.append(flag)
    return tuple(standing), tuple(cleared)


class DaySums:
    """Time spent on each day (Asia/Shanghai), added up in ascending order of server time or not."""

    def __init__(self) -> None:
        self.ms: Counter[int] = Counter()
        self._day = 0
        self._begins = self._ends = 0

    def add(self, start_ms: int, end_ms: int) -> None:
        """Add the server interval, split at midnight."""
        while start_ms < end_ms:
            if not self._begins <= start_ms < self._ends:
                self._day = day_of(start_ms)
                self._begins = day_begins_ms(self._day)
                self._ends = self._begins + DAY_MS
            until = min(end_ms, self._ends)
            self.ms[self._day] += until - start_ms
            start_ms = until


def look_at_days(
    suspicions: Suspicions, online: DaySums, daily_max_ms: int, attendance: Iterable[AttendanceFacts]
) -> None:
    """Flag days with more online time than the plan allows, and days of more than 24 hours altogether."""
    together = DaySums()
    together.ms.update(online.ms)
    for session in attendance:
        together.add(session.from_ms, session.to_ms)
    for day, ms in online.ms.items():
        if ms > daily_max_ms:
            suspicions.add(FlagCode.OVER_DAILY_MAXIMUM, ms - daily_max_ms, date_of(day).isoformat())
    for day, ms in together.ms.items():
        if ms > DAY_MS:
            suspicions.add(FlagCode.DAY_OVER_24_HOURS, ms - DAY_MS, date_of(day).isoformat())


def look_at_sessions(
    suspicions: Suspicions, attendance: Iterable[AttendanceFacts], studied: Iterable[Interval]
) -> None:
    """Flag a person who sat in two sessions at once, or in one while she studied online (`studied`: server time)."""
    sessions = sorted((*session.occupied, session.session) for session in attendance)
    spans = union((began, ended) for began, ended, _ in sessions)
    twice = length((began, ended) for began, ended, _ in sessions) - length(spans)
    if twice:
        latest_end, latest = 0, ""
        concerned: set[str] = set()
        for began, ended, session in sessions:
            if began < latest_end:
                concerned |= {latest, session}
            if ended > latest_end:
                latest_end, latest = ended, session
        suspicions.add(FlagCode.TWO_SESSIONS_AT_ONCE, twice, *concerned)
    both = intersect(spans, union(studied)) if spans else []
    if both:
        names = [session for began, ended, session in sessions if any(a < ended and b > began for a, b in both)]
        suspicions.add(FlagCode.IN_PERSON_WHILE_ONLINE, length(both), *names)


class AttendanceElsewhere:
    """Where else the person was by attendance that was entered, to hold online study against it.

    Of two records of one moment the one that was entered later gives way (its leaf has the higher number): nobody's
    earned time is taken by what somebody enters afterwards. Segments come in ascending order of server time.
    """

    def __init__(self, attendance: Iterable[AttendanceFacts]) -> None:
        self._sessions = sorted(attendance, key=lambda session: (*session.occupied, session.n))
        self._at = 0
        self._studied: dict[str, list[Interval]] = {}

    def free(self, n: int, start_ms: int, end_ms: int) -> list[Interval]:
        """What of the server time of leaf `n` was not spent in a room by an earlier leaf."""
        pieces = [(start_ms, end_ms)]
        met = self._met(start_ms, end_ms)
        for session in met:
            if session.n < n:
                pieces = subtract(pieces, [session.occupied])
        for session in met:
            if session.n > n and pieces:
                self._studied.setdefault(session.session, []).extend(pieces)
        return pieces

    def _met(self, start_ms: int, end_ms: int) -> list[AttendanceFacts]:
        """The sessions that overlap; those that were over before are not looked at again."""
        while self._at < len(self._sessions) and self._sessions[self._at].occupied[1] <= start_ms:
            self._at += 1
        met: list[AttendanceFacts] = []
        for session in self._sessions[self._at :]:
            if session.occupied[0] >= end_ms:
                break
            if session.occupied[1] > start_ms:
                met.append(session)
        return met

    def stays(self) -> dict[str, int]:
        """How much of each attendance can be, by session, after all segments have been held against it."""
        taken: list[Interval] = []
        counted: dict[str, int] = {}
        for session in sorted(self._sessions, key=lambda session: session.n):
            span = [session.occupied]
            occupied = union([*taken, *self._studied.get(session.session, ())])
            counted[session.session] = min(session.ms, length(span) - length(intersect(span, occupied)))
            taken = union([*taken, *span])
        return counted


class DailyRoom:
    """What of each day's online time may still count (Asia/Shanghai). Pieces come in ascending order."""

    def __init__(self, daily_max_ms: int) -> None:
        self._most = daily_max_ms
        self._days = DaySums()

    def fit(self, pieces: Sequence[Interval]) -> list[Interval]:
        """The parts of the pieces that the day's maximum has room for."""
        kept: list[Interval] = []
        for start, end in pieces:
            at = start
            while at < end:
                day = day_of(at)
                until = min(end, day_begins_ms(day) + DAY_MS)
                last = min(until, at + max(0, self._most - self._days.ms[day]))
                if last > at:
                    self._days.add(at, last)
                    kept.append((at, last))
                at = until
        return kept
